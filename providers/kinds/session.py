"""The agent's session: its tmux session, the pane in it, and the process in the pane, joined into one record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from providers.base import Action, Health, Kind, ObserveError, Present, Resource, ResourceKey, Verb, unclear
from providers.evidence import NO_SESSION, SessionEvidence
from providers.fields import ALIVE, LAUNCH, LIMITS, PROGRAM, SCOPE, SOCKET
from providers.kinds.env import of_another_fleet
from providers.kinds.readings import with_readings
from providers.launch import placement
from providers.launch.agent_pane import answers, end_pane, named_as
from providers.launch.environment import launch_digest, limits_of
from providers.material import SessionMaterial
from providers.names import agent_of_scope
from providers.programs.identity import Identity, ProcessTree
from specs.dataclass import replace

if TYPE_CHECKING:
    from providers.base import Json
    from providers.evidence import Kept
    from providers.host import HostFacts, Look, Pane, TmuxServer
    from providers.steps import Step
    from specs.compiled import Agent, Fleet


class SessionProvider:
    """Key: the agent's name, and `name@socket` for a second session of the same agent on another tmux server.

    `owned_on`: the agents of the inventory, each with its tmux server at the time. `measure`: the evidence also says
    what each session uses of the machine; only a list for people needs that.
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
                fields=_fields(
                    alive=True,
                    program=agent.runtime,
                    launch=launch_digest(agent),
                    socket=agent.socket,
                    scope=placement.OWN,
                    limits=limits_of(agent.limits),
                ),
                material=SessionMaterial(agent=agent),
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
        seen: dict[str, list[_Record]] = {}
        found: dict[ResourceKey, Present] = {}
        servers, unseen = self._servers(look, fleet)
        for socket, server in servers.items():
            for pane in server.panes:
                if pane.vacant or (pane.session == fleet.holder_session and not pane.mark):
                    continue
                name = pane.mark or (by_session[pane.session].name if pane.session in by_session else "")
                # Not declared: shown as an orphan, by its session's name.
                for one in filter(None, (name or pane.session, named_as(pane, socket, server, by_session))):
                    try:
                        own = scopes.get(one, ())
                        record = _record(one, agents.get(one), pane, socket, trees, look, own)
                    except ObserveError as error:
                        unseen.setdefault(one, str(error))
                        continue
                    ours = pane.mark == one and pane.fleet == fleet.name and not pane.moved
                    seen.setdefault(one, []).append(_Record(ours, record))
        for name, records in seen.items():
            if name in unseen:
                continue  # the part that could be seen may not be the part that counts
            records.sort(key=lambda one: _rank(one, agents.get(name)), reverse=True)
            first, key = records[0], ResourceKey(self.kind, name)
            taken = first.ours and any(not one.ours and one.seen.socket == home.get(name) for one in records[1:])
            found[key] = _present(key, name, first.ours, replace(first.seen, taken=True) if taken else first.seen)
            for second in records[1:]:
                if second.seen.strange:
                    continue  # it carries the mark, and runs something that we did not start
                key = ResourceKey(self.kind, f"{name}@{second.seen.socket}")
                try:
                    evidence = replace(second.seen, scopes=_own_scope(second.seen, look), scope=None)
                except ObserveError as error:
                    found[key] = unclear(key, name, str(error))
                    continue
                found.setdefault(key, _present(key, name, second.ours, evidence))
        for name, units in scopes.items():
            key = ResourceKey(self.kind, name)
            if key not in found and name not in unseen:
                socket = agents[name].socket if name in agents else fleet.socket
                try:
                    ours = not of_another_fleet(name, fleet, look, facts)
                    found[key] = _present(key, name, ours, _only_scopes(units, socket, hidden=_hidden(units, look)))
                except ObserveError as error:
                    unseen[name] = str(error)
        found = with_readings(found, agents, look)
        if self._measure:
            found = _measured(found, look)
        keys = {name: ResourceKey(self.kind, name) for name in unseen}
        return found | {key: unclear(key, name, unseen[name]) for name, key in keys.items()}

    def _servers(self, look: Look, fleet: Fleet) -> tuple[dict[str, TmuxServer], dict[str, str]]:
        """Every tmux server that may hold sessions of ours, by socket; and the agents on servers that could not be
        observed, each with the reason. Raises ObserveError if all of them failed."""
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

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        """For a living pane that is in the wrong place, and for a session that no longer has a unit of its own: all
        other actions go through the unit."""
        from providers.steps import UnitJob

        _ = facts
        seen = SessionEvidence.of(action.present) or NO_SESSION
        wanted = SessionMaterial.of(action.desired)
        if action.verb is Verb.CONFINE and action.present is not None and wanted is not None:
            return (placement.confine(str(action.present.agent), seen, limits_of(wanted.agent.limits)),)
        steps: list[Step] = []
        steps.extend(end_pane(str(action.agent), seen))
        steps.extend(UnitJob(verb="stop", unit=scope) for scope in seen.scopes)
        return tuple(steps)

    def health(self, seen: Present) -> Health:
        session = SessionEvidence.of(seen) or NO_SESSION
        if not session.alive:
            return Health.UNHEALTHY
        return Health.SETTLING if session.launching else Health.HEALTHY


class _Record(NamedTuple):
    """A pane of an agent, or one that has its session's name."""

    ours: bool
    seen: SessionEvidence


