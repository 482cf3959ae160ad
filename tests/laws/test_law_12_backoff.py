"""Law 12: backoff only ever grows until a new commit or sustained health resets it; it survives a restart of the
controller."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.model import AgentHistory
from reconciler.plan.holding import backoff
from reconciler.state.codec import history_from_json, history_to_json
from specs.compiled import Fleet, Policy, Suspension
from tests.laws.driver import MemoryStore, reconciler
from tests.strategies import make_agent, make_fleet
from tests.world import World

POLICIES = st.builds(
    Policy,
    backoff_initial=st.sampled_from((1.0, 5.0)),
    backoff_maximum=st.sampled_from((60.0, 300.0)),
    quarantine_restarts=st.integers(2, 6),
    restart_budget=st.just(1000),
)
GAPS = st.lists(st.sampled_from((0.0, 0.5, 3.0, 10.0, 60.0, 200.0)), min_size=3, max_size=25)


def crash_looping(policy: Policy) -> tuple[World, Fleet]:
    world = World()
    world.crashing.add("coder")
    return world, make_fleet(make_agent("coder"), make_agent("coder0"), policy=policy)


@given(policy=POLICIES, gaps=GAPS)
def test_law_12_backoff_only_ever_grows(policy: Policy, gaps: list[float]) -> None:
    """An agent that ends at once, looked at in any rhythm: waits never shrink, and no start comes before its time."""
    world, fleet = crash_looping(policy)
    store = MemoryStore()
    delay, starts, last = 0.0, 0, world.now
    for gap in gaps:
        world.advance(gap)
        reconciler(world, store).converge(fleet)
        known = store.history.agents["coder"]
        assert known.delay >= delay
        fresh = world.tally.started["coder"] - starts
        if starts:
            assert fresh <= 1
            assert not fresh or world.now - last >= delay
        starts, delay = world.tally.started["coder"], known.delay
        last = known.last_start or last
    assert store.history.agents["coder0"].delay == 0.0
    assert world.tally.started["coder0"] == 1


@given(policy=POLICIES, gaps=GAPS)
def test_law_12_backoff_survives_a_restart_of_the_controller(policy: Policy, gaps: list[float]) -> None:
    """One controller that lives on, and one that is started anew for every run, with its memory through JSON."""
    worlds = []
    for anew in (False, True):
        world, fleet = crash_looping(policy)
        one = reconciler(world, MemoryStore())
        for gap in gaps:
            world.advance(gap)
            one.converge(fleet)
            if anew:
                document = json.loads(json.dumps(history_to_json(one.store.history)))
                again = history_from_json(document)
                one = reconciler(world, MemoryStore(one.store.inventory, again))
        worlds.append((world.tally.started, one.store.history))
    assert worlds[0] == worlds[1]


@given(policy=POLICIES, gaps=GAPS)
def test_law_12_a_new_commit_for_the_agent_resets_it(policy: Policy, gaps: list[float]) -> None:
    world, fleet = crash_looping(policy)
    store = MemoryStore()
    for gap in gaps:
        world.advance(gap)
        reconciler(world, store).converge(fleet)
    assume(store.history.agents["coder"].attempts)
    other = replace(fleet, revision="b" * 40, agents=(fleet.agents[0], replace(fleet.agents[1], generation=1)))
    before = store.history.agents["coder"]
    reconciler(world, store).converge(other)
    assert store.history.agents["coder"].delay >= before.delay  # a commit for another agent changes nothing
    world.crashing.clear()
    mended = replace(other, revision="c" * 40, agents=(replace(fleet.agents[0], generation=1), other.agents[1]))
    started = world.tally.started["coder"]
    reconciler(world, store).converge(mended)
    assert world.tally.started["coder"] == started + 1


@given(policy=POLICIES, crashes=st.integers(1, 6))
def test_law_12_sustained_health_resets_it(policy: Policy, crashes: int) -> None:
    world, fleet = crash_looping(policy)
    store = MemoryStore()
    for _ in range(crashes):
        world.advance(400.0)
        reconciler(world, store).converge(fleet)
    world.crashing.clear()
    world.advance(400.0)
    reconciler(world, store).converge(fleet)
    assert store.history.agents["coder"].delay > 0.0
    world.advance(policy.backoff_reset_after / 2)
    reconciler(world, store).converge(fleet)
    assert store.history.agents["coder"].delay > 0.0  # not yet
    world.advance(policy.backoff_reset_after)
    reconciler(world, store).converge(fleet)
    assert store.history.agents["coder"].delay == 0.0


@given(
    policy=POLICIES,
    times=st.lists(st.floats(0, 5000, allow_nan=False), min_size=1, max_size=12),
    jump=st.floats(-1e6, 1e6, allow_nan=False),
)
def test_law_12_a_clock_that_jumps_neither_frees_nor_imprisons(policy: Policy, times: list[float], jump: float) -> None:
    """The wait still due is never longer than the agent's own delay, whatever the clock says."""
    known = AgentHistory()
    for moment in sorted(times):
        grown = backoff.recorded_start("coder", known, policy, 1e9 + moment)
        assert grown.delay >= known.delay
        assert grown.delay <= policy.backoff_maximum * (1.0 + backoff.JITTER) or grown.delay == known.delay
        known = grown
    now = known.last_start + jump
    assert backoff.not_before(known, now) - now <= known.delay + 1e-6


@given(policy=POLICIES, crashes=st.integers(2, 4), back=st.sampled_from((10.0, 1e4, 1e8)))
def test_law_12_a_clock_that_was_set_back_holds_for_one_wait(policy: Policy, crashes: int, back: float) -> None:
    """Whoever was started in the future, as a host without a battery finds, is started again when the wait is over."""
    world, fleet = crash_looping(policy)
    store = MemoryStore()
    for _ in range(crashes):
        world.advance(400.0)
        reconciler(world, store).converge(fleet)
    world.jump(-back)
    reconciler(world, store).converge(fleet)
    known = store.history.agents["coder"]
    assert known.last_start <= world.now
    started = world.tally.started["coder"]
    world.advance(known.delay + 1.0)
    reconciler(world, store).converge(fleet)
    assert world.tally.started["coder"] == started + 1


def test_a_suspended_agent_uses_up_nothing_of_the_fleets_budget() -> None:
    world, store = World(), MemoryStore()
    fleet = make_fleet(make_agent("a0"), make_agent("a1"), make_agent("b0"), policy=Policy(restart_budget=2))
    reconciler(world, store).converge(fleet)
    for name in ("a0", "a1", "b0"):
        world.kill_pane(name)
    alone = {name: Suspension(reason="by hand", by="ada", until=None) for name in ("a0", "a1")}
    reconciler(world, store, suspended=alone).converge(fleet)
    assert world.tally.started == {"a0": 1, "a1": 1, "b0": 2}
