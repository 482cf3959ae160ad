"""The kill switch and suspensions: who stopped what, with a reason and an end."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from providers.filesystem import files
from providers.host import HostFacts
from reconciler.errors import MosaicError, NotFound
from reconciler.helpers.atomic_files import write_atomic
from reconciler.helpers.redact import one_line
from reconciler.helpers.times import parse_rfc3339, rfc3339
from reconciler.state.store import Store, write_failure
from reconciler.status.values import Pause
from specs.compiled import Suspension

EVERYTHING = "*"
_LONGEST = 500  # characters of a reason


def pause_path(facts: HostFacts) -> Path:
    """The kill switch: while anything of this name exists, whatever its content, no action is taken."""
    return Path(facts.run_dir, "PAUSED")


def read_pause(facts: HostFacts) -> Pause | None:
    """Who set the kill switch, why and when; None if nobody did. An unreadable file pauses too."""
    path = pause_path(facts)
    if not os.path.lexists(path):
        return None
    try:
        text = files.read_switch(str(path)).decode("utf-8", "replace")
    except OSError as error:
        return Pause(reason=f"{path} is there, but cannot be read: {error.strerror or error}")
    lines = [one_line(line, _LONGEST) for line in text.splitlines()]
    words = dict(line.partition("=")[::2] for line in lines[1:] if "=" in line)
    return Pause(reason=lines[0] if lines else "", by=words.get("by", ""), since=_moment(words.get("since", "")))


def pause(facts: HostFacts, *, reason: str, by: str, now: float) -> Pause:
    """Set the kill switch. If the fleet is paused already, the time stays, and the reason and name are replaced.

    Raises MosaicError if the file cannot be written: then nothing is paused.
    """
    before = read_pause(facts)
    made = Pause(
        reason=one_line(reason, _LONGEST), by=one_line(by, 100), since=before.since if before and before.since else now
    )
    path = pause_path(facts)
    try:
        write_atomic(path, f"{made.reason}\nby={made.by}\nsince={rfc3339(made.since)}\n")
    except OSError as error:
        raise write_failure(path, error) from error
    return made


def resume(facts: HostFacts) -> Pause | None:
    """Clear the kill switch; return its content, or None if it was not set."""
    before = read_pause(facts)
    if before is None:
        return None
    path = pause_path(facts)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise MosaicError(f"cannot remove {path}: {error.strerror or error}", help="remove it by hand") from error
    return before


def suspend(store: Store, agent: str, *, reason: str, by: str, until: float | None, now: float) -> Suspension:
    """Suspend an agent (or EVERYTHING) on this host, replacing an earlier suspension. Raises StateError."""
    made = Suspension(reason=one_line(reason, _LONGEST), by=one_line(by, 100), until=until)
    store.save_suspensions({**current(store.load_suspensions(), now), agent: made})
    return made


def unsuspend(store: Store, agent: str | None, *, now: float) -> dict[str, Suspension]:
    """Lift one suspension of this host, or all of them (None). Returns what was lifted. Raises NotFound, StateError."""
    known = current(store.load_suspensions(), now)
    lifted = dict(known) if agent is None else {name: one for name, one in known.items() if name == agent}
    if agent is not None and not lifted:
        whole = "; the whole fleet is, which `mosaic fleet unsuspend --all` lifts" if EVERYTHING in known else ""
        raise NotFound(
            f'"{agent}" is not suspended on this host{whole}',
            help="a suspension that is written in fleet.yaml is lifted by a commit",
        )
    store.save_suspensions({name: one for name, one in known.items() if name not in lifted})
    return lifted


def current(suspended: Mapping[str, Suspension], now: float) -> dict[str, Suspension]:
    """The suspensions that have not expired."""
    return {name: one for name, one in suspended.items() if one.until is None or one.until > now}


def merge(declared: Mapping[str, Suspension], local: Mapping[str, Suspension], now: float) -> dict[str, Suspension]:
    """The suspensions of the fleet's YAML and of this host; of two for the same agent, the one that lasts longer."""
    merged = current(declared, now)
    for name, one in current(local, now).items():
        other = merged.get(name)
        if other is None or (other.until is not None and (one.until is None or one.until > other.until)):
            merged[name] = one
    return dict(sorted(merged.items()))


def _moment(text: str) -> float:
    try:
        return parse_rfc3339(text)
    except ValueError:
        return 0.0
