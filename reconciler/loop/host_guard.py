"""Check which host this is, and whose home, before anything else, because everything else follows from it.

A run with another home than that of the user's systemd would write its units where nobody looks, and would see every
`~` as changed; a run under another host's name would end this host's agents and start the other's. The first values
seen are kept in `$XDG_CONFIG_HOME/mosaic/host.json`, beside the settings, for every later run.
"""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from providers.base import ObserveError
from reconciler.errors import Refused
from reconciler.helpers.atomic_files import parse_json, read_optional, write_atomic
from specs.dataclass import dataclass, replace
from specs.values.names import same_host

if TYPE_CHECKING:
    from providers.host import Host, HostFacts, ManagerState
    from reconciler.context.settings import Settings
    from reconciler.loop.result import RunOptions

FILE = "host.json"
REBIND = "reconcile --rebind-host"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostBinding:
    """The values seen first; "" if unknown. `host` is the name in the roster, which may differ from the machine's own
    (`hostname`); the folders are absolute."""

    host: str = ""
    hostname: str = ""
    machine_id: str = ""
    mosaic_home: str = ""
    state_home: str = ""


def checked(options: RunOptions, settings: Settings, host: Host) -> RunOptions:
    """The options of a run with this host's name in the roster. Raises Refused before anything is touched. Saves what
    it sees for the first time, except in a preview or when systemd does not answer: a preview leaves nothing, and
    without systemd nobody can say whether this is the right home to save it in."""
    facts = host.facts
    home_known = at_home(host)
    named = options.host or settings.host
    if options.dry_run and options.host and not options.rebind_host:
        return options  # a preview of another host is harmless
    known = HostBinding() if options.rebind_host else read_binding(facts)
    # While the machine keeps its name, it keeps the roster name that was given to it then.
    unchanged = same_host(known.hostname, facts.hostname) or same_host(known.host, facts.hostname)
    name = named or (known.host if unchanged else facts.hostname)
    _must_be_here(known, facts)
    _must_be_it(known, name, facts)
    seen = HostBinding(
        host=name,
        hostname=facts.hostname,
        machine_id=facts.machine_id or known.machine_id,
        mosaic_home=facts.mosaic_home,
        state_home=facts.state_home,
    )
    if home_known and seen != known and not options.dry_run:
        with suppress(OSError):  # without the file the next run works as this one does
            path = _path(facts)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, json.dumps({key: getattr(seen, key) for key in _KEYS}, indent=1) + "\n")
    return replace(options, host=name)


def at_home(host: Host) -> bool:
    """Check the home for readers too: in another home they would see another fleet than the one that runs. Raises
    Refused. False: systemd does not answer; then nothing can be ended, and the reader reports that it could not see."""
    try:
        must_be_home(host.facts, host.look().manager())
    except ObserveError:
        return False
    return True


def read_binding(facts: HostFacts) -> HostBinding:
    """What is known about this host; a damaged file counts as missing."""
    try:
        raw = parse_json(read_optional(_path(facts)) or b"{}")
    except (OSError, ValueError):
        raw = {}
    known = raw if isinstance(raw, dict) else {}
    return HostBinding(**{key: str(known[key]) for key in _KEYS if key in known})


_KEYS = ("host", "hostname", "machine_id", "mosaic_home", "state_home")


def _path(facts: HostFacts) -> Path:
    return Path(facts.config_home, "mosaic", FILE)


def must_be_home(facts: HostFacts, manager: ManagerState, account: Callable[[int], str] | None = None) -> None:
    """Check that the user's systemd reads its units where we would write them, and that `~` means the same to both. A
    link or an extra slash does not make another folder. Raises Refused."""
    own = (account or _account)(facts.uid)
    homes = [home for home in (manager.environment.get("HOME", ""), own) if home]
    right = homes[0] if homes else facts.home
    way = f"log in as {facts.user}, or: export HOME={right} (sudo -H, su -)"
    if homes and not any(_is_same(facts.home, home) for home in homes):
        raise Refused(
            f"HOME is {facts.home} in this shell, but {facts.user}'s systemd and agents use {right}; "
            "nothing was changed",
            help=way,
        )
    if manager.unit_path and not _is_among(facts.unit_dir, manager.unit_path):
        theirs = manager.environment.get("XDG_CONFIG_HOME") or f"{right}/.config"
        if _is_same(theirs, facts.config_home):
            theirs = f"{right}/.config"
        raise Refused(
            f"{facts.user}'s systemd does not look for units in {facts.unit_dir}, which this shell's HOME and "
            "XDG_CONFIG_HOME name; nothing was changed",
            help=f"export HOME={right} XDG_CONFIG_HOME={theirs}",
        )


def _must_be_here(known: HostBinding, facts: HostFacts) -> None:
    for variable, was, now in (
        ("MOSAIC_HOME", known.mosaic_home, facts.mosaic_home),
        ("XDG_STATE_HOME", known.state_home, facts.state_home),
    ):
        if was and not _is_same(was, now):
            raise Refused(
                f"{variable} is {now} in this shell, but this host's fleet was set up with {was}; nothing was changed",
                help=f"export {variable}={was}; if it was moved on purpose: {REBIND}",
            )


def _must_be_it(known: HostBinding, name: str, facts: HostFacts) -> None:
    if known.host and not same_host(known.host, name):
        raise Refused(
            f'this host was "{known.host}" so far and is now called "{name}": as {name} it would end the agents of '
            f"{known.host} here and start others; nothing was changed",
            help=f"if the name is wrong: sudo hostnamectl set-hostname {known.host}; "
            f"if it was renamed on purpose: {REBIND}",
        )
    if known.machine_id and facts.machine_id and known.machine_id != facts.machine_id:
        raise Refused(
            f'this home directory belongs to "{known.host}" on another machine (machine-id {known.machine_id[:8]}; '
            f"this one has {facts.machine_id[:8]}): its agents would run on both; nothing was changed",
            help=f"if the other one is gone, or only the machine-id is new: {REBIND}; "
            "a copy needs a name of its own first: sudo hostnamectl set-hostname NAME",
        )


def _is_among(one: str, others: Sequence[str]) -> bool:
    """Raises Refused if that cannot be determined."""
    if one in others:
        return True
    silent: Refused | None = None
    for other in others:
        try:
            if _is_same(one, other):
                return True
        except Refused as error:
            silent = error
    if silent is not None:
        raise silent
    return False


def _is_same(one: str, other: str) -> bool:
    """Raises Refused if that cannot be determined."""
    return one == other or _real(one) == _real(other)


def _real(path: str) -> str:
    from providers.filesystem.mounts import Mounts

    if Mounts().far(path) is None:
        return os.path.realpath(path)
    from providers.filesystem.bounded_look import ask_one

    try:
        return ask_one(path, lambda: os.path.realpath(path))
    except OSError as error:
        raise Refused(f"could not find out where {path} leads ({error.strerror}): nothing was done") from error


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_dir
    except KeyError:
        return ""
