"""Law 9: killed at any instruction, the next run converges, and no agent runs twice."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.planner import PlanOptions
from specs.compiled import Fleet, Policy
from tests.laws.driver import MemoryStore, Reconciler, converge, reconciler
from tests.laws.oracle import living, twice, wrong
from tests.strategies import SOCKET, Event, events, fleets, make_agent, make_fleet, revised
from tests.world import Crash, SimulatedKill, World

FREE = Policy(max_removals=6, on_change="immediately", max_unavailable=3)
ALL = PlanOptions(allow_removals=6)
HOW: tuple[Crash, ...] = ("before", "half", "after")


def killed(one: Reconciler, fleet: Fleet, at: int, how: Crash, *, writing: bool = False) -> bool:
    """Run until killed; whether it was (False: the run ended before)."""
    if writing:
        one.store.kill_in = at
    else:
        one.world.crash_after(at, how)
    with contextlib.suppress(SimulatedKill):
        one.converge(fleet)
        return False
    return True


@given(
    data=st.data(),
    fleet=fleets(policy=st.just(FREE)),
    happened=events(),
    deaths=st.lists(st.tuples(st.integers(0, 12), st.sampled_from(HOW), st.booleans()), min_size=1, max_size=3),
    reboots=st.booleans(),
)
def test_law_9_killed_at_any_instruction_the_next_run_converges(
    data: st.DataObject,
    fleet: Fleet,
    happened: list[Event],
    deaths: list[tuple[int, Crash, bool]],
    reboots: bool,
) -> None:
    """Killed up to three times, at a step or at a write of the state, with or without a reboot after it."""
    world, store = World(), MemoryStore()
    if data.draw(st.booleans()):
        converge(world, fleet, store)
    for event in happened:
        event(world)
    after = data.draw(st.one_of(st.just(fleet), revised(fleet)))
    after = replace(after, policy=FREE)
    one = reconciler(world, store, options=ALL)
    for at, how, writing in deaths:
        killed(one, after, at, how, writing=writing)
        if reboots:
            world.reboot()
        one = one.after_kill()
        world.advance(1.0)
    assert twice(world) == {}
    for _ in range(6):
        one.converge(after)
        world.advance(400.0)
    assert wrong(world, after) == []
    assert twice(world) == {}
    assert set(store.inventory.agents) <= {agent.name for agent in after.agents}


def three() -> Fleet:
    first, second, third = make_agent("coder"), make_agent("coder0"), make_agent("a.b", "claude")
    return make_fleet(first, replace(second, depends_on=("coder",)), third, policy=FREE)


def from_nothing() -> tuple[World, MemoryStore, Fleet]:
    return World(), MemoryStore(), three()


def to_nothing() -> tuple[World, MemoryStore, Fleet]:
    world, store, fleet = from_nothing()
    converge(world, fleet, store)
    return world, store, replace(fleet, agents=())


def all_change() -> tuple[World, MemoryStore, Fleet]:
    """Another commit: one stopped, one moved to another socket, one with another generation, one new."""
    world, store, fleet = from_nothing()
    converge(world, fleet, store)
    world.advance(1000.0)
    changed = {
        "coder": make_agent("coder", state="stopped"),
        "coder0": make_agent("coder0", socket="second"),
        "a.b": replace(make_agent("a.b", "claude"), generation=1),
        "orch": make_agent("orch"),
    }
    return world, store, replace(fleet, agents=tuple(changed[name] for name in sorted(changed)))


def a_dead_server() -> tuple[World, MemoryStore, Fleet]:
    world, store, fleet = from_nothing()
    converge(world, fleet, store)
    world.kill_server(SOCKET)
    return world, store, fleet


STARTS: tuple[Callable[[], tuple[World, MemoryStore, Fleet]], ...] = (
    from_nothing,
    to_nothing,
    all_change,
    a_dead_server,
)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("begin", STARTS, ids=lambda begin: begin.__name__)
def test_law_9_every_single_step(begin: Callable[[], tuple[World, MemoryStore, Fleet]], how: Crash) -> None:
    """Killed at each step in turn, then one run: converged, nobody twice, and nobody started again for nothing."""
    world, store, fleet = begin()
    reconciler(world, store, options=ALL).converge(fleet)
    assert wrong(world, fleet) == []
    usual = dict(world.tally.started)
    for at in range(200):
        world, store, fleet = begin()
        one = reconciler(world, store, options=ALL)
        if not killed(one, fleet, at, how):
            break
        survivors = living(world)
        one = one.after_kill()
        world.advance(FREE.backoff_initial * 2)  # a heal that was begun counts, so the next one of it has to wait
        one.converge(fleet)
        assert wrong(world, fleet) == [], f"killed {how} step {at}"
        assert twice(world) == {}, f"killed {how} step {at}"
        assert world.tally.started == usual, f"killed {how} step {at}"
        kept = {name: pid for name, pid in survivors.items() if living(world).get(name) == pid}
        if begin is from_nothing:
            assert kept == survivors, f"killed {how} step {at}: a conversation was lost"
    else:
        pytest.fail("the run never ended")
    assert at > 3


@pytest.mark.parametrize("begin", STARTS, ids=lambda begin: begin.__name__)
def test_law_9_every_single_write_of_the_state(begin: Callable[[], tuple[World, MemoryStore, Fleet]]) -> None:
    for at in range(200):
        world, store, fleet = begin()
        one = reconciler(world, store, options=ALL)
        if not killed(one, fleet, at, "before", writing=True):
            break
        one = one.after_kill()
        world.advance(FREE.backoff_initial * 2)
        one.converge(fleet)
        assert wrong(world, fleet) == [], f"killed at write {at}"
        assert twice(world) == {}
        assert set(store.inventory.agents) == {a.name for a in fleet.agents}
    else:
        pytest.fail("the run never ended")
    assert at > 3
