"""A request to start agents anew: met once for each process, when the rollout policy lets it go."""

from __future__ import annotations

from dataclasses import replace

from providers.base import HeldReason, Reason, Verb
from reconciler.model import AgentHistory, History
from reconciler.update.outdated_agents import Older, requested
from specs.compiled import Fleet, Policy
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.laws.oracle import living, twice, wrong
from tests.strategies import make_agent, make_fleet
from tests.world import World

QUICK = Policy(on_change="when-idle", max_unavailable=1)


def started(*names: str, policy: Policy = QUICK) -> tuple[World, MemoryStore, Fleet]:
    world, store = World(), MemoryStore()
    fleet = make_fleet(*(make_agent(name) for name in names), policy=policy)
    converge(world, fleet, store)
    world.advance(1000.0)
    converge(world, fleet, store)
    return world, store, fleet


def ask(world: World, store: MemoryStore, fleet: Fleet, *names: str) -> None:
    views = reconciler(world, store).look(fleet).plan.views
    older = [Older(name=name, pid=views[name].pid, started=views[name].started) for name in names]
    store.history = requested(store.history, older)


def test_it_is_met_once_for_each_one_after_the_other() -> None:
    world, store, fleet = started("coder", "coder0", "orch")
    before = living(world)
    ask(world, store, fleet, "coder", "orch")
    assert converge(world, fleet, store, runs=3).last.plan.actions == ()
    after = living(world)
    assert after["coder0"] == before["coder0"]
    assert {name for name in before if before[name] != after[name]} == {"coder", "orch"}
    assert {one.relaunch_pid for one in store.history.agents.values()} == {0}
    assert twice(world) == {}
    assert wrong(world, fleet) == []
    kept = living(world)
    converge(world, fleet, store, runs=3, between_s=500.0)
    assert living(world) == kept


def test_a_working_agent_is_waited_for() -> None:
    world, store, fleet = started("coder")
    world.start_work("coder")
    before = living(world)
    ask(world, store, fleet, "coder")
    held = converge(world, fleet, store, runs=3).last.plan.held
    assert [(one.verb, one.reason) for one in held] == [(Verb.RESTART, HeldReason.WORKING)]
    assert living(world) == before
    world.end_work("coder")
    world.advance(1000.0)
    converge(world, fleet, store)
    assert living(world)["coder"] != before["coder"]


def test_the_policy_never_holds_it() -> None:
    world, store, fleet = started("coder", policy=replace(QUICK, on_change="never"))
    before = living(world)
    ask(world, store, fleet, "coder")
    assert converge(world, fleet, store, runs=2).last.plan.held[0].reason is HeldReason.WORKING
    assert living(world) == before


def test_an_agent_that_was_started_since_is_left_alone() -> None:
    """Whoever ended the process that was meant has met the request."""
    world, store, fleet = started("coder")
    ask(world, store, fleet, "coder")
    world.kill_pane("coder")
    world.advance(1.0)
    first = converge(world, fleet, store)
    assert [outcome.action.reason for outcome in first.outcomes if outcome.action.agent == "coder"] != [
        Reason.REQUESTED
    ]
    kept = living(world)
    converge(world, fleet, store, runs=3, between_s=500.0)
    assert living(world) == kept
    assert store.history.agents["coder"].relaunch_pid == 0


def test_what_could_not_start_is_not_asked_for() -> None:
    known = History(agents={"coder": AgentHistory(attempts=2)})
    older = Older(name="coder", pid=7, started=1.0, cannot="its working directory /x does not exist")
    assert requested(known, [older]) == known
