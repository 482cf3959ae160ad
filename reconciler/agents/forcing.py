"""Force: let `--force` of `mosaic fleet stop`, `restart` and `remove` end processes on this host.

The commit is made as always, and holds everywhere; the force is a record on this host, of exactly the processes that
were seen living before the commit. `forced.py` decides what becomes of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from reconciler.observe.may_end import Who, may_end
from reconciler.plan.holding.forced import REMOVED, STOPPED, forced, restarted
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from providers.base import Json
    from reconciler.context.fleet import FleetContext
    from reconciler.model import AgentView, History

LOCK_WAIT_S = 15.0  # a run that is under way is waited for
ForcedWhat = Literal["stop", "restart", "remove"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Force:
    """`living`: the observed agents that live here; `besides`: a sentence for each of the others."""

    place: FleetContext | None
    what: ForcedWhat
    living: Mapping[str, AgentView]
    besides: tuple[str, ...]
    never: bool = False  # the rollout policy restarts nobody

    def knows(self, name: str) -> bool:
        """Whether it lives here though git no longer declares it."""
        return name in self.living and self.living[name].desired_state == "undeclared"

    def losses_text(self) -> tuple[str, ...]:
        """What will be ended, for people."""
        from reconciler.status.phrases import loss

        now = time.time()
        notes = []
        for name, view in self.living.items():
            against = self.against(view)
            notes.append(f"forced: {name}{f', though {against}' if against else ''}: it {loss(view, now)}")
        return tuple(notes)

    def against(self, view: AgentView) -> str:
        """The objection to its end now; "" if there is none."""
        if self.never and self.what == "restart":
            return "the rollout policy is never"
        return may_end(view, Who.COMMIT).why

    def document(self) -> list[Json]:
        """The entry in the change's document."""
        return [{"agent": name, "pid": view.pid, "despite": self.against(view)} for name, view in self.living.items()]


def open_force(place: FleetContext | None, what: ForcedWhat, names: Sequence[str]) -> Force:
    """Look at the agents of these names, before anything is changed. `place` None: the fleet has not run here."""
    from reconciler.agents.lookup import in_force
    from reconciler.agents.observer import AgentObserver

    if place is None or place.store.load_status() is None:
        why = "this fleet has not run on this host yet, so --force has nothing to end here"
        return Force(place=None, what=what, living={}, besides=(why,))
    fleet = in_force(place)
    views = AgentObserver(place, fleet).views()
    peers = {peer.name: peer.host for peer in fleet.peers}
    living, besides = {}, []
    for name in names:
        view = views.get(name)
        if view is not None and view.session == "alive" and view.pid:
            living[name] = view
        elif view is not None and view.session in ("unknown", "foreign"):
            why = may_end(view, Who.FORCE).why or "it could not be seen"
            besides.append(f"{name} is not forced: {why}")
        elif name in peers:
            way = f"mosaic fleet {what} {name} --force"
            besides.append(f"{name} is on {peers[name]}, and --force counts on this host only; there: {way}")
    return Force(place=place, what=what, living=living, besides=tuple(besides), never=fleet.policy.on_change == "never")


def changes(what: ForcedWhat, names: Sequence[str], roster: bytes | None) -> Mapping[str, str]:
    """By name, the change that is to end the agent, from the roster as it was written. Pure."""
    if what != "restart":
        return dict.fromkeys(names, STOPPED if what == "stop" else REMOVED)
    from specs.editing.edit import entries

    known = entries(roster) if roster is not None else {}
    return {name: restarted(int(known[name].get("generation", 0))) for name in names if name in known}


def record(force: Force, roster: bytes | None) -> None:
    """Record whose end is let through, and log it as an event. Raises Locked and StateError."""
    from reconciler.delivery.signing import who
    from reconciler.state.lock import run_lock

    place = force.place
    if place is None or not force.living:
        return
    now, by = time.time(), who(place.facts.user)
    status = place.store.load_status()
    revision = status.applied_revision if status else ""
    for_what = changes(force.what, tuple(force.living), roster)
    with run_lock(place.store, now=now, wait_s=LOCK_WAIT_S):
        history = place.store.load_history(now=now)
        place.store.save_history(_recorded(history, force, for_what, by, revision))
    for name in for_what:
        _record_event(place, force, name, by, now, revision)


def _recorded(history: History, force: Force, for_what: Mapping[str, str], by: str, revision: str) -> History:
    from reconciler.model import AgentHistory

    agents = dict(history.agents)
    for name, change in for_what.items():
        view = force.living[name]
        known = agents.get(name, AgentHistory())
        agents[name] = forced(known, pid=view.pid, started=view.started, change=change, by=by, revision=revision)
    return replace(history, agents=agents)


def _record_event(place: FleetContext, force: Force, name: str, by: str, now: float, revision: str) -> None:
    from reconciler.state.event_log import EventLog
    from reconciler.status.events import Event, EventType

    person = by == place.facts.user
    status = place.store.load_status()
    log = EventLog(
        store=place.store,
        source="operator" if person else "agent",
        fleet=place.store.state.name,
        tenant_id=place.facts.user,
        host=status.host if status else place.facts.hostname,
    )
    against = force.against(force.living[name])
    said = f"{'an operator' if person else f'agent {by}'} has forced its {_END[force.what]}"
    said += f", though {against}" if against else ""
    event = Event(type=EventType.RELEASED, message=said, agent=name, fields={"by": by, "forced": True})
    log.write([event], now=now, revision=revision)


_END: Mapping[ForcedWhat, str] = {"stop": "stop", "restart": "restart", "remove": "removal"}


def place_of(fleet: str | None, spec: str) -> FleetContext | None:
    """The state of the fleet on this host; None if it has never run here."""
    from providers.machine.facts import gather
    from reconciler.context.fleet import FleetContext
    from reconciler.context.settings import read_settings, settings_path
    from reconciler.state.store import Store

    if fleet is None:
        return None
    facts = gather(os.environ)
    settings = read_settings(settings_path(facts.config_home))
    return FleetContext(facts=facts, settings=settings, store=Store.open(facts, fleet), spec=spec)
