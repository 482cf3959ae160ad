"""What --force lets through: the end of one process, for one change, and nothing besides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from providers.base import HeldReason, Verb
from reconciler.model import AgentHistory
from reconciler.plan.holding.forced import REMOVED, STOPPED, forced, restarted
from specs.compiled import Fleet, Policy, Suspension
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.laws.oracle import living
from tests.strategies import make_agent, make_fleet
from tests.world import World

QUICK = Policy(on_change="when-idle", max_unavailable=1)


def working(*names: str, policy: Policy = QUICK) -> tuple[World, MemoryStore, Fleet]:
    """Agents that have worked for long."""
    world, store = World(), MemoryStore()
    fleet = make_fleet(*(make_agent(name) for name in names), policy=policy)
    converge(world, fleet, store)
    world.advance(1000.0)
    for name in names:
        world.start_work(name)
    converge(world, fleet, store)
    return world, store, fleet


def force(world: World, store: MemoryStore, fleet: Fleet, name: str, change: str) -> None:
    view = reconciler(world, store).look(fleet).plan.views[name]
    known = forced(
        store.history.agents.get(name, AgentHistory()),
        pid=view.pid,
        started=view.started,
        change=change,
        by="ada",
        revision=fleet.revision,
    )
    store.history = replace(store.history, agents={**store.history.agents, name: known})


def stopped(fleet: Fleet) -> Fleet:
    return replace(fleet, agents=tuple(replace(a, state="stopped") for a in fleet.agents), revision="b" * 40)


def again(fleet: Fleet) -> Fleet:
    return replace(fleet, agents=tuple(replace(a, generation=7) for a in fleet.agents), revision="c" * 40)


def without(fleet: Fleet) -> Fleet:
    return replace(fleet, agents=(replace(make_agent("other"), state="stopped"),), revision="d" * 40)


CHANGES: dict[str, tuple[Callable[[Fleet], Fleet], Verb]] = {
    STOPPED: (stopped, Verb.STOP),
    restarted(7): (again, Verb.RESTART),
    REMOVED: (without, Verb.STOP),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("policy", ["when-idle", "never"])
def test_a_working_agent_is_ended_for_this_change_once(change: str, policy: str) -> None:
    to, verb = CHANGES[change]
    world, store, fleet = working("coder", policy=replace(QUICK, on_change=policy, max_removals=6))  # type: ignore[arg-type]
    before = living(world)
    force(world, store, fleet, "coder", change)
    done = converge(world, to(fleet), store)
    (ended,) = [one.action for one in done.outcomes if one.action.forced]
    assert (ended.verb, ended.agent, ended.forced) == (verb, "coder", "ada")
    assert ended.despite.startswith("it works" if policy == "when-idle" or verb is Verb.STOP else "the rollout policy")
    assert before["coder"] not in living(world).values()
    left = store.history.agents.get("coder")
    assert left is None or left.forced_pid == 0
    # The next life is not meant.
    world.advance(100.0)
    converge(world, to(fleet), store)
    if verb is Verb.RESTART:
        world.start_work("coder")
        kept = living(world)
        converge(world, stopped(fleet), store)
        assert living(world) == kept


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_forced_for_one_change_is_not_for_another(change: str) -> None:
    world, store, fleet = working("coder", policy=replace(QUICK, max_removals=6))
    before = living(world)
    force(world, store, fleet, "coder", change)
    for other, (to, _) in CHANGES.items():
        if other != change:
            held = converge(world, to(fleet), store).last.plan.held
            assert [one.reason for one in held] == [HeldReason.WORKING]
    # Git has said something else since: the record is gone, also if it says so again one day.
    converge(world, CHANGES[change][0](fleet), store)
    assert living(world) == before


def test_a_run_before_the_commit_arrives_does_not_lose_it() -> None:
    world, store, fleet = working("coder")
    force(world, store, fleet, "coder", STOPPED)
    converge(world, fleet, store, runs=2)
    converge(world, stopped(fleet), store)
    assert living(world) == {}


def test_another_process_is_not_meant() -> None:
    world, store, fleet = working("coder")
    force(world, store, fleet, "coder", STOPPED)
    world.kill_pane("coder")
    world.advance(1.0)
    converge(world, fleet, store)
    world.start_work("coder")
    kept = living(world)
    held = converge(world, stopped(fleet), store).last.plan.held
    assert [one.reason for one in held] == [HeldReason.WORKING]
    assert living(world) == kept


def test_a_suspension_stands_above_it() -> None:
    world, store, fleet = working("coder")
    before = living(world)
    force(world, store, fleet, "coder", STOPPED)
    suspended = {"coder": Suspension(reason="pairing", by="ada", until=None)}
    result = reconciler(world, store, suspended=suspended).converge(stopped(fleet))
    assert {one.reason for one in result.last.plan.held} == {HeldReason.SUSPENDED}
    assert living(world) == before


def test_so_does_the_kill_switch() -> None:
    world, store, fleet = working("coder")
    before = living(world)
    force(world, store, fleet, "coder", STOPPED)
    world.pause("a storm")
    assert converge(world, stopped(fleet), store).last.plan.actions == ()
    assert living(world) == before


def test_as_many_as_may_be_down_at_once() -> None:
    world, store, fleet = working("a", "b")
    for name in ("a", "b"):
        force(world, store, fleet, name, restarted(7))
    plan = reconciler(world, store).look(again(fleet)).plan
    assert [one.reason for one in plan.held] == [HeldReason.MAX_UNAVAILABLE]
    assert [one.forced for one in plan.actions if one.disrupts] == ["ada"]


def test_so_does_the_guard_of_removals() -> None:
    world, store, fleet = working("coder")
    before = living(world)
    force(world, store, fleet, "coder", REMOVED)
    held = converge(world, replace(without(fleet), agents=()), store).last.plan.held
    assert [one.reason for one in held] == [HeldReason.PRUNE]
    assert living(world) == before


def test_what_may_end_anyway_is_nobody_s_doing() -> None:
    world, store, fleet = working("coder")
    world.end_work("coder")
    world.advance(1000.0)
    force(world, store, fleet, "coder", STOPPED)
    done = converge(world, stopped(fleet), store)
    assert living(world) == {}
    assert [one for one in done.outcomes if one.action.forced] == []


def test_who_could_not_be_seen_is_not_ended() -> None:
    world, store, fleet = working("coder")
    before = living(world)
    force(world, store, fleet, "coder", STOPPED)
    world.blind.add("tmux")
    converge(world, stopped(fleet), store)
    assert living(world) == before
