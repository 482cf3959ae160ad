"""Law 5: what is unknown is never absent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from providers.base import Action, HeldReason, Kind, Verb
from reconciler.plan.planner import PlanOptions
from specs.compiled import Fleet, Policy
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.laws.oracle import living
from tests.strategies import (
    FOREIGN,
    OTHER_SOCKET,
    SOCKET,
    WORK,
    Event,
    blindness,
    events,
    fleets,
    make_agent,
    make_fleet,
    revised,
)
from tests.world import World

ENDS = (Verb.STOP, Verb.DISABLE, Verb.DELETE, Verb.RESTART)
ALL = PlanOptions(allow_removals=9)


def ends(actions: tuple[Action, ...]) -> set[tuple[Verb, str]]:
    return {(action.verb, action.target) for action in actions if action.verb in ENDS}


@given(data=st.data(), fleet=fleets(), happened=events(FOREIGN, *WORK), blind=blindness())
def test_law_5_no_end_follows_from_a_failed_observation(
    data: st.DataObject, fleet: Fleet, happened: list[Event], blind: frozenset[str]
) -> None:
    """Blind in some way, a plan ends nothing that it would not have ended with open eyes, and nothing at all of a
    kind that it could not see."""
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    for event in happened:
        event(world)
    after = data.draw(st.one_of(st.just(fleet), revised(fleet)))
    sighted = reconciler(world, store, options=ALL).look(after).plan
    world.blind = set(blind)
    dim = reconciler(world, store, options=ALL).look(after).plan
    for action in dim.actions:
        if action.verb in ENDS:
            assert action.key.kind not in dim.unknown, action
            if action.key.kind is Kind.UNIT and action.verb in (Verb.STOP, Verb.RESTART):
                assert Kind.SESSION not in dim.unknown, action
    assert ends(dim.actions) <= ends(sighted.actions)


@given(data=st.data(), fleet=fleets(), happened=events(*WORK), blind=blindness())
def test_law_5_a_blind_run_ends_no_conversation(
    data: st.DataObject, fleet: Fleet, happened: list[Event], blind: frozenset[str]
) -> None:
    """Neither panes nor units can be seen: whatever is committed, nobody who lives is ended. Of two tmux servers of
    which one cannot be seen, this is so for those on that one."""
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    for event in happened:
        event(world)
    after = data.draw(revised(fleet))
    after = replace(after, policy=replace(after.policy, on_change="immediately"))
    unseen = data.draw(st.sampled_from(("tmux", f"tmux:{SOCKET}", "units")))
    alive = living(world)
    if unseen.endswith(SOCKET):
        homes = {name: found[0].socket for name in alive if (found := world.find(name)) is not None}
        alive = {name: alive[name] for name, home in homes.items() if home == SOCKET}
    world.blind = set(blind) | {unseen}
    reconciler(world, store, options=ALL).converge(after)
    assert {name: living(world).get(name) for name in alive} == alive


def on(world: World, name: str) -> str:
    """The tmux server that its pane lives in."""
    found = world.find(name)
    assert found is not None
    return found[0].socket


@pytest.mark.parametrize("hidden", [SOCKET, OTHER_SOCKET])
def test_law_5_a_server_that_cannot_be_seen_holds_its_own_agents(hidden: str) -> None:
    """Both are removed; the one that can be seen is ended, and the other is held until it is seen again."""
    world, store = World(), MemoryStore()
    converge(world, make_fleet(make_agent("coder"), make_agent("other", socket=OTHER_SOCKET)), store)
    before = {name: pid for name, pid in living(world).items() if on(world, name) == hidden}
    assert len(before) == 1
    after = make_fleet(make_agent("third"), policy=Policy(on_change="immediately"))
    world.blind = {f"tmux:{hidden}"}
    for _ in range(2):
        plan = reconciler(world, store, options=ALL).converge(after).last.plan
        world.advance(100.0)
    assert {name: pid for name, pid in living(world).items() if name != "third"} == before
    assert [held.reason for held in plan.held if held.agent in before] == [HeldReason.UNKNOWN]
    world.blind = set()
    reconciler(world, store, options=ALL).converge(after)
    assert set(living(world)) == {"third"}


@given(data=st.data(), fleet=fleets(), blind=st.sampled_from(("manager", "unit_files")))
def test_law_5_no_start_through_a_unit_that_may_be_another(data: st.DataObject, fleet: Fleet, blind: str) -> None:
    """Where nobody can tell which files decide about the units, nothing is started or ended, and that is said."""
    running = [agent for agent in fleet.agents if agent.state == "running" and agent.held is None]
    assume(running)
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    dead = data.draw(st.sampled_from(running)).name
    world.kill_pane(dead)
    before = living(world)
    world.blind = {blind}
    plan = reconciler(world, store).look(fleet).plan
    assert [one.reason for one in plan.held if one.agent == dead] == [HeldReason.UNKNOWN]
    assert any(blind in why for why in plan.not_seen.values())
    converge(world, fleet, store)
    assert living(world) == before
    world.blind = set()
    converge(world, fleet, store)
    assert dead in living(world)


@given(fleet=fleets(), blind=blindness())
def test_law_5_a_blind_run_forgets_nothing_that_it_owns(fleet: Fleet, blind: frozenset[str]) -> None:
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    owned = set(store.inventory.agents)
    world.blind = set(blind) & {"units", "enabled", "tmux", "file", "listing"} or {"tmux"}
    reconciler(world, store).converge(replace(fleet, agents=()))
    assert set(store.inventory.agents) == owned


@pytest.mark.parametrize("state", ["running", "stopped", "gone"])
def test_law_5_a_pane_in_a_server_that_nobody_can_ask_is_not_gone(state: str) -> None:
    """The socket was lost and another server took its place: only the scope and its process tell of the agent."""
    world, store = World(), MemoryStore()
    agent, other = make_agent("coder"), make_agent("other")
    converge(world, make_fleet(agent, other), store)
    world.advance(1000.0)
    before = living(world)
    world.second_server(SOCKET)
    wanted = {"running": (agent, other), "stopped": (replace(agent, state="stopped"), other), "gone": (other,)}
    after = make_fleet(*wanted[state])
    for _ in range(3):
        plan = reconciler(world, store, options=ALL).converge(after).last.plan
        world.advance(100.0)
    assert {name: living(world).get(name) for name in before} == before
    assert any(held.agent == "coder" and held.reason is HeldReason.UNKNOWN for held in plan.held)
