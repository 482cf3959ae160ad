"""The holder: the unit that owns the fleet's tmux servers, and those servers.

Its `start` program may run at any time: it starts missing servers, puts a missing holder session back, and touches no
other session. So a start or a reload fixes every fault, and a server in which an agent lives needs a restart for one
reason only: it keeps the definition (limits, options) that it was started with. That restart waits until no agent lives
in it, or until an operator lets it through.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.base import Action, Health, Kind, ObserveError, Present, Resource, ResourceKey, Verb, unclear
from providers.evidence import NO_HOLDER, HolderEvidence, ServerEvidence, UnitEvidence
from providers.fields import DEFINITION, ENABLED, HOLDER, SERVER, SERVERS, UNIT
from providers.kinds.unit import enabled_or_why
from providers.launch.environment import holder_definition, holder_sockets
from providers.names import HOLDER_UNIT

if TYPE_CHECKING:
    from providers.base import Json
    from providers.host import HostFacts, Look, Pane
    from providers.steps import Step
    from specs.compiled import Fleet

KEY = ResourceKey(Kind.HOLDER, HOLDER_UNIT)


class HolderProvider:
    """One resource, with one entry in `servers` for each tmux socket that agents of this host are on."""

    kind = Kind.HOLDER

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        _ = facts
        if not any(agent.state == "running" for agent in fleet.agents):
            return ()
        servers = {socket or "default": _right() for socket in holder_sockets(fleet)}
        wanted = HolderEvidence(unit=UnitEvidence(enabled=True, active="active"), servers=servers)
        return (Resource(key=KEY, agent=None, fields=_compared(wanted)),)

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        unit = look.units().get(HOLDER_UNIT)
        active = unit.active if unit is not None else "inactive"
        names, hidden = enabled_or_why(look)
        enabled = bool(self.desired(fleet, facts)) if hidden else HOLDER_UNIT in names
        servers: dict[str, ServerEvidence] = {}
        unseen: dict[str, str] = {}
        lost: list[tuple[int, int]] = []
        panes: list[tuple[str, Pane]] = []
        sockets = holder_sockets(fleet)
        for socket in sockets:
            try:
                server = look.tmux(socket)
            except ObserveError as error:
                unseen[socket or "default"] = str(error)
                servers[socket or "default"] = _right()  # we conclude nothing about it
                continue
            holder = next((p for p in server.panes if _is_holder(p, fleet)), None)
            servers[socket or "default"] = ServerEvidence(
                state=server.state,
                holder=holder is not None and not holder.dead,
                # Without a holder session the definition is unknown; the next session gets the right one.
                definition=holder.launch if holder is not None else holder_definition(),
            )
            if server.state == "lost":
                lost.append((server.pid, server.start_ticks))
            agents = (pane for pane in server.panes if pane.mark and not pane.moved and not pane.vacant)
            panes.extend((socket, pane) for pane in agents)
        if unseen and len(unseen) == len(sockets):
            raise ObserveError("; ".join(dict.fromkeys(unseen.values())))
        keys = {name: ResourceKey(self.kind, f"tmux server {name}") for name in unseen}
        hung = {key: unclear(key, None, unseen[name]) for name, key in keys.items()}
        if active == "inactive" and not enabled and not lost:
            return hung
        state = UnitEvidence(enabled=enabled, active=active, job=unit.job if unit is not None else "")
        evidence = HolderEvidence(unit=state, servers=servers, unseen=unseen, lost=tuple(lost), panes=tuple(panes))
        return hung | {KEY: Present(key=KEY, agent=None, ours=True, fields=_compared(evidence), evidence=evidence)}

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        from providers.steps import KillPane, RecreateSocket, SetEnabled, UnitJob

        _ = facts
        if action.verb in (Verb.ENABLE, Verb.DISABLE):
            return (SetEnabled(unit=HOLDER_UNIT, enabled=action.verb is Verb.ENABLE),)
        seen = HolderEvidence.of(action.present) or NO_HOLDER
        if action.verb is Verb.RECOVER:
            lost = tuple(RecreateSocket(pid=pid, start_ticks=ticks) for pid, ticks in seen.lost)
            return lost or (UnitJob(verb="reload", unit=HOLDER_UNIT),)
        if action.verb is Verb.RESTART:
            # Session by session and by mark: a server that also has an operator's session stays up.
            ended = tuple(
                KillPane(socket=socket, pane=pane.id, agent=pane.mark, pid=pane.pid) for socket, pane in seen.panes
            )
            return (*ended, UnitJob(verb="restart", unit=HOLDER_UNIT))
        return (UnitJob(verb="start", unit=HOLDER_UNIT),)

    def health(self, seen: Present) -> Health:
        holder = HolderEvidence.of(seen) or NO_HOLDER
        if holder.unit.active == "active" and all(server.state == "up" for server in holder.servers.values()):
            return Health.HEALTHY
        return Health.SETTLING if holder.unit.job else Health.UNHEALTHY


def _right() -> ServerEvidence:
    return ServerEvidence(state="up", holder=True, definition=holder_definition())


def _compared(holder: HolderEvidence) -> dict[str, Json]:
    servers = {
        name: {SERVER: server.state, HOLDER: server.holder, DEFINITION: server.definition}
        for name, server in holder.servers.items()
    }
    return {ENABLED: holder.unit.enabled, UNIT: holder.unit.active, SERVERS: servers}


def _is_holder(pane: Pane, fleet: Fleet) -> bool:
    """Every holder session carries its definition: one without it belongs to a person and is left alone."""
    return pane.session == fleet.holder_session and not pane.mark and bool(pane.launch)
