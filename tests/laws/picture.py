"""What a look shows, without what differs from host to host (pids, times, paths): the same things look the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from providers.base import Action, Kind, Reason, Verb
from providers.host import HostFacts, Look
from providers.kinds.registry import registry
from providers.launch.environment import launch_digest
from providers.names import agent_of_scope, agent_of_unit
from providers.steps import Confine, Step
from specs.compiled import Fleet
from tests.strategies import SOCKET
from tests.world_model import HOLDER_UNIT, RESPONDER_UNIT

Picture = dict[str, Any]


def picture(look: Look, facts: HostFacts, fleet: Fleet) -> Picture:
    """Everything that a fleet could have to do with, as JSON."""
    units = {
        name: state
        for name, state in look.units().items()
        if name in (HOLDER_UNIT, RESPONDER_UNIT) or (agent_of_unit(name) and (state.active != "inactive" or state.job))
    }
    server = look.tmux(fleet.socket)
    scopes: dict[str, int] = {}
    for name, state in look.units().items():
        agent = agent_of_scope(name)
        if agent and state.active == "active":
            scopes[agent] = scopes.get(agent, 0) + 1
    launches = {agent.name: launch_digest(agent) for agent in fleet.agents}
    panes = {pane.session: pane for pane in server.panes}
    return {
        "units": {name: state.active for name, state in sorted(units.items()) if state.active != "inactive"},
        "loads": {name: state.load for name, state in sorted(units.items()) if state.load != "loaded"},
        "jobs": {name: state.job for name, state in sorted(units.items()) if state.job},
        "enabled": sorted(look.enabled()),
        "linger": look.linger(),
        "server": server.state,
        "panes": {
            name: ("dead " if pane.dead else "") + ("holder" if name == fleet.holder_session else "foreign")
            if not pane.mark
            else ("dead" if pane.dead else "alive")
            for name, pane in sorted(panes.items())
        },
        "marks": {
            name: [
                *(pane.mark, pane.fleet, pane.mission),
                "as declared" if pane.launch == launches.get(pane.mark) else pane.launch,
            ]
            for name, pane in sorted(panes.items())
            if pane.mark
        },
        "scopes": dict(sorted(scopes.items())),
        "places": {
            pane.mark: "own" if agent_of_scope(unit) == pane.mark else unit.partition("-")[0]
            for pane in panes.values()
            if pane.mark and not pane.dead and (unit := look.unit_of(pane.pid))
        },
        # Stubs answer in their own time; what is answered for others is the responder's.
        "answered": sorted(name for name, beat in look.heartbeats().items() if beat.words.get("source") == "sidecar"),
        "files": {
            f"{short}/{name}": f"{file.mode & 0o777:04o}" if not file.odd else file.odd
            for short, folder in (("agents", facts.agents_dir), ("bin", facts.bin_dir), ("units", facts.unit_dir))
            for name in look.listing(folder)
            if not name.endswith(".wants") and (file := look.file(f"{folder}/{name}")) is not None
        },
        "added": {name: list(look.listing(f"{facts.agents_dir}/{name}")) for name in look.listing(facts.agents_dir)},
    }


def confining(look: Look, agent: str) -> Confine:
    """The step that puts an agent's living pane into a scope of its own."""
    pane = next(pane for pane in look.tmux(SOCKET).panes if pane.mark == agent and not pane.dead)
    ticks = look.processes()[pane.pid].start_ticks
    unit = f"mosaic-pane-{agent}:{ticks:x}.scope"
    return Confine(agent=agent, pid=pane.pid, start_ticks=ticks, unit=unit, properties=("TasksMax=50",))


def installation(fleet: Fleet, facts: HostFacts) -> Sequence[Step]:
    """The steps that write every file of a fleet, and nothing else."""
    steps: list[Step] = []
    providers = registry()
    for kind in (Kind.FRAMEWORK, Kind.ENV, Kind.EXTRAS):
        for wanted in providers[kind].desired(fleet, facts):
            action = Action(
                id="install",
                verb=Verb.WRITE,
                key=wanted.key,
                target=wanted.key.name,
                agent=wanted.agent,
                reason=Reason.NEW,
                desired=wanted,
            )
            steps.extend(providers[kind].steps(action, facts))
    return steps
