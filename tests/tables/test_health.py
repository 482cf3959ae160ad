"""Whether an agent is as git says, row by row, and what its signs of work say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from providers.base import Health, Kind, Present, ResourceKey
from providers.evidence import NO_PANE, SessionEvidence
from reconciler.observe.attribution import CLOCK_SLACK_S, AttributedHeartbeat
from reconciler.observe.health import (
    EXEC_GRACE_S,
    HEALTHS,
    SESSIONS,
    START_GRACE_S,
    HealthFacts,
    SessionFacts,
    ended,
    health_of,
    session_state,
)
from reconciler.observe.signs_of_work import (
    QUIET,
    TURN_COUNTS,
    NewestWords,
    SignsOfWork,
    is_hung,
    is_quiet,
    newest_word,
    says_done,
)
from tests.builders import NOW
from tests.tables.fleets import make_agent
from tests.tables.rows import Examples, check, check_shape, expect, params

NAME = "coder0"
AGENT = make_agent(NAME)
PANE = replace(NO_PANE, session=NAME)
SEEN = SessionEvidence(pane=PANE, alive=True, program="stub", pids=(7,))
OK = AttributedHeartbeat("ok", 5.0, NOW - 5, "", own=True, source="native")
STALE = replace(OK, state="stale", note="last heartbeat 90 s ago", stale_after=45.0)
WELL = HealthFacts(agent=AGENT, active="active", session="alive", seen=SEEN, age=600.0, heartbeat=OK)
STOPPED = make_agent(NAME, state="stopped")


def but(**more: Any) -> HealthFacts:
    return replace(WELL, **more)


def of(evidence: SessionEvidence | None, *, hidden: bool = False, ours: bool = True) -> SessionFacts:
    key = ResourceKey(Kind.SESSION, NAME)
    session = Present(key=key, agent=NAME, ours=ours, fields={}, evidence=evidence) if evidence is not None else None
    return SessionFacts(hidden=hidden, session=session)


def launching(age: float, **more: Any) -> HealthFacts:
    return but(seen=replace(SEEN, launching=True, **more), age=age)


VIM = replace(SEEN, program="vim")
UNKNOWN, HEALTHY, UNHEALTHY, SETTLING = Health.UNKNOWN, Health.HEALTHY, Health.UNHEALTHY, Health.SETTLING
SIGNS = SignsOfWork(unreadable=False, own_ok=False, said_ok=False, stale=False, known=True, idle=True)
HOOK = AttributedHeartbeat("ok", 5.0, NOW - 5, "", own=True, source="hook")
NO_TURN = AttributedHeartbeat("unknown", None, 0.0, "no turn record")

EXAMPLES = (
    Examples("SESSIONS", SESSIONS, {
        "could not be looked at": expect("unknown", of(SEEN, hidden=True), of(None, hidden=True)),
        "out of reach": expect("unknown", of(replace(SEEN, hidden=True)), of(SessionEvidence(hidden=True))),
        "none": expect("missing", of(None), of(SessionEvidence(alive=True)), of(SessionEvidence(), ours=False)),
        "somebody else's": expect("foreign", of(SEEN, ours=False)),
        "alive": expect("alive", of(SEEN)),
        "dead": expect("dead", of(replace(SEEN, alive=False))),
    }),
    Examples("HEALTHS", HEALTHS, {
        "undeclared": expect((UNKNOWN, "not declared in git"), but(agent=None), but(agent=None, session="unknown")),
        "its entry is wrong": expect(
            (UNKNOWN, "line 3"), but(agent=replace(AGENT, held="line 3")),
            but(agent=replace(AGENT, held="line 3", state="absent"), session="unknown"),
        ),
        "unseen": expect(
            (UNKNOWN, "could not be seen"), but(session="unknown"), but(active="unknown"),
            but(agent=STOPPED, active="unknown"), but(agent=STOPPED, session="unknown"),
        ),
        "not to run, and gone": expect(
            (HEALTHY, ""), *(but(agent=STOPPED, session="missing", active=word) for word in ("inactive", "failed")),
            but(agent=make_agent(NAME, state="absent"), session="missing", active="inactive"),
        ),
        "not to run, and here": expect(
            (UNHEALTHY, "should be stopped, still here"), but(agent=STOPPED), but(agent=STOPPED, session="dead"),
            but(agent=STOPPED, session="missing"), but(agent=STOPPED, active="inactive"),
            but(agent=STOPPED, session="missing", active="activating"),
        ),
        "its unit is on its way": expect(
            (SETTLING, "its unit is activating"), but(active="activating"), but(active="activating", session="foreign"),
        ),
        "foreign": expect((UNKNOWN, "a session of this name exists that is not ours"), but(session="foreign")),
        "missing": expect((UNHEALTHY, "it has no session"), but(session="missing"),
                          but(session="missing", active="inactive")),
        "dead": expect((UNHEALTHY, "its program has ended"), but(session="dead"), but(session="dead", heartbeat=STALE)),
        "launching": expect((SETTLING, "it is starting"), launching(0.0), launching(START_GRACE_S - 0.1),
                            launching(5.0, program="sh")),
        "launching for too long": expect(
            (UNHEALTHY, "its launch does not finish"), launching(START_GRACE_S), launching(START_GRACE_S + 1),
            launching(99.0, program="sh"),
        ),
        "another program, a moment old": expect(
            (SETTLING, "it is starting"), but(seen=VIM, age=0.0), but(seen=VIM, age=EXEC_GRACE_S - 0.1),
            but(seen=replace(SEEN, program="a"), age=0.5),
        ),
        "another program": expect(
            (UNHEALTHY, '"vim" runs in its pane, not stub'), but(seen=VIM, age=EXEC_GRACE_S), but(seen=VIM, age=1.5),
            but(seen=VIM, heartbeat=STALE), but(seen=replace(SEEN, program="vim"), age=2.0),
        ),
        "silent": expect(
            (UNHEALTHY, "last heartbeat 90 s ago"), but(heartbeat=STALE), but(heartbeat=STALE, active="failed"),
        ),
        "its unit does not run": expect(
            (UNHEALTHY, "its unit is failed"), but(active="failed"),
            but(active="failed", heartbeat=replace(OK, state="unknown")),
            but(active="failed", heartbeat=replace(STALE, own=False)),
        ),
        "healthy": expect((HEALTHY, ""), WELL, but(heartbeat=replace(STALE, own=False)), but(age=0.0)),
    }, outcome=lambda made: made),
    Examples("TURN_COUNTS", TURN_COUNTS, {
        "no turn record": expect(
            False, NewestWords(heartbeat=OK, turn=NO_TURN), NewestWords(heartbeat=replace(OK, own=False), turn=NO_TURN),
        ),
        "the heartbeat is not its own": expect(
            True, NewestWords(heartbeat=replace(OK, own=False), turn=HOOK),
            NewestWords(heartbeat=replace(OK, own=False), turn=replace(HOOK, ts=NOW - 50)),
        ),
        "the turn is as new": expect(
            True, NewestWords(heartbeat=OK, turn=HOOK), NewestWords(heartbeat=OK, turn=replace(HOOK, ts=NOW - 4)),
        ),
        "the heartbeat is newer": expect(False, NewestWords(heartbeat=OK, turn=replace(HOOK, ts=NOW - 6))),
    }),
    Examples("QUIET", QUIET, {
        "an unknown screen": expect(
            None, replace(SIGNS, unreadable=True), replace(SIGNS, unreadable=True, stale=True, said_ok=True),
        ),
        "its program has spoken": expect(
            True, replace(SIGNS, stale=True, said_ok=True, idle=False),
            replace(SIGNS, stale=True, said_ok=True, known=False),
            replace(SIGNS, stale=True, said_ok=True, unreadable=True, own_ok=True, idle=False),
        ),
        "no sign at all": expect(
            None, replace(SIGNS, known=False), replace(SIGNS, known=False, stale=True),
            replace(SIGNS, known=False, said_ok=True),
        ),
        "idle": expect(True, SIGNS, replace(SIGNS, unreadable=True, own_ok=True)),
        "active": expect(False, replace(SIGNS, idle=False), replace(SIGNS, idle=False, stale=True),
                         replace(SIGNS, idle=False, said_ok=True)),
    }),
)  # fmt: skip


@pytest.mark.parametrize(("one", "name", "decision", "situation"), params(*EXAMPLES))
def test_row(one: Examples, name: str, decision: Any, situation: Any) -> None:
    if one.table is HEALTHS:
        assert next(row.name for row in HEALTHS if row.when(situation)) == name
        assert health_of(situation) == decision
    else:
        check(one, name, decision, situation)


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.name)
def test_shape(one: Examples) -> None:
    check_shape(one)


def test_words_of_health() -> None:
    assert health_of(but(active="deactivating")) == (SETTLING, "its unit is deactivating")
    assert health_of(but(job="restart")) == (SETTLING, "its unit is active")
    other = replace(AGENT, native_heartbeat=False)
    assert health_of(but(agent=other, heartbeat=STALE)) == (UNHEALTHY, "last heartbeat 90 s ago, not native")
    with_status = replace(SEEN, pane=replace(PANE, dead_status=0))
    assert health_of(but(session="dead", seen=with_status))[1] == "its program has ended with status 0"
    assert ended(SEEN) == "its program has ended"
    bash = replace(SEEN, program="bash")
    assert health_of(but(seen=bash))[1] == '"bash" runs in its pane, not stub'
    assert health_of(but(active="a"))[1] == "its unit is a"
    assert health_of(but(heartbeat=replace(OK, state="unknown"))) == (HEALTHY, "")
    assert (START_GRACE_S, EXEC_GRACE_S) == (30.0, 1.0)


def test_the_words_for_a_session() -> None:
    assert session_state(of(SEEN).session, hidden=False) == "alive"
    assert session_state(of(SEEN).session, hidden=True) == "unknown"


def test_the_newest_word() -> None:
    assert newest_word(OK, HOOK) is HOOK
    assert newest_word(OK, NO_TURN) is OK
    assert newest_word(OK, replace(HOOK, ts=NOW - 6)) is OK
    assert is_quiet(SIGNS) is True
    assert is_quiet(replace(SIGNS, known=False)) is None


LAST = NOW - 5.0


@pytest.mark.parametrize(
    ("beat", "turn", "last", "says"),
    [
        # Its hooks: a little may be painted after they have run.
        (NO_TURN, HOOK, LAST, (True, True)),
        (NO_TURN, HOOK, LAST + CLOCK_SLACK_S, (True, True)),
        (NO_TURN, HOOK, LAST + CLOCK_SLACK_S + 0.1, (False, True)),
        (NO_TURN, HOOK, LAST - 60, (True, True)),
        (NO_TURN, HOOK, 0.0, (False, True)),
        (NO_TURN, replace(HOOK, status="busy"), LAST - 60, (False, False)),
        (NO_TURN, replace(HOOK, note="another process"), LAST - 60, (False, False)),
        # Its own heartbeat: only one that comes after the last output.
        (OK, NO_TURN, LAST - 0.1, (True, True)),
        (OK, NO_TURN, LAST, (False, True)),
        (OK, NO_TURN, LAST + 9, (False, True)),
        (OK, NO_TURN, 1.0, (True, True)),
        (OK, NO_TURN, 0.0, (False, True)),
        (replace(OK, own=False), NO_TURN, LAST - 60, (False, False)),
        (replace(OK, state="busy", status="busy"), NO_TURN, LAST - 60, (False, False)),
        (replace(OK, state="stale"), NO_TURN, LAST - 60, (False, False)),
        # The newer of both counts.
        (replace(OK, ts=NOW), replace(HOOK, status="busy"), LAST - 60, (True, True)),
        (replace(OK, ts=NOW, state="busy", status="busy"), HOOK, LAST - 60, (False, False)),
        (replace(OK, ts=NOW - 9), replace(HOOK, ts=NOW - 3), NOW - 4, (True, True)),
    ],
)
def test_it_says_that_it_is_done(
    beat: AttributedHeartbeat, turn: AttributedHeartbeat, last: float, says: tuple[bool, bool]
) -> None:
    assert says_done(newest_word(beat, turn), beat, turn, last, AGENT) == says
    assert says_done(newest_word(beat, turn), beat, turn, last, None) == says


def test_a_heartbeat_that_is_not_native_is_not_its_word() -> None:
    other = replace(AGENT, native_heartbeat=False)
    assert says_done(newest_word(OK, NO_TURN), OK, NO_TURN, LAST - 60, other) == (False, False)
    assert says_done(newest_word(OK, HOOK), OK, HOOK, LAST - 60, other) == (True, True)


QUIET_PANE = replace(SEEN, pane=replace(PANE, activity=NOW - 60), idle_s=46.0)


@pytest.mark.parametrize(
    ("agent", "beat", "seen", "hung"),
    [
        (AGENT, STALE, QUIET_PANE, True),
        (AGENT, STALE, replace(QUIET_PANE, idle_s=45.1), True),
        (AGENT, STALE, replace(QUIET_PANE, idle_s=45.0), False),
        (AGENT, STALE, replace(QUIET_PANE, idle_s=None), False),
        (AGENT, STALE, replace(QUIET_PANE, pane=PANE), False),
        (AGENT, replace(STALE, own=False), QUIET_PANE, False),
        (AGENT, replace(STALE, state="ok"), QUIET_PANE, False),
        (AGENT, replace(STALE, state="unknown"), QUIET_PANE, False),
        (AGENT, replace(STALE, stale_after=-0.5), replace(QUIET_PANE, idle_s=None), True),
        (AGENT, replace(STALE, stale_after=0.0), replace(QUIET_PANE, idle_s=None), False),
        (AGENT, replace(STALE, stale_after=0.0), replace(QUIET_PANE, idle_s=0.1), True),
        (replace(AGENT, native_heartbeat=False), STALE, QUIET_PANE, False),
        (None, STALE, QUIET_PANE, False),
    ],
)
def test_hung(agent: Any, beat: AttributedHeartbeat, seen: SessionEvidence, hung: bool) -> None:
    assert is_hung(agent, beat, seen) is hung
