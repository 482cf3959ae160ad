"""The agent's session: its tmux session, the pane in it, and the process in the pane, joined into one record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from providers import placement
from providers.agent_pane import answers, end_pane, named_as, others
from providers.base import Action, Health, Kind, ObserveError, Present, Resource, ResourceKey, Verb, unclear
from providers.env import of_another_fleet
from providers.identity import Identity, ProcessTree
from providers.launch import launch_digest, launch_fields, limits_of
from providers.names import agent_of_scope
from providers.readings import with_readings

if TYPE_CHECKING:
    from providers.host import HostFacts, Look, Pane, TmuxServer
    from providers.steps import Step
    from specs.compiled import Agent, Fleet


class SessionProvider:
    """Key: the agent's name, and `name@socket` for a second session of the same agent on another tmux server.

    `owned_on`: the agents of the inventory, each with the tmux server that it was put on. `measure`: what each session
    uses of the machine is evidence, too (`usage`); only a list for people asks for that.
    """

    kind = Kind.SESSION

    def __init__(self, owned_on: Iterable[tuple[str, str]] = (), *, measure: bool = False) -> None:
        self._owned = dict(owned_on)
        self._measure = measure

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
                    "scope": placement.OWN,
                    "limits": limits_of(agent.limits),
                },
                data={"launch": launch_fields(agent)},
            )
            for agent in fleet.agents
            if agent.state == "running" and agent.held is None
        )

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        agents = {agent.name: agent for agent in fleet.agents}
        by_session = {agent.session: agent for agent in fleet.agents}
        home = {agent.name: agent.socket for agent in fleet.agents}
        scopes = _scopes(look)
        trees = _Trees(look)
        seen: dict[str, list[Present]] = {}
        found: dict[ResourceKey, Present] = {}
        servers, unseen = self._servers(look, fleet)
        for socket, server in servers.items():
            for pane in server.panes:
                if pane.vacant or (pane.session == fleet.holder_session and not pane.mark):
                    continue
                name = pane.mark or (by_session[pane.session].name if pane.session in by_session else "")
                # Nobody declared it: shown as an orphan, by its session's name.
                for one in filter(None, (name or pane.session, named_as(pane, socket, server, by_session))):
                    try:
                        own = scopes.get(one, ())
                        present = self._record(one, agents.get(one), pane, socket, trees, look, fleet, own)
                    except ObserveError as error:
                        unseen.setdefault(one, str(error))
                        continue
                    seen.setdefault(one, []).append(present)
        for name, records in seen.items():
            if name in unseen:
                continue  # what of it could be seen may not be what counts
            records.sort(key=lambda present: _rank(present, agents.get(name)), reverse=True)
            first = records[0]
            taken = first.ours and any(not one.ours and one.fields["socket"] == home.get(name) for one in records[1:])
            found[first.key] = replace(first, evidence={**first.evidence, "taken": True}) if taken else first
            for second in records[1:]:
                if second.evidence["strange"]:
                    continue  # it carries the mark, and we did not start what is in it
                key = ResourceKey(self.kind, f"{name}@{second.fields['socket']}")
                try:
                    evidence = {**second.evidence, "scopes": _own_scope(second, look)}
                except ObserveError as error:
                    found[key] = unclear(key, name, str(error))
                    continue
                fields = {name: value for name, value in second.fields.items() if name not in placement.FIELDS}
                found.setdefault(key, replace(second, key=key, fields=fields, evidence=evidence))
        for name, units in scopes.items():
            key = ResourceKey(self.kind, name)
            if key not in found and name not in unseen:
                socket = agents[name].socket if name in agents else fleet.socket
                try:
                    ours = not of_another_fleet(name, fleet, look, facts)
                    found[key] = _only_scopes(key, units, socket, ours=ours, hidden=_hidden(units, look))
                except ObserveError as error:
                    unseen[name] = str(error)
        found = with_readings(found, agents, look)
        if self._measure:
            found = _measured(found, look)
        keys = {name: ResourceKey(self.kind, name) for name in unseen}
        return found | {key: unclear(key, name, unseen[name]) for name, key in keys.items()}

    def _servers(self, look: Look, fleet: Fleet) -> tuple[dict[str, TmuxServer], dict[str, str]]:
        """Every tmux server that may hold sessions of ours, by socket; and the agents on those that could not be seen,
        each with the reason. Raises ObserveError if none could be."""
        declared = {agent.name: agent.socket for agent in fleet.agents}
        servers: dict[str, TmuxServer] = {}
        lost: dict[str, str] = {}
        for socket in sorted({fleet.socket, *declared.values(), *self._owned.values()}):
            try:
                server = look.tmux(socket)
            except ObserveError as error:
                lost[socket] = str(error)
                continue
            if server.state == "lost":
                lost[socket] = "a tmux server lives whose socket file is gone, so its sessions cannot be seen"
            else:
                servers[socket] = server
        if lost and not servers:
            raise ObserveError("; ".join(dict.fromkeys(lost.values())))
        homes = ((name, socket) for of in (self._owned, declared) for name, socket in of.items())
        return servers, {name: lost[socket] for name, socket in homes if socket in lost}

    def _record(
        self,
        name: str,
        agent: Agent | None,
        pane: Pane,
        socket: str,
        trees: _Trees,
        look: Look,
        fleet: Fleet,
        scopes: tuple[str, ...],
    ) -> Present:
        names = agent.process_names if agent is not None else ()
        identity = trees.identify(pane, names)
        right = identity.matches or answers(name, identity, pane, look)
        program = agent.runtime if agent is not None and right else identity.program
        # It was started for an earlier declaration, which may have been of another program.
        older = agent is not None and right and pane.launch != launch_digest(agent)
        key = ResourceKey(self.kind, name)
        place, unkept = placement.placed(agent, pane, look, launching=identity.launching)
        return Present(
            key=key,
            agent=name,
            ours=pane.mark == name and pane.fleet == fleet.name and not pane.moved,
            fields={
                "alive": not pane.dead,
                "program": program,
                "launch": pane.launch,
                "socket": socket,
                **place,
            },
            evidence={
                "unkept": unkept,
                "start_ticks": trees.start_ticks(pane.pid),
                "session": pane.session,
                "mark": pane.mark,
                "fleet": pane.fleet,
                "mission": pane.mission,
                "socket": socket,
                "pane": pane.id,
                "dead_pane": pane.dead,
                "dead_status": pane.dead_status,
                "pid": pane.pid,
                "pids": identity.pids,
                "launching": identity.launching,
                "another": older and not trees.named(pane.pid, names),
                "started": identity.started or pane.created,
                "created": max(pane.created, identity.started),  # of the pane's life: its session may be older
                "last_activity": max(pane.activity, pane.created),
                "idle_s": max(0.0, look.now() - pane.activity) if pane.activity else None,
                "attached": pane.attached,
                "in_mode": pane.in_mode,
                "title": pane.title,
                "command": pane.command,
                "panes": pane.panes,
                "others": others(pane),
                "moved": pane.moved,
                "strange": bool(pane.life) and not pane.life.startswith(f"{pane.pid}."),
                "scopes": scopes,
                "leftover": _leftover(pane, scopes, look),
            },
        )

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        """For a living pane that is not in its place, and for a session that has no unit of its own any more:
        everything else goes through the unit."""
        from providers.steps import UnitJob

        _ = facts
        if action.verb is Verb.CONFINE and action.present is not None and action.desired is not None:
            return (placement.confine(action.present, action.desired.fields["limits"]),)
        seen = action.present.evidence if action.present is not None else {}
        steps: list[Step] = []
        steps.extend(end_pane(str(action.agent), seen))
        steps.extend(UnitJob(verb="stop", unit=str(scope)) for scope in seen.get("scopes", ()))
        return tuple(steps)

    def health(self, seen: Present) -> Health:
        if not seen.fields["alive"]:
            return Health.UNHEALTHY
        return Health.SETTLING if seen.evidence.get("launching") else Health.HEALTHY


class _Trees:
    """The processes below panes; read when the first living one is looked at. Of a dead one there are none."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._tree: ProcessTree | None = None

    def identify(self, pane: Pane, names: Collection[str]) -> Identity:
        """Raises ObserveError."""
        if pane.dead:
            return Identity(matches=False, program="", launching=False, pids=(), started=0.0)
        self._tree = self._tree or ProcessTree(self._look)
        return self._tree.identify(pane, names)

    def named(self, pid: int, names: Collection[str]) -> bool:
        """Whether a program of these names runs below; what could not be seen does not."""
        return self._tree is not None and self._tree.named(pid, names)

    def start_ticks(self, pid: int) -> int:
        """0 for a process that is not there."""
        return self._tree.start_ticks(pid) if self._tree is not None else 0


