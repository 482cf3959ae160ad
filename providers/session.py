"""The agent's session: its tmux session, the pane in it, and the process in the pane, joined into one record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from providers.base import Action, Health, Kind, ObserveError, Present, Resource, ResourceKey
from providers.identity import ProcessTree
from providers.launch import launch_digest, launch_fields
from providers.names import agent_of_scope
from providers.steps import KillSession, Step, UnitJob

if TYPE_CHECKING:
    from providers.host import HostFacts, Look, Pane
    from specs.compiled import Agent, Fleet


class SessionProvider:
    """Key: the agent's name, and `name@socket` for a second session of the same agent on another tmux server.

    `also_sockets`: tmux servers besides the fleet's that may hold sessions of ours, from the inventory.
    """

    kind = Kind.SESSION

    def __init__(self, also_sockets: Iterable[str] = ()) -> None:
        self._also = frozenset(also_sockets)

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        _ = facts
        return tuple(
            Resource(
                key=ResourceKey(self.kind, agent.name),
                agent=agent.name,
                fields={
                    "alive": True,
                    "program": agent.runtime,
                    "launch": launch_digest(agent),
                    "socket": agent.socket,
                },
                data={"launch": launch_fields(agent)},
            )
            for agent in fleet.agents
            if agent.state == "running" and agent.held is None
        )

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        _ = facts
        agents = {agent.name: agent for agent in fleet.agents}
        by_session = {agent.session: agent for agent in fleet.agents}
        scopes = _scopes(look)
        tree: ProcessTree | None = None
        found: dict[ResourceKey, Present] = {}
        for socket in sorted({fleet.socket, *(agent.socket for agent in fleet.agents), *self._also}):
            server = look.tmux(socket)
            if server.state == "lost":
                raise ObserveError("a tmux server lives whose socket file is gone, so its sessions cannot be seen")
            for pane in server.panes:
                if pane.session == fleet.holder_session and not pane.mark:
                    continue
                name = pane.mark or (by_session[pane.session].name if pane.session in by_session else "")
                if not name:
                    name = pane.session  # nobody declared it: shown as an orphan, by its session's name
                tree = tree or ProcessTree(look)
                present = self._record(name, agents.get(name), pane, socket, tree, look, fleet, scopes.get(name, ()))
                first = found.get(present.key)
                if first is not None or (name in agents and agents[name].socket != socket and _elsewhere(found, name)):
                    key = ResourceKey(self.kind, f"{name}@{socket}")
                    present = _renamed(present, key)
                found[present.key] = present
        for name, units in scopes.items():
            key = ResourceKey(self.kind, name)
            if key not in found:
                found[key] = _only_scopes(key, units, agents[name].socket if name in agents else fleet.socket)
        return _prefer_desired(found, agents)

    def _record(
        self,
        name: str,
        agent: Agent | None,
        pane: Pane,
        socket: str,
        tree: ProcessTree,
        look: Look,
        fleet: Fleet,
        scopes: tuple[str, ...],
    ) -> Present:
        names = agent.process_names if agent is not None else ()
        identity = tree.identify(pane, names)
        program = agent.runtime if agent is not None and identity.matches else identity.program
        key = ResourceKey(self.kind, name)
        return Present(
            key=key,
            agent=name,
            ours=pane.mark == name and pane.fleet == fleet.name,
            fields={
                "alive": not pane.dead,
                "program": program,
                "launch": pane.launch,
                "socket": socket,
            },
            evidence={
                "session": pane.session,
                "mark": pane.mark,
                "fleet": pane.fleet,
                "socket": socket,
                "dead_pane": pane.dead,
                "dead_status": pane.dead_status,
                "pid": pane.pid,
                "pids": identity.pids,
                "launching": identity.launching,
                "started": identity.started or pane.created,
                "created": pane.created,
                "last_activity": max(pane.activity, pane.created),
                "idle_s": max(0.0, look.now() - pane.activity) if pane.activity else None,
                "attached": pane.attached,
                "in_mode": pane.in_mode,
                "title": pane.title,
                "command": pane.command,
                "panes": pane.panes,
                "scopes": scopes,
                "leftover": _leftover(pane, scopes, look),
            },
        )

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        """Only for a session that has no unit of its own any more: everything else goes through the unit."""
        _ = facts
        seen = action.present.evidence if action.present is not None else {}
        steps: list[Step] = []
        if seen.get("session"):
            steps.append(KillSession(socket=str(seen["socket"]), session=str(seen["session"]), agent=str(action.agent)))
        steps.extend(UnitJob(verb="stop", unit=str(scope)) for scope in seen.get("scopes", ()))
        return tuple(steps)

    def health(self, seen: Present) -> Health:
        if not seen.fields["alive"]:
            return Health.UNHEALTHY
        return Health.SETTLING if seen.evidence.get("launching") else Health.HEALTHY


def _scopes(look: Look) -> dict[str, tuple[str, ...]]:
    """Live scopes of panes by agent: a scope outlives its pane when a program left a child behind."""
    found: dict[str, list[str]] = {}
    for unit, state in look.units().items():
        agent = agent_of_scope(unit)
        if agent is not None and state.active in ("active", "deactivating", "activating"):
            found.setdefault(agent, []).append(unit)
    return {agent: tuple(sorted(units)) for agent, units in found.items()}


def _leftover(pane: Pane, scopes: tuple[str, ...], look: Look) -> tuple[str, ...]:
    """Scopes that hold something the agent left behind, and not the agent. Of one scope and a living pane it is clear
    which it is, so that nothing is read for the usual case."""
    if pane.dead or not scopes:
        return scopes
    if len(scopes) == 1:
        return ()
    own = look.unit_of(pane.pid)
    return tuple(scope for scope in scopes if scope != own)


def _only_scopes(key: ResourceKey, units: tuple[str, ...], socket: str) -> Present:
    return Present(
        key=key,
        agent=key.name,
        ours=True,
        fields={"alive": False, "program": "", "launch": "", "socket": socket},
        evidence={
            "session": "",
            "socket": socket,
            "dead_pane": False,
            "pid": 0,
            "pids": (),
            "scopes": units,
            "leftover": units,
        },
    )


def _renamed(present: Present, key: ResourceKey) -> Present:
    return Present(key=key, agent=present.agent, ours=present.ours, fields=present.fields, evidence=present.evidence)


def _elsewhere(found: Mapping[ResourceKey, Present], name: str) -> bool:
    return ResourceKey(Kind.SESSION, name) in found


def _prefer_desired(found: dict[ResourceKey, Present], agents: Mapping[str, Agent]) -> dict[ResourceKey, Present]:
    """Where an agent has two sessions, the one on its declared server is the agent; the other is a second one."""
    for key in [key for key in found if "@" in key.name]:
        name = key.name.split("@", 1)[0]
        second, first = found[key], found[ResourceKey(Kind.SESSION, name)]
        if name in agents and second.fields["socket"] == agents[name].socket:
            del found[key]
            moved = ResourceKey(Kind.SESSION, f"{name}@{first.fields['socket']}")
            found[moved] = _renamed(first, moved)
            found[ResourceKey(Kind.SESSION, name)] = _renamed(second, ResourceKey(Kind.SESSION, name))
    return found
