"""The observer: look at the host once through every provider. A failure makes things unknown, with the reason: one
thing if only that thing failed, a whole kind only if its source is lost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from providers.base import Kind, ObserveError, Present, ResourceKey, rest_of
from providers.base import unclear as unclear_thing
from providers.evidence import SessionEvidence
from providers.kinds.overrides import Override, overrides, reload_shut
from providers.kinds.overrides import unknown as unknown_units
from providers.launch.environment import holder_sockets
from providers.names import HOLDER_UNIT, RESPONDER_UNIT, UNIT_SUFFIXES, agent_unit
from reconciler.helpers.late_text import LateText
from reconciler.model import Observation

if TYPE_CHECKING:
    from providers.host import Host, Look, UnitFile
    from providers.kinds.registry import Registry
    from specs.compiled import Fleet


UNIT_FILES = "unit files"  # all files that define our units, as one thing that could not be seen


def observe(host: Host, fleet: Fleet, registry: Registry) -> Observation:
    """Never raises ObserveError. Nothing is concluded about a thing that could not be seen: it is in `unclear`, or its
    kind is in `unknown`."""
    look = host.look(holder_sockets(fleet))
    present: dict[ResourceKey, Present] = {}
    unclear: dict[ResourceKey, Present] = {}
    unknown: dict[Kind, str] = {}
    for kind, provider in registry.items():
        try:
            seen = provider.observe(look, fleet, host.facts)
        except ObserveError as error:
            unknown[kind] = str(error)
            continue
        present.update(seen)
        for key in [key for key, one in seen.items() if one.unclear]:
            one = present.pop(key)
            if key == rest_of(kind):
                unknown[kind] = one.unclear
            else:
                unclear[key] = one
    units = _units(look, fleet)
    if units.unseen:
        key = ResourceKey(Kind.FRAMEWORK, UNIT_FILES)
        unclear[key] = unclear_thing(key, None, units.unseen)
    try:
        boot_id = look.boot_id()
    except ObserveError:
        boot_id = ""
    return Observation(
        present=present,
        unknown=unknown,
        unclear=unclear,
        taken_at=look.now(),
        uptime=look.uptime(),
        boot_id=boot_id,
        overrides=units.overrides,
        unit_files=units.digest,
        reload_due=units.stale,
        reload_shut=units.shut,
        digest=LateText(lambda: _digest(present, unclear, unknown)),
    )


def reload_needed(host: Host, fleet: Fleet, before: str, now: str) -> bool | None:
    """Whether systemd has yet to read the files that define our units. Asked once these files have changed, since
    whoever changed them may have reloaded already. `before`, `now`: their digests. None: systemd does not answer, so
    the question stays open.

    systemd 252 does not report a new drop-in, and one extra reload does no harm.
    """
    if before.partition(":")[0] != now.partition(":")[0]:
        return True
    look = host.look()
    names = {agent_unit(agent.name) for agent in fleet.agents if agent.state == "running"}
    names |= {HOLDER_UNIT, RESPONDER_UNIT}
    try:
        names |= {one for one in look.units() if one.endswith(UNIT_SUFFIXES)}
        return look.behind(sorted(names))
    except ObserveError:
        return None


class _Units(NamedTuple):
    """See `Observation`. `unseen`: why part of it could not be seen."""

    overrides: dict[str, Override]
    digest: str = ""
    stale: bool = False
    shut: Override | None = None
    unseen: str = ""


def _units(look: Look, fleet: Fleet) -> _Units:
    """The definitions that systemd would use for our units, and whether it has read them. If they could not be seen,
    nothing is started: a start might run something else."""
    running = [agent.name for agent in fleet.agents if agent.state == "running"]
    try:
        found, files, stale = overrides(look, running), look.unit_files(), look.manager().stale
    except ObserveError as error:
        return _Units(unknown_units(running, str(error)), unseen=str(error))
    shut = reload_shut(files)
    if any(one.unseen for one in files):
        unseen = next((f"{one.path}: {one.unseen}" for one in files if one.unseen and not one.unit), "")
        return _Units(found, stale=stale, shut=shut, unseen=unseen)
    added = [one for one in files if one.drop_in or not one.own_folder]
    own = [one for one in files if one.own_folder and not one.drop_in]
    return _Units(found, f"{_stamp(added)}:{_stamp(own)}", stale, shut)


def _stamp(files: Iterable[UnitFile]) -> str:
    return hashlib.sha256(repr(sorted((one.path, one.stamp) for one in files)).encode()).hexdigest()[:16]


def _digest(present: dict[ResourceKey, Present], unclear: dict[ResourceKey, Present], unknown: dict[Kind, str]) -> str:
    """Digest of what is compared, without ages and activity, which change with every look. It includes each pane's
    process: a session that was restarted since is another one."""
    rows = []
    for key in sorted(key for key in present if key.kind is not Kind.HEARTBEAT):
        seen = present[key]
        session = SessionEvidence.of(seen) if key.kind is Kind.SESSION else None
        pid = session.pane.pid if session is not None else ""
        rows.append((f"{key.kind} {key.name}", seen.ours, sorted(seen.fields.items()), pid))
    all_of_it = repr((rows, sorted(unknown), sorted(map(str, unclear))))
    return "sha256:" + hashlib.sha256(all_of_it.encode()).hexdigest()
