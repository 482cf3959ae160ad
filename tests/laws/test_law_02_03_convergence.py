"""Laws 2 and 3: it ends, and then there is nothing left to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.steps import Step, UnitJob
from reconciler.plan.planner import PlanOptions
from specs.compiled import Fleet, Policy
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.laws.oracle import living, twice, wrong
from tests.strategies import FOREIGN, WORK, Event, events, fleets, make_agent, make_fleet, policies, revised
from tests.world import World

LONG_S = 400.0  # above idle_after and above the longest backoff
MOST_PASSES = 20
FREE = st.builds(
    Policy,
    max_removals=st.just(6),
    on_change=st.sampled_from(("when-idle", "immediately")),
    max_unavailable=st.integers(1, 3),
)


@given(data=st.data(), fleet=fleets(policy=policies()), happened=events(FOREIGN, *WORK))
def test_law_2_plan_apply_plan_again_nothing_to_do(data: st.DataObject, fleet: Fleet, happened: list[Event]) -> None:
    """From any world, under any policy: one run, in a bounded number of passes, leaves nothing that may be done now."""
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    for event in happened:
        event(world)
    after = data.draw(st.one_of(st.just(fleet), revised(fleet)))
    result = reconciler(world, store).converge(after)
    assert result.passes <= MOST_PASSES
    failed = {outcome.action.id for outcome in result.outcomes if outcome.result == "failed"}
    left = [action for action in reconciler(world, store).look(after).plan.actions if action.id not in failed]
    assert left == []
    assert twice(world) == {}


@given(data=st.data(), fleet=fleets(policy=FREE), happened=events(), later=events(most=2))
def test_law_2_and_then_the_host_is_as_git_says(
    data: st.DataObject, fleet: Fleet, happened: list[Event], later: list[Event]
) -> None:
    """Whatever was repairable is repaired, judged without the loop's own eyes; nobody works here, so nothing waits."""
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    assert wrong(world, fleet) == []
    for event in happened:
        event(world)
    after = data.draw(st.one_of(st.just(fleet), revised(fleet)))
    options = PlanOptions(allow_removals=6)
    for round_of in ((), later):
        for event in round_of:
            event(world)
        for _ in range(10):
            world.advance(LONG_S)
            result = reconciler(world, store, options=options).converge(after)
    assert wrong(world, after) == []
    assert result.last.plan.actions == ()
    assert result.last.plan.held == ()
    assert twice(world) == {}


@given(fleet=fleets(policy=FREE), happened=events(), delay=st.sampled_from((0.3, 3.0, 8.0)))
def test_law_2_with_programs_that_take_their_time(fleet: Fleet, happened: list[Event], delay: float) -> None:
    """A program that is not up yet is waited for: nobody is started a second time for it."""
    world, store = World(), MemoryStore()
    world.exec_delay = delay
    converge(world, fleet, store)
    assert wrong(world, fleet) == []
    assert set(world.tally.started.values()) <= {1}
    for event in happened:
        event(world)
    for _ in range(6):
        converge(world, fleet, store)
        world.advance(LONG_S)
    assert wrong(world, fleet) == []
    assert twice(world) == {}


@given(fleet=fleets(policy=FREE), seconds=st.sampled_from((-1e7, -3600.0, -30.0, 30.0)))
def test_law_2_a_clock_that_is_set_ends_nobody(fleet: Fleet, seconds: float) -> None:
    nobody_is_ended_by(fleet, seconds)


@pytest.mark.parametrize("seconds", [3600.0, 1e7])
def test_law_2_a_clock_that_is_set_forward_ends_nobody(seconds: float) -> None:
    """As after a laptop has slept: the first look comes before the first heartbeat."""
    nobody_is_ended_by(make_fleet(make_agent("coder"), make_agent("coder0")), seconds)


def nobody_is_ended_by(fleet: Fleet, seconds: float) -> None:
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    world.advance(LONG_S)
    before = living(world)
    world.jump(seconds)
    for _ in range(3):
        reconciler(world, store).converge(fleet)
        world.advance(60.0)
    assert living(world) == before
    assert wrong(world, fleet) == []


@given(fleet=fleets(), happened=events())
def test_law_3_an_apply_that_is_repeated_runs_no_step(fleet: Fleet, happened: list[Event]) -> None:
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    for event in happened:
        event(world)
    first = reconciler(world, store).converge(fleet)
    begun, host, writes = len(world.tally.steps), world.fingerprint(), store.inventory
    again = reconciler(world, store).converge(fleet)
    failing = {outcome.action.id for outcome in first.outcomes if outcome.result == "failed"}
    if not failing:
        assert world.tally.steps[begun:] == []
        assert world.fingerprint() == host
        assert again.passes == 1
        assert store.inventory == writes


@given(fleet=fleets(), happened=events())
def test_law_3_a_step_that_is_repeated_changes_nothing(fleet: Fleet, happened: list[Event]) -> None:
    """Every step but a restart finds, right after itself, everything as it should be."""
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    for event in happened:
        event(world)
    begun = len(world.tally.steps)
    reconciler(world, store).converge(fleet)
    for step in distinct(world.tally.steps[begun:]):
        if isinstance(step, UnitJob) and step.verb == "restart":
            continue
        world.begin([("first", step)])
        world.completed(1.0)
        before = world.fingerprint()
        world.begin([("second", step)])
        world.completed(1.0)
        assert world.fingerprint() == before, step


def distinct(steps: list[Step]) -> list[Step]:
    return list(dict.fromkeys(steps))
