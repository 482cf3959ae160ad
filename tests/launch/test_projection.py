"""The mission on a host: when it is written and taken away, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from providers.base import HeldReason, Reason, Verb
from providers.kinds.projection import ProjectionProvider
from reconciler.model import Inventory
from reconciler.plan.planner import PlanOptions
from specs.compiled import Fleet
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.strategies import MISSION_FILE, MISSIONS, make_agent, make_fleet
from tests.world import FACTS, World
from tests.world_model import File

PLAIN = make_fleet(make_agent("coder"))
FLEET = replace(PLAIN, mission=MISSIONS[0])


def planned(world: World, store: MemoryStore, fleet: Fleet) -> list[tuple[Verb, Reason]]:
    """What would be done about the mission."""
    plan = reconciler(world, store).look(fleet).plan
    return [(action.verb, action.reason) for action in plan.actions if action.target == MISSION_FILE]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def world(store: MemoryStore) -> World:
    """A host on which the fleet is up, its mission included."""
    made = World()
    assert planned(made, store, FLEET) == [(Verb.PROJECT, Reason.NEW)]
    converge(made, FLEET, store)
    assert made.files[MISSION_FILE] == File(MISSIONS[0], 0o644)
    assert planned(made, store, FLEET) == []
    return made


def test_a_fleet_without_a_mission_has_no_file() -> None:
    assert ProjectionProvider().desired(PLAIN, FACTS) == ()
    made, store = World(), MemoryStore()
    converge(made, PLAIN, store)
    assert MISSION_FILE not in made.files


def test_another_commit_has_another_mission(world: World, store: MemoryStore) -> None:
    after = replace(FLEET, mission=MISSIONS[1])
    assert planned(world, store, after) == [(Verb.PROJECT, Reason.SPEC)]
    converge(world, after, store)
    assert world.files[MISSION_FILE].content == MISSIONS[1]


@pytest.mark.parametrize("event", ["edit_file", "delete_file", "empty_file", "break_file"])
def test_drift_of_it_is_drift(world: World, store: MemoryStore, event: str) -> None:
    getattr(world, event)(MISSION_FILE)
    assert planned(world, store, FLEET) == [(Verb.PROJECT, Reason.DRIFT)]
    converge(world, FLEET, store)
    assert world.files[MISSION_FILE].content == MISSIONS[0]


def test_its_mode_is_mended(world: World, store: MemoryStore) -> None:
    world.files[MISSION_FILE].mode = 0o666
    assert planned(world, store, FLEET) == [(Verb.PROJECT, Reason.DRIFT)]
    converge(world, FLEET, store)
    assert world.files[MISSION_FILE].mode == 0o644


@pytest.mark.parametrize("remembered", [True, False])
def test_it_goes_with_the_file_in_git(world: World, store: MemoryStore, remembered: bool) -> None:
    """Also where the memory of this host was lost, if there was a run since."""
    if not remembered:
        store.inventory = Inventory()
        converge(world, FLEET, store)
    assert planned(world, store, PLAIN) == [(Verb.DELETE, Reason.REMOVED)]
    converge(world, PLAIN, store)
    assert MISSION_FILE not in world.files
    assert MISSION_FILE not in store.inventory.files


def test_what_somebody_else_wrote_is_reported_and_stays() -> None:
    world, store = World(), MemoryStore()
    world.files[MISSION_FILE] = File("# Ours\n")
    result = reconciler(world, store).converge(FLEET)
    assert [(held.target, held.reason) for held in result.last.plan.held] == [(MISSION_FILE, HeldReason.NOT_OWNED)]
    assert world.files[MISSION_FILE].content == "# Ours\n"
    assert world.find("coder") is not None  # no agent waits for it
    reconciler(world, store).converge(PLAIN)
    assert world.files[MISSION_FILE].content == "# Ours\n"


def test_what_this_host_never_wrote_is_not_taken_away() -> None:
    """It may be a copy that a person has put there."""
    world, store = World(), MemoryStore()
    world.files[MISSION_FILE] = File(MISSIONS[0])
    reconciler(world, store).converge(PLAIN)
    assert world.files[MISSION_FILE].content == MISSIONS[0]


def test_the_mission_of_another_fleet_is_left(world: World) -> None:
    other = replace(FLEET, name="other", mission=MISSIONS[1])
    result = reconciler(world, MemoryStore()).converge(other)
    assert MISSION_FILE in {held.target for held in result.last.plan.held}
    assert world.files[MISSION_FILE].content == MISSIONS[0]


def test_what_cannot_be_read_is_left(world: World, store: MemoryStore) -> None:
    world.blind.add(f"file:{MISSION_FILE}")
    plan = reconciler(world, store).look(replace(FLEET, mission=MISSIONS[1])).plan
    assert [(held.target, held.reason) for held in plan.held] == [(MISSION_FILE, HeldReason.UNKNOWN)]
    reconciler(world, store).converge(PLAIN)
    assert MISSION_FILE in store.inventory.files  # it is still ours, and goes when it can be seen
    world.blind.clear()
    converge(world, PLAIN, store)
    assert MISSION_FILE not in world.files


def test_it_is_no_part_of_a_run_for_one_agent_that_could_wait(world: World, store: MemoryStore) -> None:
    """What all agents share is put right in every run."""
    world.delete_file(MISSION_FILE)
    reconciler(world, store, options=PlanOptions(agents=frozenset({"coder"}))).converge(FLEET)
    assert MISSION_FILE in world.files
