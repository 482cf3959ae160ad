"""The scenarios on the simulated host. `test_simulator_against_real.py` holds them against a real one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from providers.host import HostFacts, Pane
from providers.steps import Step, StepResult
from specs.compiled import Fleet
from tests.laws.picture import Picture, confining, installation, picture
from tests.laws.scenario_bench import fleet_on
from tests.laws.scenarios import SCENARIOS, Scenario
from tests.strategies import SOCKET
from tests.world import World


class WorldBench:
    """Runs a scenario on a `World`."""

    def __init__(self) -> None:
        self.world = World()
        self.facts: HostFacts = self.world.facts
        self.pictures: dict[str, Picture] = {}
        self.results: list[bool] = []

    def steps(self, *steps: Step) -> Sequence[StepResult]:
        found: list[StepResult] = []
        for step in steps:
            self.world.begin([("one", step)])
            found.extend(result for _, result in self.world.completed(60.0))
        self.results.extend(result.ok for result in found)
        return found

    def install(self, fleet: Fleet) -> None:
        self.steps(*installation(fleet, self.facts))

    def confine(self, agent: str) -> None:
        self.steps(confining(self.world.look(), agent))

    def disturb(self, event: str, *args: str) -> None:
        getattr(self.world, event)(*args)

    def seen(self, session: str) -> Pane | None:
        panes = self.world.look().tmux(SOCKET).panes
        return next((pane for pane in panes if pane.session == session), None)

    def show(self, point: str) -> None:
        self.pictures[point] = picture(self.world.look(), self.facts, fleet_on(self.facts))


def on_a_world(scenario: Scenario) -> WorldBench:
    """The bench after the scenario; its last picture is called "end"."""
    bench = WorldBench()
    scenario.act(bench)
    bench.show("end")
    return bench


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_ends_as_it_should(scenario: Scenario) -> None:
    end = on_a_world(scenario).pictures["end"]
    assert {name: end[name] for name in scenario.expected} == scenario.expected
