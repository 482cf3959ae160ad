"""What is done to the files that a launch adds, and to the responder."""

from __future__ import annotations

from dataclasses import replace

from providers.base import Kind
from providers.host import HostFacts
from providers.kinds.extras import MANIFEST
from providers.kinds.registry import registry
from providers.steps import DaemonReload, DeleteFile
from specs.compiled import Fleet
from tests.laws.scenario_bench import CODER, Bench, enable, fleet_on, start, stop
from tests.world_model import HOLDER_UNIT, RESPONDER_UNIT


def silent_fleet(facts: HostFacts) -> Fleet:
    """The fleet, with one agent whose program writes no heartbeat."""
    fleet = fleet_on(facts)
    silent = {"runtime": "sleeper", "argv": ("sleep", "infinity"), "process_names": ("sleep",)}
    agents = (
        replace(agent, native_heartbeat=False, **silent) if agent.name == "coder" else agent  # type: ignore[arg-type]
        for agent in fleet.agents
    )
    return replace(fleet, agents=tuple(agents))


def _up(bench: Bench) -> None:
    bench.install(silent_fleet(bench.facts))
    bench.steps(DaemonReload(), enable(HOLDER_UNIT), start(HOLDER_UNIT), start(CODER))


def responder_answers_for_a_silent_agent(bench: Bench) -> None:
    _up(bench)
    bench.show("nobody answers")
    bench.steps(enable(RESPONDER_UNIT), start(RESPONDER_UNIT))


def responder_stopped(bench: Bench) -> None:
    _up(bench)
    bench.steps(enable(RESPONDER_UNIT), start(RESPONDER_UNIT))
    bench.show("answered")
    bench.steps(enable(RESPONDER_UNIT, on=False), stop(RESPONDER_UNIT))


def responder_before_its_agent(bench: Bench) -> None:
    bench.install(silent_fleet(bench.facts))
    bench.steps(DaemonReload(), enable(HOLDER_UNIT), start(HOLDER_UNIT), start(RESPONDER_UNIT))
    bench.show("nobody to answer for")
    bench.steps(start(CODER))


def added_files_removed(bench: Bench) -> None:
    """A folder goes with its last file, and stays while something else is in it."""
    bench.install(fleet_on(bench.facts))
    for resource in registry()[Kind.EXTRAS].desired(fleet_on(bench.facts), bench.facts):
        folder = f"{bench.facts.agents_dir}/{resource.key.name}.d"
        names = sorted(resource.fields.keys() - {MANIFEST})
        if resource.key.name == "coder":
            bench.steps(DeleteFile(path=f"{folder}/{MANIFEST}", folder=True))
        else:
            bench.steps(*(DeleteFile(path=f"{folder}/{name}") for name in names))
            bench.steps(DeleteFile(path=f"{folder}/{MANIFEST}", folder=True))
