"""Which disruptive needs are met now, row by row, and how the tables work together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from providers.base import Health, HeldReason, Reason, Verb
from reconciler.helpers.decision_table import first_match
from reconciler.model import AgentHistory, AgentView, History, Readiness
from reconciler.observe.attribution import CLOCK_SLACK_S
from reconciler.observe.may_end import Who
from reconciler.plan.holding.rollout import Wait, held_back, objection
from reconciler.plan.holding.rollout_tables import (
    BY_AGENT,
    CAME_UP,
    COMING_BACK,
    OBJECTIONS,
    ORDER,
    SHOWS_S,
    TURN,
    WHO,
    Candidate,
    Down,
    RolloutEnding,
    Started,
    Turn,
    Waiting,
)
from reconciler.plan.need import Need
from specs.compiled import Policy
from tests import builders as make
from tests.builders import NOW
from tests.tables.fleets import make_agent, make_fleet
from tests.tables.rows import Examples, check, check_shape, expect, params

RESTART = Need(verb=Verb.RESTART, reason=Reason.SPEC, disrupts=True)
WORKS = make.view(readiness=Readiness.WORKING, readiness_why="its hook says busy")
FREE = make.view(readiness=Readiness.AVAILABLE)
ENDING = RolloutEnding(view=WORKS, need=RESTART, policy=Policy())
NEVER = replace(ENDING, policy=Policy(on_change="never"))
AT_LIMIT = make.view(readiness=Readiness.STUCK, stuck="limit", until="3pm", until_at=NOW + 60)
LIMITED = replace(ENDING, view=AT_LIMIT)
WAITING = Waiting(ending=ENDING, objection="it works", deadline=NOW, now=NOW - 1)
CODER = Candidate(orchestrator=False, repairs_floor=False)
LEAD = Candidate(orchestrator=True, repairs_floor=False)
TURN_NOW = Turn(candidate=CODER, before=0, down=0, draining=False, limit=1, closed=())
STARTED = Started(view=replace(FREE, started=NOW - 10), due=NOW - 20, now=NOW)
CLOSED = {"readiness": Readiness.WAITING, "waiting": "login"}
DOWN = Down(view=make.view(session="dead"), need=Need(verb=Verb.START, heals=True), due=True)
BY_HAND = "the rollout policy is never: restart it by hand"


def started(**more: Any) -> Started:
    return replace(STARTED, view=replace(STARTED.view, **more))


def turn(candidate: Candidate = CODER, **more: Any) -> Turn:
    return replace(TURN_NOW, candidate=candidate, **more)


def for_reasons(*reasons: Reason) -> list[Need]:
    return [replace(RESTART, reason=reason) for reason in reasons]


EXAMPLES = (
    Examples("WHO", WHO, {
        "an operator's request": expect(Who.RELAUNCH, *for_reasons(Reason.REQUESTED)),
        "a change in git": expect(
            Who.COMMIT, *for_reasons(Reason.SPEC, Reason.REMOVED, Reason.MOVED, Reason.NEW)
        ),
        "anything else": expect(
            Who.DRIFT, *for_reasons(*set(Reason) - {
                Reason.REQUESTED, Reason.SPEC, Reason.REMOVED, Reason.MOVED, Reason.NEW,
            })
        ),
    }),
    Examples("OBJECTIONS", OBJECTIONS, {
        "policy: immediately": expect("", replace(ENDING, policy=Policy(on_change="immediately"))),
        "policy: never": expect(BY_HAND, NEVER, replace(NEVER, view=FREE)),
        "may be ended": expect(
            "", replace(ENDING, view=FREE),
            # Neither a stop nor a heal is a change that a person has to make by hand.
            replace(NEVER, view=FREE, need=replace(RESTART, verb=Verb.STOP)),
            replace(NEVER, view=FREE, need=replace(RESTART, heals=True)),
        ),
        "may not be ended": expect(
            "it works: its hook says busy", ENDING,
            replace(NEVER, need=replace(RESTART, verb=Verb.CONFINE)),
            replace(NEVER, need=replace(RESTART, verb=Verb.STOP)),
        ),
    }),
    Examples("BY_AGENT", BY_AGENT, {
        "forced": expect(
            None, replace(WAITING, ending=replace(ENDING, need=replace(RESTART, forced="ada"))),
            replace(WAITING, ending=replace(NEVER, need=replace(RESTART, forced="ada")), now=NOW + 1),
            replace(WAITING, ending=replace(LIMITED, need=replace(RESTART, forced="ada"))),
        ),
        "at its limit": expect(
            ("it is at its usage limit until 3pm", NOW + 60),
            replace(WAITING, ending=LIMITED, objection=""), replace(WAITING, ending=LIMITED, now=NOW + 59),
        ),
        "nothing against it": expect(
            None, replace(WAITING, objection=""), replace(WAITING, objection="", now=NOW),
            replace(WAITING, ending=LIMITED, objection="", now=NOW + 60),  # its time has come
            replace(WAITING, ending=replace(LIMITED, policy=Policy(on_change="immediately")), objection=""),
            replace(WAITING, ending=replace(LIMITED, view=replace(AT_LIMIT, until_at=0.0)), objection=""),
            replace(WAITING, ending=replace(LIMITED, view=replace(AT_LIMIT, stuck="logged-out")), objection=""),
            replace(WAITING, ending=replace(LIMITED, need=replace(RESTART, verb=Verb.STOP)), objection=""),
        ),
        "policy: never": expect(
            ("it works", None), replace(WAITING, ending=NEVER), replace(WAITING, ending=NEVER, now=NOW + 1),
            replace(WAITING, ending=replace(NEVER, view=AT_LIMIT)),
        ),
        "drained for too long": expect(
            ("it works; the drain timeout has passed, and it is not ended by force: stop it by hand, or set on_change",
             None),
            replace(WAITING, now=NOW), replace(WAITING, now=NOW + 1),
        ),
        "draining": expect(("it works", NOW), WAITING),
    }),
    Examples("ORDER", ORDER, {
        "broken orchestrator": expect(0, Candidate(orchestrator=True, repairs_floor=True)),
        "broken enhancer": expect(1, Candidate(orchestrator=False, repairs_floor=True)),
        "agent": expect(2, CODER),
        "orchestrator": expect(3, LEAD),
    }),
    Examples("TURN", TURN, {
        "orchestrator before others": expect(
            "the orchestrator is restarted last",
            turn(LEAD, before=1, limit=9), turn(LEAD, down=1, limit=9), turn(LEAD, draining=True), turn(LEAD, before=1),
        ),
        "too many unavailable": expect(
            "at most 1 agent(s) may be unavailable at once",
            turn(before=1), turn(down=1), turn(down=2), turn(replace(LEAD, repairs_floor=True), down=1),
        ),
        "its turn": expect(
            None, turn(), turn(draining=True), turn(before=1, limit=2), turn(LEAD),
            turn(replace(LEAD, repairs_floor=True), down=1, draining=True, limit=2), turn(before=1, down=1, limit=3),
        ),
    }),
    Examples("CAME_UP", CAME_UP, {
        "does not run": expect(False, started(session="dead", **CLOSED), started(session="unknown", **CLOSED)),
        "ran before": expect(
            False, started(started=NOW - 20 - CLOCK_SLACK_S, **CLOSED), started(started=NOW - 60, **CLOSED)
        ),
        "at a closed dialog": expect(
            True, started(**CLOSED), started(started=NOW - 19 - CLOCK_SLACK_S, **CLOSED),
            started(blank=True, **CLOSED),
        ),
        "has not shown its prompt yet": expect(True, started(blank=True)),
        "came up": expect(
            False, STARTED, started(readiness=Readiness.WAITING, waiting="permission"),
            replace(started(blank=True, started=NOW - SHOWS_S), due=NOW - 99),
            replace(started(blank=True, started=NOW - SHOWS_S - 1), due=NOW - 99),
        ),
    }),
    Examples("COMING_BACK", COMING_BACK, {
        "not to run": expect(False, replace(DOWN, view=make.view(session="dead", desired_state="stopped")),
                             replace(DOWN, view=make.view(session="dead", desired_state="absent"))),
        "not down": expect(False, *(
            replace(DOWN, view=make.view(session=word)) for word in ("alive", "foreign", "unknown")
        )),
        "backs off": expect(False, replace(DOWN, due=False)),
        "no heal": expect(False, replace(DOWN, need=Need(verb=Verb.START))),
        "ends something first": expect(False, replace(DOWN, need=replace(DOWN.need, disrupts=True))),
        "held": expect(False, replace(DOWN, need=replace(DOWN.need, held=HeldReason.MOVING))),
        "comes back": expect(True, DOWN, replace(DOWN, view=make.view(session="missing"))),
    }),
)  # fmt: skip


@pytest.mark.parametrize(("one", "name", "decision", "situation"), params(*EXAMPLES))
def test_row(one: Examples, name: str, decision: Any, situation: Any) -> None:
    check(one, name, decision, situation)


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.name)
def test_shape(one: Examples) -> None:
    check_shape(one)


def test_those_before_it_and_those_that_are_down_count_together() -> None:
    assert first_match(TURN, turn(before=1, down=1, limit=2)).name == "too many unavailable"
    assert first_match(TURN, turn(before=1, down=1, limit=3)).name == "its turn"


def test_a_program_has_half_a_minute_to_show_its_prompt() -> None:
    assert SHOWS_S == 30.0


def test_the_limit_names_those_that_came_up_at_a_dialog() -> None:
    message = next(row.then for row in TURN if row.name == "too many unavailable")
    assert message is not None
    assert message(turn(limit=2, closed=("a", "b"))) == (
        "at most 2 agent(s) may be unavailable at once, and a, b, restarted before, cannot take input"
    )


def hold(
    views: dict[str, AgentView], needs: dict[str, Need], policy: Policy | None = None, **known: AgentHistory
) -> dict[str, Wait]:
    agents = tuple(replace(make_agent(name), agent_class=view.agent_class) for name, view in views.items())
    fleet = make_fleet(*agents, policy=policy or Policy(floor="two-agent"))
    return held_back(needs, views, fleet, History(agents=known), NOW)


def four(**more: Any) -> dict[str, AgentView]:
    """Four agents that may be restarted."""
    roles = {"a": "coder", "b": "coder", "enh": "enhancer", "orch": "orchestrator"}
    views = {name: replace(FREE, name=name, agent_class=role) for name, role in roles.items()}
    return {name: replace(view, **more.get(name, {})) for name, view in views.items()}


ALL = dict.fromkeys(("orch", "b", "a", "enh"), RESTART)
HEAL = replace(RESTART, heals=True, reason=Reason.UNHEALTHY)


def test_one_after_the_other_and_the_orchestrator_last() -> None:
    held = hold(four(), ALL)
    assert {name: wait.message for name, wait in held.items()} == {
        "b": "at most 1 agent(s) may be unavailable at once",
        "enh": "at most 1 agent(s) may be unavailable at once",
        "orch": "the orchestrator is restarted last",
    }
    assert {(wait.reason, wait.since, wait.until) for wait in held.values()} == {
        (HeldReason.MAX_UNAVAILABLE, NOW, None)
    }
    assert hold(four(), {"orch": RESTART}) == {}
    assert set(hold(four(), ALL, Policy(max_unavailable=9))) == {"orch"}


def test_what_the_fleet_cannot_do_without_is_mended_first() -> None:
    assert set(hold(four(), {**ALL, "orch": HEAL})) == {"a", "b", "enh"}
    assert set(hold(four(), {**ALL, "enh": HEAL})) == {"a", "b", "orch"}
    assert set(hold(four(), {**ALL, "enh": HEAL, "orch": HEAL})) == {"a", "b", "enh"}
    assert set(hold(four(), {**ALL, "enh": HEAL}, Policy(floor="none"))) == {"b", "enh", "orch"}


def test_only_what_ends_something_and_is_not_held_is_looked_at() -> None:
    busy = four(a={"readiness": Readiness.WORKING}, b={"readiness": Readiness.WORKING})
    for need in (
        replace(RESTART, verb=None),
        replace(RESTART, disrupts=False),
        replace(RESTART, held=HeldReason.MOVING),
    ):
        assert hold(busy, {"a": need}) == {}
    assert set(hold(busy, {"a": RESTART})) == {"a"}
    assert set(hold(busy, {"a": replace(RESTART, verb=Verb.STOP)})) == {"a"}
    # What is not looked at holds up nobody that comes after it.
    assert set(hold(four(b={"readiness": Readiness.WORKING}), {"a": replace(RESTART, verb=None), "b": RESTART})) == {
        "b"
    }
    # A stop needs no room, and neither does anything else that is no restart.
    assert hold(four(), {"a": replace(RESTART, verb=Verb.CONFINE), "b": RESTART}) == {}
    assert hold(four(), {"a": replace(RESTART, verb=Verb.STOP), "b": RESTART}) == {}


def test_it_waits_from_when_it_is_due_until_the_drain_timeout() -> None:
    busy = four(a={"readiness": Readiness.WORKING})
    policy = Policy(drain_timeout=60.0)
    assert hold(busy, {"a": RESTART}, policy)["a"] == Wait(HeldReason.WORKING, "it works", NOW, NOW + 60)
    known = AgentHistory(waiting_since=NOW - 59)
    assert hold(busy, {"a": RESTART}, policy, a=known)["a"] == Wait(HeldReason.WORKING, "it works", NOW - 59, NOW + 1)
    known = AgentHistory(waiting_since=NOW - 60)
    assert hold(busy, {"a": RESTART}, policy, a=known)["a"].until is None
    assert hold(busy, {"a": RESTART}, policy, a=AgentHistory())["a"].since == NOW


def test_the_orchestrator_follows_those_that_still_drain() -> None:
    busy = four(a={"readiness": Readiness.WORKING})
    two = {"a": RESTART, "orch": RESTART}
    assert hold(busy, two)["orch"].message == "the orchestrator is restarted last"
    # One that never becomes idle does not hold it up for ever, and neither does one that is to be stopped.
    assert set(hold(busy, two, a=AgentHistory(waiting_since=NOW - 9999))) == {"a"}
    assert set(hold(busy, {**two, "a": replace(RESTART, verb=Verb.STOP)})) == {"a"}
    for role in ("tester", "coder"):
        other = {**four(), "x": make.view("x", agent_class=role, readiness=Readiness.WORKING)}
        assert set(hold(other, {"x": RESTART, "orch": RESTART})) == {"x", "orch"}
    leads = {**four(), "lead": make.view("lead", agent_class="orchestrator", readiness=Readiness.WORKING)}
    assert set(hold(leads, {"lead": RESTART, "orch": RESTART})) == {"lead"}


def test_a_role_after_the_orchestrator_in_the_alphabet_is_none() -> None:
    views = {**four(), "z": make.view("z", agent_class="tester", readiness=Readiness.AVAILABLE)}
    assert set(hold(views, {"z": RESTART, "orch": RESTART})) == {"orch"}


def test_others_that_are_down_count() -> None:
    gone = four(b={"session": "missing"})
    start = Need(verb=Verb.START, heals=True)
    assert set(hold(gone, {"a": RESTART, "b": start})) == {"a"}
    assert hold(gone, {"a": RESTART, "b": start}, Policy(max_unavailable=2)) == {}
    # One that backs off may be down for ever.
    late = AgentHistory(delay=60.0, last_start=NOW - 59)
    assert hold(gone, {"a": RESTART, "b": start}, b=late) == {}
    assert set(hold(gone, {"a": RESTART, "b": start}, b=AgentHistory(delay=60.0, last_start=NOW - 90))) == {"a"}
    due = AgentHistory(delay=60.0, last_start=NOW - 60)
    assert set(hold(gone, {"a": RESTART, "b": start}, b=due)) == {"a"}


def test_one_that_waits_for_one_that_backs_off_does_not_count_either() -> None:
    views = four(b={"session": "missing"}, enh={"session": "dead"})
    start = Need(verb=Verb.START, heals=True)
    needs = {"a": RESTART, "b": start, "enh": start}
    agents = tuple(
        replace(make_agent(name), depends_on=("enh",) if name == "b" else ("a",) if name == "enh" else ())
        for name in views
    )
    fleet = make_fleet(*agents)
    assert set(held_back(needs, views, fleet, History(), NOW)) == {"a"}
    two = replace(fleet, policy=Policy(max_unavailable=2))  # one that waits for one that is started counts as well
    assert set(held_back(needs, views, two, History(), NOW)) == {"a"}
    late = History(agents={"enh": AgentHistory(delay=60.0, last_start=NOW)})
    assert held_back(needs, views, fleet, late, NOW) == {}
    # What it depends on could not be seen, or is not to run.
    for word in ("unknown", "foreign"):
        assert held_back(needs, {**views, "enh": replace(views["enh"], session=word)}, fleet, late, NOW) == {}
    assert held_back(needs, {**views, "a": replace(views["a"], session="alive")}, fleet, late, NOW) == {}
    views["enh"] = replace(views["enh"], desired_state="absent")
    assert set(held_back(needs, views, fleet, late, NOW)) == {"a"}
    views["enh"] = replace(views["enh"], desired_state="stopped")
    assert set(held_back(needs, views, fleet, late, NOW)) == {"a"}


def test_one_that_settles_counts() -> None:
    settles = {"health": Health.SETTLING}
    assert set(hold(four(b=settles), {"a": RESTART})) == {"a"}
    for state in ("stopped", "absent"):
        assert hold(four(b={**settles, "desired_state": state}), {"a": RESTART}) == {}
    for word in (Health.UNHEALTHY, Health.UNKNOWN, Health.HEALTHY):
        assert hold(four(b={"health": word}), {"a": RESTART}) == {}
    # One that both settles and came up at a dialog counts once, and as down.
    both = four(b={**settles, **CLOSED, "started": NOW - 5})
    assert set(hold(both, {"a": RESTART}, a=AgentHistory(waiting_since=NOW - 60))) == {"a"}
    assert hold(four(a=settles), {"a": RESTART}) == {}  # it is the candidate itself


def test_one_that_came_up_at_a_dialog_holds_the_others() -> None:
    shut = four(b={**CLOSED, "started": NOW - 5}, enh={**CLOSED, "started": NOW - 4})
    held = hold(shut, {"a": RESTART}, a=AgentHistory(waiting_since=NOW - 60))
    assert held["a"].message.endswith("and b, enh, restarted before, cannot take input")
    assert hold(shut, {"a": RESTART}, a=AgentHistory(waiting_since=NOW - 1)) == {}  # they stood there before
    # The first of the candidates counts; and a candidate that stands there itself does not hold itself.
    known: dict[str, Any] = {"a": AgentHistory(waiting_since=NOW - 60), "b": AgentHistory(waiting_since=NOW - 1)}
    assert set(hold(shut, {"a": RESTART, "b": RESTART}, **known)) == {"a", "b"}
    quiet = four(b={**CLOSED, "started": NOW - 5, "quiet": True})
    assert set(hold(quiet, {"b": RESTART}, b=AgentHistory(waiting_since=NOW - 60))) == set()


def test_the_objection_is_the_same_for_whoever_asks() -> None:
    assert objection(WORKS, RESTART, Policy()) == "it works: its hook says busy"
    assert objection(WORKS, RESTART, Policy(on_change="immediately")) == ""
    assert objection(FREE, RESTART, Policy(on_change="never")) == BY_HAND


def test_a_restart_at_a_limit_is_held_until_it_ends_and_holds_nobody_up() -> None:
    """The orchestrator waits for agents that may become idle soon, and not for one that is at its limit till noon."""
    at_limit = {"readiness": Readiness.STUCK, "stuck": "limit", "until": "noon", "until_at": NOW + 3600}
    views = four(a=at_limit)
    needs = dict.fromkeys(("a", "orch"), RESTART)
    held = hold(views, needs, Policy(floor="two-agent", max_unavailable=2))
    assert {name: (wait.reason, wait.until) for name, wait in held.items()} == {"a": (HeldReason.LIMIT, NOW + 3600)}
