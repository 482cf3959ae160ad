"""The protocol that scenarios are written against, and the words they use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from providers.host import HostFacts, Pane
from providers.steps import (
    CaptureDead,
    DaemonReload,
    KillPane,
    SetEnabled,
    Step,
    StepResult,
    UnitJob,
)
from specs.compiled import Fleet
from tests.strategies import SOCKET, make_agent, make_fleet
from tests.world_model import HOLDER_UNIT

NO_PANE = "%99999"


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

    def seen(self, session: str) -> Pane | None:
        """The pane that a look shows of a session."""
        ...

    def show(self, point: str) -> None:
        """Take down what a look shows now, under this name."""
        ...


def capture(bench: Bench, name: str) -> CaptureDead:
    pane = bench.seen(name)
    return CaptureDead(socket=SOCKET, pane=pane.id if pane else NO_PANE, agent=name)


def kill(bench: Bench, session: str, agent: str = "") -> KillPane:
    """Of the pane of a session that is to be this agent's: the one of the session's name, if nothing is said."""
    pane = bench.seen(session)
    return KillPane(
        socket=SOCKET, pane=pane.id if pane else NO_PANE, agent=agent or session, pid=pane.pid if pane else 0
    )


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
