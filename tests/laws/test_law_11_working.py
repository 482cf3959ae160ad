"""Law 11: a working agent is not restarted unless the policy says so, and waiting is shown with its reason."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from providers.base import HeldReason
from providers.launch.environment import launch_digest
from providers.screen import Screen
from reconciler.plan.planner import PlanOptions
from specs.compiled import Fleet, Policy
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.laws.oracle import living
from tests.programs.captures import screen
from tests.strategies import FOREIGN, HARMLESS, Event, fleets, make_agent, make_fleet, revised
from tests.world import World

PATIENT = st.builds(
    Policy,
    max_removals=st.just(6),
    on_change=st.sampled_from(("when-idle", "never")),
    max_unavailable=st.integers(1, 6),
    drain_timeout=st.sampled_from((60.0, 3600.0)),
)
ALL = PlanOptions(allow_removals=6)


@given(
    data=st.data(),
    fleet=fleets(policy=PATIENT),
    happened=st.lists(st.one_of(*HARMLESS, FOREIGN), max_size=6),
    silent=st.booleans(),
)
def test_law_11_a_working_agent_is_not_ended(
    data: st.DataObject, fleet: Fleet, happened: list[Event], silent: bool
) -> None:
    """Whatever drifts, whatever is committed, removal included, and however long it works."""
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    world.advance(400.0)
    working = data.draw(st.sets(st.sampled_from(sorted(living(world)) or ["nobody"])))
    for name in working:
        world.start_work(name)
    if silent:
        world.silent |= working  # its heartbeat stops, its pane goes on
    for event in happened:
        event(world)
    after = replace(data.draw(st.one_of(st.just(fleet), revised(fleet))), policy=fleet.policy)
    for seconds in (0.0, 30.0, 200.0, 4000.0):
        world.advance(seconds)
        reconciler(world, store, options=ALL).converge(after)
    ended = [one for one in world.tally.by_reconciler() if one.working]
    assert ended == []


@given(data=st.data(), fleet=fleets(policy=PATIENT))
def test_law_11_waiting_is_shown_with_its_reason(data: st.DataObject, fleet: Fleet) -> None:
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    world.advance(400.0)
    for name in living(world):
        world.start_work(name)
    after = data.draw(revised(fleet))
    after = replace(after, policy=fleet.policy)
    result = reconciler(world, store, options=ALL).converge(after)
    wanted = {agent.name: agent for agent in after.agents}
    for name in living(world):
        agent = wanted.get(name)
        found = world.find(name)
        assert found is not None
        if agent is None or agent.state != "running" or launch_digest(agent) != found[1].launch:
            shown = [held for held in result.last.plan.held if held.agent == name]
            assert any(held.reason in ("working", "max-unavailable") and held.message for held in shown), name
    assert [one for one in world.tally.by_reconciler() if one.working] == []


@given(data=st.data(), fleet=fleets(policy=st.just(Policy(max_removals=6, on_change="when-idle", max_unavailable=2))))
def test_law_11_when_the_work_is_done_the_change_is_made(data: st.DataObject, fleet: Fleet) -> None:
    """At most `max_unavailable` at a time, and in the end all of them."""
    assume(any(agent.state == "running" for agent in fleet.agents))
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    for name in living(world):
        world.start_work(name)
    changed = tuple(replace(agent, generation=agent.generation + 1) for agent in fleet.agents)
    after = replace(fleet, agents=changed, revision="e" * 40)
    reconciler(world, store).converge(after)
    assert world.tally.by_reconciler() == []
    for name in data.draw(st.permutations(sorted(living(world)))):
        world.end_work(name)
        world.advance(400.0)
        reconciler(world, store).converge(after)
    assert {one.agent for one in world.tally.by_reconciler()} == {a.name for a in changed if a.state == "running"}
    assert all(world.find(a.name)[1].launch == launch_digest(a) for a in changed if a.state == "running")  # type: ignore[index]


@given(data=st.data(), fleet=fleets(policy=PATIENT))
def test_law_11_what_needs_no_restart_causes_none(data: st.DataObject, fleet: Fleet) -> None:
    """Alias, heartbeat thresholds, reset command, policy: the same processes live on."""
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    before = living(world)
    beats = replace(fleet.heartbeats, interval=data.draw(st.floats(10, 20)), idle_after=100.0)
    agents = tuple(replace(a, alias="Grace", reset_command="/clear", submit_key="C-m") for a in fleet.agents)
    after = replace(fleet, agents=agents, heartbeats=beats, policy=Policy(on_change="immediately"))
    world.advance(1000.0)
    reconciler(world, store).converge(after)
    assert living(world) == before


def test_law_11_nobody_is_ended_for_a_start_that_cannot_be_made() -> None:
    """An idle agent, and a commit that moves it to a folder that is not there."""
    world, store = World(), MemoryStore()
    agent = make_agent("coder")
    converge(world, make_fleet(agent), store)
    world.advance(1000.0)
    before = living(world)
    world.missing_folders.add("/home/op/gone")
    after = make_fleet(replace(agent, working_directory="/home/op/gone"))
    plan = reconciler(world, store).converge(after).last.plan
    assert living(world) == before
    (held,) = plan.held
    assert held.reason is HeldReason.DEPENDENCY
    assert "/home/op/gone does not exist" in held.message
    world.missing_folders.clear()
    reconciler(world, store).converge(after)
    assert living(world).keys() == before.keys()
    assert living(world) != before


LIMIT = "■ You've hit your usage limit. Buy more, or try again in 2h."


def at_its_limit(text: str = LIMIT) -> Screen:
    """codex, whose last request was refused."""
    idle = screen("codex.idle.80")
    at = idle.lines.index("• Understood.")
    lines, styled = ((*rows[:at], text, *rows[at + 1 :]) for rows in (idle.lines, idle.styled))
    return replace(idle, lines=lines, styled=styled)


def test_law_11_a_restart_waits_for_the_end_of_a_limit_and_a_stop_does_not() -> None:
    agent = make_agent("coder", "codex")
    fleet = make_fleet(agent, policy=Policy(on_change="when-idle", max_removals=6))
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    world.advance(400.0)
    before = living(world)
    world.shows["coder"] = at_its_limit()
    reconciler(world, store).converge(fleet)  # a run sees it first
    changed = make_fleet(replace(agent, generation=1), policy=fleet.policy)
    world.advance(600.0)
    plan = reconciler(world, store).converge(changed).last.plan
    (held,) = plan.held
    assert (held.reason, held.message) == (HeldReason.LIMIT, "it is at its usage limit until 2h")
    assert held.until is not None
    assert held.until - plan.observed_at > 6000.0
    assert living(world) == before
    at_once = replace(changed, policy=Policy(on_change="immediately"))
    assert reconciler(world, store).look(at_once).plan.held == ()
    stopped = make_fleet(replace(agent, state="stopped"), policy=fleet.policy)
    assert reconciler(world, store, options=ALL).look(stopped).plan.held == ()
    world.advance(6700.0)  # its screen still shows it: nobody has said anything since
    reconciler(world, store).converge(changed)
    assert living(world).keys() == before.keys()
    assert living(world) != before


def test_law_11_a_limit_without_a_known_end_holds_nothing() -> None:
    agent = make_agent("coder", "codex")
    fleet = make_fleet(agent, policy=Policy(on_change="when-idle"))
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    world.advance(400.0)
    world.shows["coder"] = at_its_limit("■ You've hit your usage limit.")
    changed = make_fleet(replace(agent, generation=1), policy=fleet.policy)
    assert reconciler(world, store).look(changed).plan.held == ()
