"""The simulated host refuses what it was not told about, and counts what it must."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from providers.base import ObserveError
from providers.steps import SetEnabled, UnitJob, WriteFile
from tests.laws.driver import MemoryStore, converge
from tests.strategies import make_agent, make_fleet
from tests.world import SimulatedKill, World


@dataclass(frozen=True)
class Unheard:
    command: str = "rm -rf /"


def test_an_unknown_step_is_rejected() -> None:
    step: Any = Unheard()
    with pytest.raises(TypeError):
        World().begin([("one", step)])


@pytest.mark.parametrize("unit", ["sshd.service", "mosaic-agent@.service", "mosaic-agent@a b.service"])
def test_a_unit_that_no_fleet_has_is_rejected(unit: str) -> None:
    for step in (UnitJob(verb="start", unit=unit), SetEnabled(unit=unit, enabled=True)):
        with pytest.raises(ValueError, match="not a unit"):
            World().begin([("one", step)])


def test_what_is_hidden_raises_and_is_not_empty() -> None:
    world = World()
    world.blind = {"units"}
    with pytest.raises(ObserveError):
        world.look().units()


def test_two_living_conversations_of_one_agent_are_counted() -> None:
    world = World()
    server = world.start_server("s", held=False)
    world.add_session(server, "one", ("stub",), agent="coder")
    world.add_session(server, "two", ("stub",), agent="coder")
    assert world.tally.most_at_once == {"coder": 2}


def test_a_kill_half_way_leaves_the_old_file() -> None:
    world = World()
    world.begin([("one", WriteFile(path="/a/file", content="old", mode=0o600))])
    world.crash_after(0, "half")
    with pytest.raises(SimulatedKill):
        world.begin([("two", WriteFile(path="/a/file", content="new", mode=0o600))])
    assert world.files["/a/file"].content == "old"


def test_a_job_that_hangs_ends_by_its_own_time() -> None:
    world, fleet = World(), make_fleet(make_agent("coder"))
    world.hanging.add("mosaic-agent@coder.service")
    began = world.elapsed
    converge(world, fleet, MemoryStore())
    assert world.units["mosaic-agent@coder.service"].active in ("activating", "failed")
    assert world.elapsed - began < 600.0