def _measured(found: dict[ResourceKey, Present], look: Look) -> dict[ResourceKey, Present]:
    """With what each uses; where nothing tells, without."""
    panes = {key.name: seen.evidence["pids"] for key, seen in found.items() if seen.fields["alive"]}
    try:
        usage = look.usage(panes)
    except ObserveError:
        return found
    return {
        key: replace(seen, evidence={**seen.evidence, "usage": usage[key.name]}) if key.name in usage else seen
        for key, seen in found.items()
    }


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


def _own_scope(second: Present, look: Look) -> tuple[str, ...]:
    """The scope that the pane of a second session lives in: the others may be the agent's own."""
    own = look.unit_of(int(second.evidence["pid"])) if second.fields["alive"] else ""
    return tuple(scope for scope in second.evidence["scopes"] if scope == own)


def _hidden(units: tuple[str, ...], look: Look) -> bool:
    """Whether a pane lives in one of these scopes, in a tmux server that nobody can ask: its socket was lost, and
    another server took its place. What a tmux server started is a pane; what a program left behind is not its child."""
    processes = look.processes()
    servers = {process.pid for process in processes.values() if process.comm.startswith("tmux: server")}
    return any(process.ppid in servers and look.unit_of(process.pid) in units for process in processes.values())


def _only_scopes(key: ResourceKey, units: tuple[str, ...], socket: str, *, ours: bool, hidden: bool) -> Present:
    return Present(
        key=key,
        agent=key.name,
        ours=ours,
        fields={"alive": False, "program": "", "launch": "", "socket": socket},
        evidence={
            "session": "",
            "socket": socket,
            "dead_pane": False,
            "pid": 0,
            "pids": (),
            "scopes": units,
            "leftover": () if hidden else units,
            "hidden": hidden,
        },
    )


def _rank(present: Present, agent: Agent | None) -> tuple[bool, bool, bool, bool, bool]:
    """Which of several panes is the agent; the others are second ones. A pane that somebody took elsewhere is the
    conversation; then counts what carries the mark, before whatever else has its session's name on the declared server;
    there what lives, under the right name."""
    at_home = agent is None or present.fields["socket"] == agent.socket
    named = agent is not None and present.evidence["session"] == agent.session
    return bool(present.evidence["moved"]), present.ours, at_home, bool(present.fields["alive"]), named