def _record(
    name: str, agent: Agent | None, pane: Pane, socket: str, trees: _Trees, look: Look, scopes: tuple[str, ...]
) -> SessionEvidence:
    """Raises ObserveError."""
    names = agent.process_names if agent is not None else ()
    identity = trees.identify(pane, names)
    right = identity.matches or answers(name, identity, pane, look)
    # It was started for an earlier declaration, which may have been of another program.
    older = agent is not None and right and pane.launch != launch_digest(agent)
    place = placement.placed(agent, pane, look, launching=identity.launching)
    return SessionEvidence(
        pane=pane,
        alive=not pane.dead,
        program=agent.runtime if agent is not None and right else identity.program,
        socket=socket,
        scope=place.scope,
        limits=place.limits,
        unkept=place.unkept,
        start_ticks=trees.start_ticks(pane.pid),
        pids=identity.pids,
        launching=identity.launching,
        another=older and not trees.named(pane.pid, names),
        started=identity.started or pane.created,
        idle_s=max(0.0, look.now() - pane.activity) if pane.activity else None,
        scopes=scopes,
        leftover=_leftover(pane, scopes, look),
    )


def _present(key: ResourceKey, agent: str, ours: bool, seen: SessionEvidence) -> Present:
    fields = _fields(
        alive=seen.alive,
        program=seen.program,
        launch=seen.pane.launch,
        socket=seen.socket,
        scope=seen.scope,
        limits=seen.limits,
    )
    return Present(key=key, agent=agent, ours=ours, fields=fields, evidence=seen)


def _fields(
    *, alive: bool, program: str, launch: str, socket: str, scope: str | None, limits: Mapping[str, Kept]
) -> dict[str, Json]:
    """What is compared; its placement only for an agent that should run."""
    found: dict[str, Json] = {
        ALIVE: alive,
        PROGRAM: program,
        LAUNCH: launch,
        SOCKET: socket,
    }
    return found if scope is None else {**found, SCOPE: scope, LIMITS: limits}


class _Trees:
    """The processes below panes; read at the first living pane. A dead pane has none."""

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
        """Whether a program with one of these names runs below; a tree that was not read has none."""
        return self._tree is not None and self._tree.named(pid, names)

    def start_ticks(self, pid: int) -> int:
        """0 for a process that does not exist."""
        return self._tree.start_ticks(pid) if self._tree is not None else 0


def _measured(found: dict[ResourceKey, Present], look: Look) -> dict[ResourceKey, Present]:
    """With the usage of each session, where it could be measured."""
    living = {key: one for key, seen in found.items() if (one := SessionEvidence.of(seen)) is not None and one.alive}
    try:
        usage = look.usage({key.name: one.pids for key, one in living.items()})
    except ObserveError:
        return found
    measured = {key: replace(one, usage=usage[key.name]) for key, one in living.items() if key.name in usage}
    return found | {key: replace(found[key], evidence=one) for key, one in measured.items()}


def _scopes(look: Look) -> dict[str, tuple[str, ...]]:
    """Live scopes of panes by agent: a scope outlives its pane if a program left a child behind."""
    found: dict[str, list[str]] = {}
    for unit, state in look.units().items():
        agent = agent_of_scope(unit)
        if agent is not None and state.active in ("active", "deactivating", "activating"):
            found.setdefault(agent, []).append(unit)
    return {agent: tuple(sorted(units)) for agent, units in found.items()}


def _leftover(pane: Pane, scopes: tuple[str, ...], look: Look) -> tuple[str, ...]:
    """Scopes that hold only the agent's leftover processes. One scope and a living pane need no check, so the usual
    case reads nothing."""
    if pane.dead or not scopes:
        return scopes
    if len(scopes) == 1:
        return ()
    own = look.unit_of(pane.pid)
    return tuple(scope for scope in scopes if scope != own)


def _own_scope(second: SessionEvidence, look: Look) -> tuple[str, ...]:
    """The scope that the pane of a second session lives in: the others may be the agent's own."""
    own = look.unit_of(second.pane.pid) if second.alive else ""
    return tuple(scope for scope in second.scopes if scope == own)


def _hidden(units: tuple[str, ...], look: Look) -> bool:
    """Whether a pane lives in one of these scopes, in a tmux server that cannot be reached: its socket was lost, and
    another server took its place. A child of a tmux server is a pane; a program's leftover process is not its child."""
    processes = look.processes()
    servers = {process.pid for process in processes.values() if process.comm.startswith("tmux: server")}
    return any(process.ppid in servers and look.unit_of(process.pid) in units for process in processes.values())


def _only_scopes(units: tuple[str, ...], socket: str, *, hidden: bool) -> SessionEvidence:
    return SessionEvidence(socket=socket, scopes=units, leftover=() if hidden else units, hidden=hidden)


def _rank(one: _Record, agent: Agent | None) -> tuple[bool, bool, bool, bool, bool]:
    """Ranks several panes: the highest is the agent, the others are second ones. A pane that somebody moved elsewhere
    is the conversation and comes first; then a pane with the mark, then one on the declared server, then a living one,
    then one under the right name."""
    seen = one.seen
    at_home = agent is None or seen.socket == agent.socket
    named = agent is not None and seen.pane.session == agent.session
    return seen.pane.moved, one.ours, at_home, seen.alive, named
