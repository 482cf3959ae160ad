"""The protocol that scenarios are written against, and the words they use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from providers.host import HostFacts
from providers.steps import (
    DaemonReload,
    SetEnabled,
    Step,
    StepResult,
    UnitJob,
)
from specs.compiled import Fleet
from tests.strategies import make_agent, make_fleet
from tests.world_model import HOLDER_UNIT


class Bench(Protocol):
    """A host under test. `disturb` does what the method of that name does in `World`."""

    facts: HostFacts

    def steps(self, *steps: Step) -> Sequence[StepResult]:
        """Carry out steps one after the other; their results."""
        ...

    def install(self, fleet: Fleet) -> None:
        """Write the framework files, the holder's settings and every agent's launch environment."""
        ...

    def confine(self, agent: str) -> None:
        """Put the agent's living pane into a scope of its own."""
        ...

    def disturb(self, event: str, *args: str) -> None: ...

    def show(self, point: str) -> None:
        """Take down what a look shows now, under this name."""
        ...


def agent_unit(name: str) -> str:
    return f"mosaic-agent@{name}.service"


def start(unit: str) -> UnitJob:
    return UnitJob(verb="start", unit=unit, timeout_s=20.0)


def stop(unit: str) -> UnitJob:
    return UnitJob(verb="stop", unit=unit, timeout_s=20.0)


def restart(unit: str) -> UnitJob:
    return UnitJob(verb="restart", unit=unit, timeout_s=20.0)


def reload(unit: str) -> UnitJob:
    return UnitJob(verb="reload", unit=unit, timeout_s=20.0)


def enable(unit: str, *, on: bool = True) -> SetEnabled:
    return SetEnabled(unit=unit, enabled=on)


CODER, PREFIX, DOTTED = agent_unit("coder"), agent_unit("coder0"), agent_unit("a.b")


def fleet_on(facts: HostFacts) -> Fleet:
    """Three stub agents that can really be started on a host."""
    argv = (facts.python, "-I", "-S", facts.stub_program)
    return make_fleet(
        *(replace(make_agent(name), argv=argv, working_directory="/tmp") for name in ("coder", "coder0", "a.b"))
    )


def up(bench: Bench, *units: str) -> None:
    """The fleet installed, the holder up, and these agents enabled and started."""
    bench.install(fleet_on(bench.facts))
    bench.steps(DaemonReload(), enable(HOLDER_UNIT), start(HOLDER_UNIT))
    for unit in units:
        bench.steps(enable(unit), start(unit))
    bench.show("up")
