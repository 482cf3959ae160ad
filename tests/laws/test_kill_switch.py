"""The kill switch and suspension: no action from the next step on, and nothing is hidden."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from providers.steps import Step
from reconciler.plan.planner import PlanOptions
from specs.compiled import Fleet, Suspension
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.laws.oracle import wrong
from tests.strategies import WORK, Event, events, fleets, revised
from tests.world import World

ALL = PlanOptions(allow_removals=9)


@given(data=st.data(), fleet=fleets(), happened=events(*WORK))
def test_while_paused_no_step_is_run_and_all_that_is_due_is_shown(
    data: st.DataObject, fleet: Fleet, happened: list[Event]
) -> None:
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    for event in happened:
        event(world)
    after = data.draw(st.one_of(st.just(fleet), revised(fleet)))
    due = reconciler(world, store, options=ALL).look(after).plan
    world.pause("maintenance")
    begun = len(world.tally.steps)
    result = reconciler(world, store, options=ALL).converge(after)
    assert world.tally.steps[begun:] == []
    assert result.last.plan.paused == "maintenance"
    assert len(result.last.plan.held) == len(due.actions) + len(due.held)


@given(fleet=fleets(), at=st.integers(0, 12))
def test_paused_in_the_middle_of_a_run_nothing_more_is_begun(fleet: Fleet, at: int) -> None:
    """From the next step on: what was handed over in the same call is the last."""
    world, store = World(), MemoryStore()
    begun: list[Step] = []

    def watch(step: Step) -> None:
        begun.append(step)
        if len(begun) == at:
            world.pause()

    world.before_step = watch
    converge(world, fleet, store)
    if len(begun) >= at > 0:
        later = world.tally.steps[at:]
        world.before_step = None
        batch = set(world.tally.batches[-1])
        assert all(step in batch for step in later)
        world.resume()
        converge(world, fleet, store)
    assert wrong(world, fleet) == []


@given(data=st.data(), fleet=fleets(), happened=events())
def test_a_suspended_agent_is_left_alone(data: st.DataObject, fleet: Fleet, happened: list[Event]) -> None:
    """Its own things are not touched; it is shown as held, with who said so."""
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    names = [agent.name for agent in fleet.agents] or ["nobody"]
    name = data.draw(st.sampled_from(names))
    for event in happened:
        event(world)
    after = replace(fleet, suspended={name: Suspension(reason="debugging", by="ann", until=None)})
    begun = len(world.tally.steps)
    result = reconciler(world, store).converge(after)
    touching = [step for step in world.tally.steps[begun:] if f"mosaic-agent@{name}.service" in repr(step)]
    assert touching == []
    assert all(
        "ann" in held.message for held in result.last.plan.held if held.agent == name and held.reason == "suspended"
    )
