"""Law 14: what one view says of an agent, no other view contradicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import HeldReason, Kind, Verb
from reconciler.agents.reset_verdict import objection
from reconciler.inspection.rows import build_rows
from reconciler.inspection.verify import Reconciler, VerifyCheck, verify
from reconciler.listing.document import Listing
from reconciler.listing.row import Row, Sync
from reconciler.model import Plan
from reconciler.observe.may_end import Who, may_end
from reconciler.plan.planner import PlanOptions
from reconciler.run.outbox_round import may_be_sent
from reconciler.status.fleet_problems import fleet_problems
from reconciler.status.metrics import metrics_text
from reconciler.status.status import AgentStatus
from specs.compiled import EnvValue, Fleet, Policy, Suspension
from tests import builders as make
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.laws.oracle import living
from tests.strategies import DRIFT, FOREIGN, HARMLESS, Event, fleets, make_agent, make_fleet, revised
from tests.world import World

SCREENS = {
    "claude": ("idle.80", "permission.80", "question.80", "trust.80", "login.80", "menu-config.80", "draft.80"),
    "codex": ("idle.80", "permission.80", "question.80", "trust.80", "login.80", "menu-hooks.80", "draft-lines.80"),
}
WORDS = ("", "", "waiting=permission", "waiting=question", "waiting=login", "stuck=rate-limit")
BLIND = ("", "", "", "screens", "heartbeats", "units", "tmux", "processes")
RIGHT = Reconciler(install="timer", enabled=True, active=True)


class Views:
    """Everything that is said of one moment."""

    def __init__(self, world: World, store: MemoryStore, fleet: Fleet, suspended: dict[str, Suspension]) -> None:
        made = reconciler(world, store, suspended=suspended, options=PlanOptions(allow_removals=6, detail=True))
        seen = made.look(fleet)
        self.plan: Plan = seen.plan
        self.fleet = fleet
        in_force = {**fleet.suspended, **suspended}
        built = build_rows(seen.plan, fleet, store.history, store.inventory, seen.observation, in_force)
        self.rows: Mapping[str, Row] = {row.name: row for row in built}
        status = make.status(plan=seen.plan, history=store.history, suspended=in_force, now=seen.plan.observed_at)
        self.status: Mapping[str, AgentStatus] = {agent.name: agent for agent in status.agents}
        self.metrics = metrics_text(status)
        listing = Listing(
            fleet=fleet.name,
            tenant_id=fleet.tenant_id,
            host=fleet.host,
            observed_at=seen.plan.observed_at,
            compared=fleet.revision,
            in_force=fleet.revision,
            problems=fleet_problems(seen.plan),
            rows=built,
        )
        self.listing = listing
        self.checks: tuple[VerifyCheck, ...] = verify(fleet, seen.plan, seen.observation, listing, "op", RIGHT)


def agree(said: Views) -> None:
    """The law."""
    plan = said.plan
    for name, row in said.rows.items():
        view, status = plan.views[name], said.status[name]
        # one word for what it does, and one for what it waits for
        assert {str(view.readiness), str(row.readiness), status.readiness} == {str(view.readiness)}
        assert {view.waiting, row.waiting, status.waiting} == {view.waiting}
        assert bool(row.waiting) is (row.readiness == "waiting")
        assert {str(view.health), row.health, status.health} == {str(view.health)}
        # one word for how it stands to git
        if row.kind == "agent":
            assert status.in_sync is (row.sync is Sync.SYNCED), (name, row.sync, status)
        # one rule for what may end it
        ending = may_end(view, Who.COMMIT)
        assert view.available == ending.allowed
        assert bool(objection(view, restart=True)) is not bool(may_end(view, Who.RESTART).allowed)
        assert row.may_stop is not bool(row.may_stop_why)
        assert not row.may_stop or ending.allowed or said.fleet.policy.on_change == "immediately", name
        # who is told something is free, and who waits for a person is told nothing
        if may_be_sent(view):
            assert ending.allowed
            assert not view.waiting
    # what is planned keeps to it
    for action in plan.actions:
        if action.agent is not None and action.agent in plan.views and action.disrupts and action.key.kind is Kind.UNIT:
            view = plan.views[action.agent]
            assert may_end(view, Who.COMMIT).allowed or said.fleet.policy.on_change == "immediately", action
    for held in plan.held:
        if held.agent is not None and held.agent in plan.views and held.reason is HeldReason.WORKING:
            view, never = plan.views[held.agent], said.fleet.policy.on_change == "never" and held.verb is Verb.RESTART
            second = held.target.startswith("tmux session")
            assert second or never or not may_end(view, Who.COMMIT).allowed, held
    # what is wrong for one check is wrong for the other
    unseen = {Kind.UNIT, Kind.SESSION} & plan.unknown.keys()
    wrong = {check.agent for check in said.checks if check.result == "wrong" and check.agent is not None}
    listed = {name for name, row in said.rows.items() if row.wrong}
    assert unseen or wrong == listed, (wrong, listed, [check for check in said.checks if check.result == "wrong"])
    anything = any(check.result == "wrong" for check in said.checks)
    said_wrong = said.listing.wrong if plan.paused is None else bool(listed)
    assert anything is said_wrong, [check for check in said.checks if check.result == "wrong"]
    # and the numbers count the same
    for name, agent in said.status.items():
        assert f'agent="{name}"}} {int(agent.in_sync)}' in said.metrics
    words = [(agent.health, agent.readiness) for agent in said.status.values()]
    for health, readiness in set(words):
        counted = f'health="{health}",readiness="{readiness}"}} {words.count((health, readiness))}'
        assert counted in said.metrics


@given(
    data=st.data(),
    fleet=fleets(),
    happened=st.lists(st.one_of(*HARMLESS, *DRIFT, FOREIGN), max_size=6),
)
def test_law_14_no_view_contradicts_another(data: st.DataObject, fleet: Fleet, happened: list[Event]) -> None:
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    world.advance(data.draw(st.sampled_from((1.0, 60.0, 400.0))))
    runtimes = {agent.name: agent.runtime for agent in fleet.agents}
    for name in sorted(living(world)):
        if runtimes.get(name) in SCREENS:
            runtime = runtimes[name]
            world.shows[name] = f"{runtime}.{data.draw(st.sampled_from(SCREENS[runtime]))}"
        if data.draw(st.booleans()):
            world.turn(name, data.draw(st.sampled_from(WORDS)), status=data.draw(st.sampled_from(("ok", "busy"))))
    for name in data.draw(st.sets(st.sampled_from(sorted(living(world)) or ["nobody"]))):
        world.start_work(name)
    for event in happened:
        event(world)
    world.advance(data.draw(st.sampled_from((0.0, 1.0, 400.0))))
    chosen = data.draw(st.sets(st.sampled_from(("coder", "*"))))
    suspended = {name: Suspension(reason="pairing", by="ada", until=None) for name in chosen}
    after = replace(data.draw(st.one_of(st.just(fleet), revised(fleet))), policy=fleet.policy)
    if data.draw(st.integers(0, 4)) == 0:
        world.pause("a storm")
    blind = data.draw(st.sampled_from(BLIND))
    if blind:
        world.blind.add(blind)
    agree(Views(world, store, after, suspended))


@pytest.mark.parametrize(
    ("shows", "words", "state", "may_stop"),
    [
        ("claude.trust.80", "", "waiting (trust)", True),
        ("claude.permission.80", "", "waiting (permission)", False),
        ("claude.menu-config.80", "", "waiting (menu)", False),  # a person is there
        ("claude.draft.80", "", "waiting (draft)", False),
        ("claude.idle.80", "waiting=question", "waiting (question)", False),
        ("claude.idle.80", "", "available", True),
        ("pi.idle.80", "", "unknown (its screen is not understood)", True),  # its hooks have said that its turn is over
    ],
)
def test_one_agent_that_was_quiet_for_long(shows: str, words: str, state: str, may_stop: bool) -> None:
    agent = make_agent("coder", "claude")
    fleet = make_fleet(agent, policy=Policy(on_change="when-idle"))
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    world.turn("coder", words, status="busy" if "permission" in shows else "ok")
    world.shows["coder"] = shows
    world.advance(400.0)
    said = Views(world, store, fleet, {})
    agree(said)
    assert (said.rows["coder"].shown_state, said.rows["coder"].may_stop) == (state, may_stop)


def test_a_screen_that_cannot_be_read_is_no_reason_to_end_anybody() -> None:
    """Its hooks have said nothing, its pane is quiet, and its screen cannot be looked at."""
    agent = make_agent("coder", "claude")
    fleet = make_fleet(agent, policy=Policy(on_change="when-idle"))
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    world.advance(400.0)
    world.blind.add("screens")
    changed = make_fleet(replace(agent, generation=1), policy=fleet.policy)
    said = Views(world, store, changed, {})
    agree(said)
    assert (said.rows["coder"].state, said.rows["coder"].may_stop) == ("unknown", False)
    assert [held.reason for held in said.plan.held] == [HeldReason.WORKING]
    world.blind.clear()
    assert Views(world, store, changed, {}).plan.held == ()


def test_the_screen_of_what_was_declared_before_is_not_read_as_one_of_the_new() -> None:
    """An idle agent whose commit makes another program of it: else nothing would ever tell that it is idle."""
    agent = make_agent("coder")
    world, store = World(), MemoryStore()
    converge(world, make_fleet(agent), store)
    world.advance(400.0)
    for after in (make_agent("coder", "claude"), make_agent("coder", "claude", state="stopped")):
        said = Views(world, store, make_fleet(after, policy=Policy(on_change="when-idle")), {})
        agree(said)
        assert (said.rows["coder"].state, said.rows["coder"].may_stop) == ("available", True), said.rows["coder"].why
        assert said.plan.held == ()


@pytest.mark.parametrize("on_purpose", ["", "paused", "suspended"])
@pytest.mark.parametrize("stranded", [False, True])
def test_one_agent_that_cannot_be_seen_or_will_not_start_again(on_purpose: str, stranded: bool) -> None:
    """It is wrong for a check as for a list; while nothing is expected of it, for neither."""
    token = (("TOKEN", EnvValue(from_env="TOKEN")),)
    other = replace(make_agent("other", socket="elsewhere"), env=token)
    fleet = make_fleet(make_agent("coder"), other, make_agent("quiet", state="stopped"))
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    world.advance(400.0)
    if stranded:
        world.absent_variables.add("TOKEN")
    else:
        world.lose_socket("elsewhere")
    if on_purpose == "paused":
        world.pause("a storm")
    resting = on_purpose == "suspended"
    said = Views(world, store, fleet, {"*": Suspension(reason="pairing", by="ada", until=None)} if resting else {})
    agree(said)
    told = {check.result for check in said.checks if check.agent == "other" and check.name in ("seen", "start")}
    assert told == {"note" if on_purpose else "wrong"}
