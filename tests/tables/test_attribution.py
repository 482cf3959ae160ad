"""How a heartbeat and the record of a turn are judged, row by row."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from providers.base import Kind, Present, ResourceKey, unclear
from providers.evidence import HeartbeatRecords, SessionEvidence
from providers.host import HeartbeatFile
from reconciler.model import Observation
from reconciler.observe.attribution import (
    ATTRIBUTION,
    CLOCK_SLACK_S,
    HEARTBEATS,
    NO_HEARTBEAT,
    NOTHING,
    TURNS,
    AttributedHeartbeat,
    AttributedRecord,
    WrittenRecord,
    credited,
    interval_of,
    judge_heartbeat,
    judge_turn,
)
from specs.compiled import Heartbeats
from tests.builders import NOW
from tests.tables.rows import Examples, check, check_shape, expect, params

NAME = "coder0"
KEY = ResourceKey(Kind.HEARTBEAT, NAME)
FILE = HeartbeatFile(ts=NOW - 5, pid=7, status="ok")
PANE = SessionEvidence(alive=True, pids=(7, 8), started=NOW - 60)
WRITTEN = WrittenRecord(FILE, NOW - 5, 5.0, PANE)
SAID = AttributedHeartbeat("ok", 5.0, NOW - 5, "", own=True, status="ok", source="native")
KNOWN = AttributedRecord(hidden="", found=True, said=SAID, future_s=45.0, stale_after=60.0)
LONG_AGO = NOW - 60 - CLOCK_SLACK_S - 1


def written(*, session: SessionEvidence = PANE, ts: float = NOW - 5, **more: Any) -> WrittenRecord:
    return WrittenRecord(replace(FILE, **more), ts, NOW - ts, session)


def known(**more: Any) -> AttributedRecord:
    said = replace(SAID, **{word: more.pop(word) for word in list(more) if word in ("age", "note", "state")})
    return replace(KNOWN, said=said, **more)


def _note(said: AttributedHeartbeat) -> tuple[str, str]:
    return said.state, said.note


ELSE = "written by pid 9, which is not in the pane"
EXAMPLES = (
    Examples("ATTRIBUTION", ATTRIBUTION, {
        "unreadable": expect(
            ("unknown", "too large"), written(error="too large"), written(error="too large", session=SessionEvidence())
        ),
        "no process": expect(
            ("unknown", "no process to credit it to"), written(session=SessionEvidence()),
            written(session=replace(PANE, alive=False), ts=LONG_AGO, pid=9),
        ),
        "an earlier life": expect(
            ("unknown", "from before this process started"), written(ts=LONG_AGO), written(ts=LONG_AGO, pid=9),
            written(ts=NOW - 60 - CLOCK_SLACK_S - 0.1),
        ),
        "another process": expect(("unknown", ELSE), written(pid=9), written(pid=9, ts=NOW - 60 - CLOCK_SLACK_S)),
        "its own": expect(
            ("ok", ""), WRITTEN, written(pid=8), written(pid=9, session=replace(PANE, pids=())),
            written(ts=LONG_AGO, session=replace(PANE, started=0.0)), written(ts=NOW - 60 - CLOCK_SLACK_S),
            written(status="else"), written(status="a"), written(status=""),
        ),
    }, outcome=_note),
    Examples("HEARTBEATS", HEARTBEATS, {
        "unseen": expect(
            ("unknown", "no answer"), known(hidden="no answer"), replace(KNOWN, hidden="no answer", found=False)
        ),
        "none": expect(("unknown", NO_HEARTBEAT), replace(KNOWN, found=False)),
        "not about this process": expect(("ok", ELSE), known(note=ELSE), known(note=ELSE, age=999.0)),
        "from the future": expect(("unknown", "its time lies in the future"), known(age=-45.1), known(age=-46.0)),
        "too old": expect(("stale", "last heartbeat 61 s ago"), known(age=60.6), known(age=61.4)),
        "in time": expect(("ok", ""), KNOWN, known(age=60.0), known(age=-45.0), known(age=0.0)),
    }, outcome=_note),
)  # fmt: skip


@pytest.mark.parametrize(("one", "name", "decision", "situation"), params(*EXAMPLES))
def test_row(one: Examples, name: str, decision: Any, situation: Any) -> None:
    check(one, name, decision, situation)


TURNING = {"none": None, "not about this process": replace(SAID, note=ELSE), "its newest word": SAID}


@pytest.mark.parametrize("name", TURNING)
def test_row_of_a_turn(name: str) -> None:
    said = TURNING[name]
    row = next(row for row in TURNS if row.when(said))
    assert row.name == name
    assert row.then(said or NOTHING) == (said or NOTHING)


@pytest.mark.parametrize("one", [*EXAMPLES, Examples("TURNS", TURNS, {})], ids=lambda one: one.name)
def test_shape(one: Examples) -> None:
    check_shape(one)
    assert list(TURNING) == [row.name for row in TURNS]


def test_what_is_not_a_number_is_too_old() -> None:
    assert HEARTBEATS[4].when(known(age=math.nan))
    assert not HEARTBEATS[3].when(known(age=math.nan))


def look(beat: HeartbeatFile = FILE, turn: HeartbeatFile | None = None, **more: Any) -> Observation:
    found = Present(key=KEY, agent=NAME, ours=True, fields={}, evidence=HeartbeatRecords(heartbeat=beat, turn=turn))
    usual: dict[str, Any] = {"present": {KEY: found}, "unknown": {}, "taken_at": NOW, "digest": "d"}
    return Observation(**{**usual, **more})


RULES = Heartbeats(interval=15.0, stale_after=45.0)


def judged(beat: HeartbeatFile = FILE, **more: Any) -> AttributedHeartbeat:
    return judge_heartbeat(look(beat, **more), NAME, PANE, RULES)


def test_a_heartbeat_of_its_own() -> None:
    assert judged() == replace(SAID, stale_after=45.0)
    assert judged(replace(FILE, status="busy")) == replace(SAID, state="busy", status="busy", stale_after=45.0)
    assert judged(replace(FILE, ts=NOW + 3)).age == 0.0
    assert judged(replace(FILE, ts=NOW)).age == 0.0
    assert judged(replace(FILE, ts=NOW - 1)).age == 1.0
    assert judged(replace(FILE, ts=NOW + 45)).state == "ok"
    future = judged(replace(FILE, ts=NOW + 46))
    assert (future.state, future.age, future.ts, future.own) == ("unknown", -46.0, NOW + 46, False)
    old = judged(replace(FILE, ts=NOW - 46, status="busy"))
    assert old == AttributedHeartbeat(
        "stale", 46.0, NOW - 46, "last heartbeat 46 s ago", own=True, status="busy", stale_after=45.0, source="native"
    )
    assert judged(replace(FILE, ts=NOW - 45)).state == "ok"


def test_the_interval_of_its_writer_counts_where_it_is_longer() -> None:
    slow = replace(FILE, ts=NOW - 60, words={"interval": "20"})
    assert (judged(slow).state, judged(slow).stale_after) == ("ok", 60.0)
    older = replace(PANE, started=NOW - 600)
    assert judge_heartbeat(look(replace(slow, ts=NOW - 60.5)), NAME, older, RULES).state == "stale"
    assert judge_heartbeat(look(replace(FILE, ts=NOW - 45.5)), NAME, older, RULES).state == "stale"
    assert judged(replace(FILE, words={"interval": "5"})).stale_after == 45.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 0.0), ("x", 0.0), ("20", 20.0), ("0.5", 0.5), ("0", 0.0), ("-1", 0.0), ("3600", 3600.0), ("3600.5", 0.0),
     ("nan", 0.0), ("inf", 0.0)],
)  # fmt: skip
def test_an_interval_is_believed_up_to_an_hour(text: str, seconds: float) -> None:
    assert interval_of(replace(FILE, words={"interval": text})) == seconds
    assert interval_of(FILE) == 0.0


def test_what_there_is_not_has_no_time() -> None:
    assert AttributedHeartbeat("unknown", None, 0.0, "no turn record") == NOTHING
    assert judge_heartbeat(look(present={}), NAME, PANE, RULES) == AttributedHeartbeat(
        "unknown", None, 0.0, NO_HEARTBEAT
    )
    assert (NOTHING.stale_after, NOTHING.own, CLOCK_SLACK_S) == (0.0, False, 2.0)
    assert judge_turn(look(turn=FILE), NAME, PANE).stale_after == 0.0


def test_who_wrote_it_and_what_it_says() -> None:
    words = {"source": "sidecar", "waiting": "login", "stuck": "rate-limit", "event": "Stop"}
    said = judged(replace(FILE, words=words))
    assert (said.own, said.source, said.waiting, said.stuck, said.event) == (
        False, "sidecar", "login", "rate-limit", "Stop",
    )  # fmt: skip
    assert judged(replace(FILE, words={"source": "hook"})).own
    assert judged(replace(FILE, words={"source": "status-file"})).own
    assert (judged().source, judged().waiting, judged().stuck, judged().event) == ("native", "", "", "")


def test_what_is_not_credited_says_why() -> None:
    gone = credited(replace(FILE, pid=9), look(), PANE)
    assert gone == AttributedHeartbeat("unknown", 5.0, NOW - 5, ELSE)
    assert credited(replace(FILE, error="too large"), look(), PANE) == AttributedHeartbeat(
        "unknown", None, 0.0, "too large"
    )
    assert judged(replace(FILE, pid=9, words={"interval": "20"})) == gone
    assert judge_heartbeat(look(present={}), NAME, PANE, RULES).note == NO_HEARTBEAT
    assert judge_heartbeat(look(present={}, unknown={Kind.HEARTBEAT: "no"}), NAME, PANE, RULES).note == "no"
    hidden = look(present={}, unclear={KEY: unclear(KEY, NAME, "not this one")})
    assert judge_heartbeat(hidden, NAME, PANE, RULES) == AttributedHeartbeat("unknown", None, 0.0, "not this one")


def test_a_stamp_of_an_earlier_clock_counts_from_when_the_clock_was_set() -> None:
    assert credited(FILE, look(clock_set_at=NOW - 2), PANE).ts == NOW - 2
    assert credited(FILE, look(clock_set_at=NOW - 2), PANE).age == 2.0


def test_the_newest_word_of_a_turn_does_not_age() -> None:
    turn = replace(FILE, ts=NOW - 50, status="busy", words={"source": "hook", "event": "Stop"})
    said = judge_turn(look(turn=turn), NAME, PANE)
    assert said == AttributedHeartbeat(
        "busy", 50.0, NOW - 50, "", own=True, status="busy", source="hook", event="Stop", answered=NOW - 50
    )
    for event, words in (("Notification", {}), ("Stop", {"stuck": "rate_limit"}), ("Stop", {"source": "status-file"})):
        record = {"source": "hook", "event": event, **words}
        assert judge_turn(look(turn=replace(turn, words=record)), NAME, PANE).answered == 0.0
    assert judge_turn(look(turn=replace(turn, words={"source": "sidecar"})), NAME, PANE).own
    assert judge_turn(look(turn=replace(turn, ts=NOW + 3)), NAME, PANE).age == 0.0
    assert judge_turn(look(turn=replace(turn, ts=NOW)), NAME, PANE).age == 0.0
    assert judge_turn(look(turn=replace(turn, ts=NOW - 1)), NAME, PANE).age == 1.0
    assert judge_turn(look(), NAME, PANE) is NOTHING
    assert judge_turn(look(present={}), NAME, PANE) is NOTHING
    other = judge_turn(look(turn=replace(turn, pid=9)), NAME, PANE)
    assert (other.note, other.own, other.age) == (ELSE, False, 50.0)
