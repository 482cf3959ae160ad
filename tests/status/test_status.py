"""From a run to a status: conditions, agents, the run's name and its exit code."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from providers.base import Health, HeldReason, Kind, Reason, Verb
from reconciler.errors import ExitCode
from reconciler.model import AgentHistory, History, Outcome, Plan
from reconciler.status.assess import verdict
from reconciler.status.conditions import ConditionReason, ConditionStatus, ConditionType
from reconciler.status.document import status_document, status_from_bytes, status_text
from reconciler.status.status import FleetStatus, unready_status
from reconciler.status.values import Pause
from specs.compiled import Suspension
from tests import builders as make
from tests.materials import parsed

NOW = make.NOW
R, S, T = ConditionReason, ConditionStatus, ConditionType
DOCS = Path(__file__).parents[2] / "docs"


def judged(status: FleetStatus, kind: ConditionType) -> tuple[ConditionStatus, ConditionReason]:
    found = status.condition(kind)
    assert found is not None
    return found.status, found.reason


def test_every_reason_is_explained() -> None:
    page = (DOCS / "conditions.md").read_text()
    named = set(re.findall(r"^\| `([^`]+)`", page, re.MULTILINE))
    enums = {*ConditionReason, *HeldReason, *Reason}
    assert named == {str(word) for word in enums}


READY = [
    (make.plan(), (), S.TRUE, R.CONVERGED),
    (make.plan(refused=("no",), actions=(make.action(),)), (), S.FALSE, R.REFUSED_BY_GUARD),
    (make.plan(), (make.outcome(result="failed", error="boom"),), S.FALSE, R.ACTIONS_FAILED),
    (make.plan(), (make.outcome(result="failed", error="boom"), make.outcome()), S.TRUE, R.CONVERGED),
    (make.plan(held=(make.held(HeldReason.CRASH_LOOP),)), (), S.FALSE, R.CRASH_LOOP),
    (make.plan(unknown={Kind.SESSION: "tmux hangs"}), (), S.UNKNOWN, R.OBSERVATION_INCOMPLETE),
    (make.plan(held=(make.held(HeldReason.NOT_OWNED),)), (), S.FALSE, R.NOT_OWNED),
    (make.plan(actions=(make.action(),)), (), S.FALSE, R.CHANGES_PENDING),
    (make.plan(settling=("coder0",)), (), S.FALSE, R.AGENTS_SETTLING),
    (make.plan(views={"coder0": make.view(health=Health.UNHEALTHY)}), (), S.FALSE, R.AGENTS_UNHEALTHY),
    (make.plan(held=(make.held(),)), (), S.FALSE, R.CHANGES_HELD),
]


@pytest.mark.parametrize(("plan", "outcomes", "status", "reason"), READY, ids=[f"{r[3]}-{r[2]}" for r in READY])
def test_ready(plan: Plan, outcomes: tuple[Outcome, ...], status: ConditionStatus, reason: ConditionReason) -> None:
    found = make.status(plan=plan, outcomes=outcomes)
    assert judged(found, T.READY) == (status, reason)
    assert (found.last_success == NOW) == (status is S.TRUE)


def test_a_stopped_or_suspended_agent_may_be_unhealthy() -> None:
    ill = make.view(health=Health.UNHEALTHY)
    stopped = make.plan(views={"coder0": replace(ill, desired_state="stopped")})
    assert judged(make.status(plan=stopped), T.READY)[0] is S.TRUE
    suspended = {"coder0": Suspension(reason="r", by="b", until=None)}
    assert judged(make.status(plan=make.plan(views={"coder0": ill}), suspended=suspended), T.READY)[0] is S.TRUE


def test_since_moves_with_the_status_and_not_with_the_reason() -> None:
    first = make.status(plan=make.plan(actions=(make.action(),)))
    second = make.status(first, plan=make.plan(held=(make.held(),)), now=NOW + 10)
    third = make.status(second, now=NOW + 20)
    assert [one.condition(T.READY).since for one in (first, second, third) if one.condition(T.READY)] == [  # type: ignore[union-attr]
        NOW,
        NOW,
        NOW + 20,
    ]
    assert third.last_success == NOW + 20
    assert make.status(third, plan=make.plan(held=(make.held(),)), now=NOW + 30).last_success == NOW + 20


@pytest.mark.parametrize(
    ("reason", "ready", "stalled"),
    [
        (R.REVISION_ACCEPTED, S.TRUE, S.FALSE),
        (R.NOT_FETCHED, S.TRUE, S.FALSE),
        (R.SOURCE_UNREACHABLE, S.FALSE, S.FALSE),
        (R.INVALID_CONFIGURATION, S.FALSE, S.TRUE),
        (R.VERIFICATION_FAILED, S.FALSE, S.TRUE),
        (R.NOT_A_DESCENDANT, S.FALSE, S.TRUE),
    ],
)
def test_the_source(reason: ConditionReason, ready: ConditionStatus, stalled: ConditionStatus) -> None:
    found = make.status(source=make.source(reason, attempted="b" * 40, message="why"))
    assert judged(found, T.SOURCE_READY) == (ready, reason)
    assert judged(found, T.STALLED)[0] is stalled
    assert (found.attempted_revision, found.applied_revision) == ("b" * 40, make.SHA)


def test_one_failure_is_not_yet_a_stall() -> None:
    failed = (make.outcome(result="failed", error="boom"),)
    first = make.status(outcomes=failed)
    assert judged(first, T.STALLED)[0] is S.FALSE
    second = make.status(first, outcomes=failed, now=NOW + 60)
    assert judged(second, T.STALLED) == (S.TRUE, R.ACTIONS_FAILED)
    assert second.failed[0].since == NOW
    other = make.status(second, outcomes=(make.outcome(result="failed", error="bang"),), now=NOW + 90)
    assert judged(other, T.STALLED)[0] is S.FALSE
    assert other.failed[0].since == NOW + 90


def test_a_backoff_is_not_yet_a_stall_and_a_quarantine_is() -> None:
    waits = make.plan(held=(make.held(HeldReason.CRASH_LOOP, "coder0"),))
    assert judged(make.status(plan=waits), T.STALLED)[0] is S.FALSE
    known = History(agents={"coder0": AgentHistory(quarantined_since=NOW - 5)})
    assert judged(make.status(plan=waits, history=known), T.STALLED) == (S.TRUE, R.CRASH_LOOP)


def test_hands_off() -> None:
    pulled = make.status(pause=Pause(reason="storm", by="ada", since=NOW), plan=make.plan(paused="storm"))
    assert judged(pulled, T.PAUSED) == (S.TRUE, R.KILL_SWITCH)
    whole = make.status(suspended={"*": Suspension(reason="move", by="ada", until=None)})
    assert judged(whole, T.PAUSED) == (S.TRUE, R.FLEET_SUSPENDED)
    one = make.status(suspended={"coder0": Suspension(reason="move", by="ada", until=None)})
    assert judged(one, T.PAUSED) == (S.FALSE, R.NOT_PAUSED)


def test_observed_and_reconciling() -> None:
    assert judged(make.status(), T.OBSERVED) == (S.TRUE, R.EVERYTHING_SEEN)
    partly = make.plan(unknown={Kind.LINGER: "?"})
    assert judged(make.status(plan=partly), T.OBSERVED) == (S.FALSE, R.PARTLY_UNKNOWN)
    blind = make.plan(unknown=dict.fromkeys(Kind, "?"))
    assert judged(make.status(plan=blind), T.OBSERVED) == (S.FALSE, R.NOTHING_SEEN)
    assert judged(make.status(), T.RECONCILING) == (S.FALSE, R.IDLE)
    assert judged(make.status(plan=make.plan(actions=(make.action(),))), T.RECONCILING)[0] is S.TRUE
    assert judged(make.status(plan=make.plan(actions=(make.action(),), paused="x")), T.RECONCILING)[0] is S.FALSE


def test_an_agent_in_one_row() -> None:
    known = History(agents={"coder0": AgentHistory(restarts=3, in_sync_since=NOW - 50)})
    row = make.status(history=known).agents[0]
    assert (row.desired, row.live, row.in_sync, row.in_sync_since, row.restarts) == (
        "running",
        "running",
        True,
        NOW - 50,
        3,
    )
    due = make.status(plan=make.plan(actions=(make.action(Verb.RESTART, reason=Reason.SPEC),))).agents[0]
    assert (due.in_sync, due.next_verb, due.next_reason, due.next_at) == (False, "restart", "spec-changed", NOW)
    waits = make.status(plan=make.plan(held=(make.held(agent="coder0"),))).agents[0]
    assert (waits.next_verb, waits.next_reason, waits.next_at) == ("restart", "working", 0.0)
    assert (waits.held, waits.why) == ("working", "it works")


def test_an_agents_record_joins_all_its_signs() -> None:
    """And comes back from the document as it was; a document from before these were in it still reads."""
    found = make.status()
    row = found.agents[0]
    assert (row.pid, row.started, row.last_activity) == (4242, NOW - 7200, NOW - 5)
    assert (row.heartbeat, row.heartbeat_age) == ("ok", 3.0)
    assert status_from_bytes(status_text(found).encode()).agents == found.agents
    ended = make.view(session="dead", heartbeat="unknown", heartbeat_age=None, last_activity=0.0)
    document = status_document(make.status(plan=make.plan(views={"coder0": ended})))
    (agent,) = parsed(document["agents"])
    assert (agent["pid"], agent["last_activity"], agent["heartbeat_age"]) == (None, None, None)
    for name in ("pid", "started", "last_activity", "heartbeat", "heartbeat_age"):
        del agent[name]
    (older,) = status_from_bytes(json.dumps(document).encode()).agents
    assert (older.pid, older.started, older.heartbeat, older.heartbeat_age) == (0, 0.0, "unknown", None)


def test_in_sync_since_is_carried_on() -> None:
    first = make.status()
    assert make.status(first, now=NOW + 60).agents[0].in_sync_since == NOW


@pytest.mark.parametrize(
    ("plan", "results", "outcome", "code"),
    [
        (make.plan(), (), "converged", ExitCode.OK),
        (make.plan(), ("done", "unchanged"), "converged", ExitCode.OK),
        (make.plan(paused="x", held=(make.held(HeldReason.PAUSED),)), (), "paused", ExitCode.OK),
        (make.plan(refused=("no",)), ("done",), "refused", ExitCode.REFUSED),
        (make.plan(), ("failed",), "failed", ExitCode.FAILED),
        (make.plan(), ("done", "failed"), "partial", ExitCode.FAILED),
        (make.plan(unknown={Kind.SESSION: "?"}), (), "failed", ExitCode.UNAVAILABLE),
        (make.plan(unknown={Kind.LINGER: "?"}), (), "partial", ExitCode.FAILED),
        (make.plan(actions=(make.action(),)), (), "partial", ExitCode.FAILED),
        (make.plan(settling=("coder0",)), ("done",), "partial", ExitCode.UNHEALTHY),
        (make.plan(held=(make.held(),)), (), "held", ExitCode.FAILED),
        (make.plan(held=(make.held(HeldReason.SUSPENDED),)), (), "held", ExitCode.OK),
    ],
)
def test_the_name_of_a_run_and_its_exit_code(
    plan: Plan, results: tuple[str, ...], outcome: str, code: ExitCode
) -> None:
    done = tuple(make.outcome(make.action(agent=f"a{i}"), result) for i, result in enumerate(results))
    assert verdict(plan, done) == (outcome, code)


def test_a_fleet_without_a_desired_state() -> None:
    bad = make.source(R.INVALID_CONFIGURATION, attempted="b" * 40, applied="", message="roster.yaml:1:1")
    found = unready_status(None, fleet="demo", tenant_id="ada", host="build-1", source=bad, now=NOW)
    assert judged(found, T.READY) == (S.UNKNOWN, R.NO_DESIRED_STATE)
    assert judged(found, T.STALLED) == (S.TRUE, R.REVISION_REJECTED)
    later = unready_status(make.status(), fleet="demo", tenant_id="ada", host="build-1", source=bad, now=NOW + 9)
    assert [one.type for one in later.conditions] == list(T)
    assert later.agents  # as they were last seen


def test_a_failure_that_was_not_tried_again_is_still_there() -> None:
    due = make.plan(actions=(make.action(),))
    first = make.status(plan=due, outcomes=(make.outcome(result="failed", error="boom"),))
    second = make.status(first, plan=due, now=NOW + 60)
    assert second.failed == first.failed
    assert judged(second, T.STALLED)[0] is S.FALSE
    third = make.status(second, plan=due, outcomes=(make.outcome(result="failed", error="boom"),), now=NOW + 90)
    assert judged(third, T.STALLED)[0] is S.TRUE
    fourth = make.status(third, plan=due, now=NOW + 120)
    assert judged(fourth, T.STALLED)[0] is S.TRUE
    assert make.status(fourth, now=NOW + 150).failed == ()
