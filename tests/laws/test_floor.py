"""The two agents that a fleet cannot do without: seen when one is not healthy, and mended before all others."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import Kind, Verb
from reconciler.model import Plan
from reconciler.status import assess
from reconciler.status.conditions import ConditionReason, ConditionStatus
from reconciler.status.fleet_problems import fleet_problems
from specs.compiled import Agent, Fleet, Peer, Policy, Suspension
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.strategies import fleets, make_agent, make_fleet
from tests.world import World

FLOOR = Policy(floor="two-agent", max_unavailable=1)


def agent(name: str, role: str, **more: object) -> Agent:
    return replace(make_agent(name), agent_class=role, **more)  # type: ignore[arg-type]  # of any field


LEAD, FIRST, SECOND = agent("z-lead", "orchestrator"), agent("y-first", "enhancer"), agent("x-second", "enhancer")
CODERS = tuple(agent(f"a{at}", "code") for at in range(4))


def fleet(*agents: Agent, policy: Policy = FLOOR, **more: object) -> Fleet:
    return replace(make_fleet(*agents, policy=policy), **more)  # type: ignore[arg-type]  # of any field


def stands(plan: Plan) -> tuple[ConditionStatus, ConditionReason, str]:
    found = assess.floor_healthy(plan, plan.observed_at)
    return found.status, found.reason, found.message


def settled(declared: Fleet) -> tuple[World, MemoryStore]:
    world, store = World(), MemoryStore()
    converge(world, declared, store, runs=2)
    world.advance(60.0)
    return world, store


def test_a_floor_that_stands() -> None:
    declared = fleet(LEAD, FIRST, SECOND, *CODERS)
    world, store = settled(declared)
    plan = reconciler(world, store).look(declared).plan
    assert stands(plan) == (ConditionStatus.TRUE, ConditionReason.FLOOR_STANDS, "")
    world.kill_pane("x-second")
    assert stands(reconciler(world, store).look(declared).plan)[1] is ConditionReason.FLOOR_STANDS, "one is enough"
    world.kill_pane("a0")
    assert fleet_problems(plan) == ()


@pytest.mark.parametrize(
    ("gone", "reason"),
    [
        (["z-lead"], ConditionReason.ORCHESTRATOR_UNHEALTHY),
        (["x-second", "y-first"], ConditionReason.ENHANCER_UNHEALTHY),
    ],
)
def test_who_is_missing_is_said(gone: list[str], reason: ConditionReason) -> None:
    declared = fleet(LEAD, FIRST, SECOND)
    world, store = settled(declared)
    for name in gone:
        world.kill_pane(name)
    plan = reconciler(world, store).look(declared).plan
    status, said, message = stands(plan)
    assert (status, said) == (ConditionStatus.FALSE, reason)
    assert all(f"{name}: its program has ended" in message for name in gone)
    assert [one for one in fleet_problems(plan) if message in one]
    suspended = {name: Suspension(reason="r", by="ada", until=None) for name in gone}
    left = reconciler(world, store, suspended=suspended).look(declared).plan
    assert stands(left)[0] is ConditionStatus.FALSE, "a condition says how it is"
    assert fleet_problems(left) == (), "and nobody is asked to do something about what was done on purpose"


def test_one_that_is_declared_stopped_carries_nothing() -> None:
    stopped = replace(LEAD, state="stopped")
    world, store = settled(fleet(stopped, FIRST))
    found = stands(reconciler(world, store).look(fleet(stopped, FIRST)).plan)
    assert found == (ConditionStatus.FALSE, ConditionReason.ORCHESTRATOR_UNHEALTHY, "z-lead: declared stopped")


def test_what_cannot_be_seen_is_not_called_down() -> None:
    declared = fleet(LEAD, FIRST)
    world, store = settled(declared)
    world.blind.add("tmux")
    found = stands(reconciler(world, store).look(declared).plan)
    assert found[:2] == (ConditionStatus.UNKNOWN, ConditionReason.OBSERVATION_INCOMPLETE)


def test_what_is_on_another_host_is_not_judged_here() -> None:
    far = Peer(name="far", agent_class="enhancer", runtime="stub", state="running", host="beta")
    declared = fleet(LEAD, *CODERS, peers=(far,))
    world, store = settled(declared)
    found = stands(reconciler(world, store).look(declared).plan)
    assert found[:2] == (ConditionStatus.TRUE, ConditionReason.FLOOR_ELSEWHERE)
    assert "beta" in found[2]
    world.kill_pane("z-lead")
    assert stands(reconciler(world, store).look(declared).plan)[1] is ConditionReason.ORCHESTRATOR_UNHEALTHY


def test_a_fleet_without_the_rule() -> None:
    declared = fleet(*CODERS, policy=Policy())
    world, store = settled(declared)
    assert stands(reconciler(world, store).look(declared).plan)[1] is ConditionReason.NO_FLOOR


def test_the_floor_is_mended_first() -> None:
    declared = fleet(LEAD, FIRST, *CODERS)
    world, store = settled(declared)
    for one in declared.agents:
        world.kill_pane(one.name)
    plan = reconciler(world, store).look(declared).plan
    starts = [
        action.agent for action in plan.actions if action.key.kind is Kind.UNIT and action.verb is not Verb.ENABLE
    ]
    assert starts[:2] == ["z-lead", "y-first"]


def test_the_last_of_the_budget_is_kept_for_the_floor() -> None:
    policy = replace(FLOOR, restart_budget=4)
    declared = fleet(LEAD, FIRST, *CODERS, policy=policy)
    world, store = settled(declared)
    for one in CODERS:
        world.kill_pane(one.name)
    converge(world, declared, store)
    held = {one.agent for one in reconciler(world, store).look(declared).plan.held}
    assert held == {"a2", "a3"}, "two of four are kept back"
    for name in ("z-lead", "y-first"):
        world.kill_pane(name)
    plan = converge(world, declared, store).last.plan
    assert stands(plan)[1] is ConditionReason.FLOOR_STANDS
    assert {one.agent for one in plan.held} == {"a2", "a3"}


def test_one_that_hangs_is_restarted_before_others_that_hang() -> None:
    declared = fleet(LEAD, *CODERS, policy=replace(FLOOR, on_change="immediately"))
    world, store = settled(declared)
    for one in (LEAD, *CODERS):
        world.wrong_program(one.name)
    world.advance(5.0)
    plan = reconciler(world, store).look(declared).plan
    assert [action.agent for action in plan.actions if action.disrupts] == ["z-lead"]


@given(data=st.data(), declared=fleets(policy=st.just(FLOOR)))
def test_the_floor_is_the_same_in_whatever_order_agents_are_declared(data: st.DataObject, declared: Fleet) -> None:
    world, store = World(), MemoryStore()
    converge(world, declared, store)
    for one in data.draw(st.sets(st.sampled_from([one.name for one in declared.agents] or ["nobody"]))):
        world.kill_pane(one)
    first = reconciler(world, store).look(declared).plan
    for order in list(permutations(declared.agents))[:6]:
        other = reconciler(world, store).look(replace(declared, agents=order)).plan
        assert (other.floor, other.actions, other.held) == (first.floor, first.actions, first.held)
