"""Law 10: one bad agent never stops the others. (That a bad file keeps the last good revision is tested with the
loading of revisions.)"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from providers.steps import Step, UnitJob, WriteFile
from specs.compiled import Agent, EnvValue, Fleet, Policy
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.laws.oracle import dependants, living, unit_of, wrong
from tests.strategies import SOCKET, Event, events, fleets
from tests.world import FACTS, World
from tests.world_model import File

FREE = st.builds(Policy, max_removals=st.just(6), on_change=st.just("immediately"), max_unavailable=st.integers(1, 3))
WAYS = ("held", "crashes", "hangs", "no folder", "no secret", "foreign session", "foreign file", "unit fails", "disk")


def spoil(world: World, bad: Agent, how: str) -> Agent:
    """Make one agent impossible, in one of the ways that there are; the agent as it is then declared."""
    if how == "held":
        return replace(bad, held="unknown runtime")
    if how == "crashes":
        world.crashing.add(bad.name)
    elif how == "hangs":
        world.hanging.add(unit_of(bad.name))
    elif how == "no folder":
        world.missing_folders.add("/nowhere")
        return replace(bad, working_directory="/nowhere")
    elif how == "no secret":
        world.absent_variables.add("MISSING")
        return replace(bad, env=(("TOKEN", EnvValue(from_env="MISSING")),))
    elif how == "foreign session":
        world.foreign_session(SOCKET, bad.session)
    elif how == "foreign file":
        world.files[f"{FACTS.agents_dir}/{bad.name}.env"] = File("somebody's own\n")
    else:
        world.failing.append(lambda step: fails(step, bad.name, how))
    return bad


def fails(step: Step, name: str, how: str) -> str | None:
    if how == "disk" and isinstance(step, WriteFile):
        return "No space left on device" if step.path.endswith(f"/{name}.env") else None
    if how == "unit fails" and isinstance(step, UnitJob) and step.unit == unit_of(name):
        return "simulated: the job failed"
    return None


@given(
    data=st.data(),
    fleet=fleets(policy=FREE, sockets=(SOCKET,)),
    how=st.sampled_from(WAYS),
    happened=events(),
    lived=st.booleans(),
)
def test_law_10_one_bad_agent_never_stops_the_others(
    data: st.DataObject, fleet: Fleet, how: str, happened: list[Event], lived: bool
) -> None:
    running = [agent for agent in fleet.agents if agent.state == "running"]
    assume(running)
    bad = data.draw(st.sampled_from(running))
    world, store = World(), MemoryStore()
    if lived:
        converge(world, fleet, store)
    spoiled = spoil(world, bad, how)
    after = replace(fleet, agents=tuple(spoiled if a.name == bad.name else a for a in fleet.agents))
    for event in happened:
        event(world)
    converge(world, after, store, runs=8, between_s=400.0)
    assert wrong(world, after, besides=dependants(after, {bad.name})) == []


@given(data=st.data(), fleet=fleets(policy=FREE, sockets=(SOCKET,)), how=st.sampled_from(WAYS))
def test_law_10_and_no_one_is_ended_for_it(data: st.DataObject, fleet: Fleet, how: str) -> None:
    """Neither the bad agent's neighbours nor its dependants lose their conversation when it goes bad."""
    running = [agent for agent in fleet.agents if agent.state == "running"]
    assume(running)
    bad = data.draw(st.sampled_from(running))
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    before = living(world)
    world.kill_pane(bad.name)
    spoiled = spoil(world, bad, how)
    after = replace(fleet, agents=tuple(spoiled if a.name == bad.name else a for a in fleet.agents))
    converge(world, after, store, runs=6, between_s=400.0)
    now = living(world)
    assert {name: now.get(name) for name in before if name != bad.name} == {
        name: pid for name, pid in before.items() if name != bad.name
    }


@given(data=st.data(), fleet=fleets(policy=FREE), happened=events())
def test_law_10_an_agent_whose_entry_is_wrong_is_left_as_it_is(
    data: st.DataObject, fleet: Fleet, happened: list[Event]
) -> None:
    """Held by the loader: nothing of it is started, stopped, changed or removed, and the plan says why."""
    assume(fleet.agents)
    bad = data.draw(st.sampled_from(fleet.agents))
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    for event in happened:
        event(world)
    pid, enabled = living(world).get(bad.name), unit_of(bad.name) in world.enabled
    env = world.files.get(f"{FACTS.agents_dir}/{bad.name}.env")
    held = replace(bad, held="unknown runtime", generation=7)
    after = replace(fleet, agents=tuple(held if a.name == bad.name else a for a in fleet.agents))
    begun = len(world.tally.steps)
    result = reconciler(world, store).converge(after)
    assert living(world).get(bad.name) == pid
    assert (unit_of(bad.name) in world.enabled) == enabled
    assert world.files.get(f"{FACTS.agents_dir}/{bad.name}.env") == env
    assert not any(unit_of(bad.name) in repr(step) for step in world.tally.steps[begun:])
    assert any(item.agent == bad.name and "unknown runtime" in item.message for item in result.last.plan.held)


@given(data=st.data(), fleet=fleets(policy=FREE, sockets=(SOCKET,)), how=st.sampled_from(WAYS))
def test_law_10_what_failed_is_not_tried_again_in_the_same_run(data: st.DataObject, fleet: Fleet, how: str) -> None:
    """However many passes the others need."""
    running = [agent for agent in fleet.agents if agent.state == "running"]
    assume(running)
    bad = data.draw(st.sampled_from(running))
    world, store = World(), MemoryStore()
    spoiled = spoil(world, bad, how)
    after = replace(fleet, agents=tuple(spoiled if a.name == bad.name else a for a in fleet.agents))
    for _ in range(2):
        begun = len(world.tally.steps)
        converge(world, after, store)
        own = [s for s in world.tally.steps[begun:] if isinstance(s, UnitJob) and s.unit == unit_of(bad.name)]
        assert len([step for step in own if step.verb != "reset-failed"]) <= 2, own  # a start, and at most one heal
        other = next((a.name for a in running if a.name != bad.name), "")
        if other:
            world.kill_session(other)
