"""The one word for an agent: each boundary by itself, and what holds for any evidence at all."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model import Readiness
from reconciler.observe.readiness import ReadinessEvidence, classify

QUIET = ReadinessEvidence(heartbeat="ok", heartbeat_age=3.0, idle=301.0)  # a living agent that answers and does nothing


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, "available"),
        ({"seen": False}, "unknown"),
        ({"pane": False}, "dead"),
        ({"process": False}, "dead"),
        ({"heartbeat": None}, "unknown"),
        ({"heartbeat_age": 45.0}, "available"),
        ({"heartbeat_age": math.nextafter(45.0, 46.0)}, "stale"),
        ({"heartbeat_age": -3.0}, "available"),
        ({"heartbeat_age": math.nan}, "stale"),
        ({"heartbeat_age": math.inf}, "stale"),
        ({"stuck": "rate-limit"}, "stuck"),
        ({"waiting": "permission"}, "waiting"),
        ({"heartbeat": "busy"}, "working"),
        ({"idle": 300.0}, "available"),
        ({"idle": math.nextafter(300.0, 0.0)}, "working"),
        ({"idle": 0.0}, "working"),
        ({"idle": None}, "working"),
        ({"idle": math.nan}, "working"),
        ({"idle": math.inf}, "working"),
        ({"idle": 60.0, "idle_after": 60.0}, "available"),
        ({"idle": 10.0**9}, "available"),  # long idleness alone is no fault
    ],
)
def test_each_boundary(change: dict[str, Any], word: str) -> None:
    assert classify(replace(QUIET, **change)) == word


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"seen": False, "pane": False}, "unknown"),
        ({"pane": False, "heartbeat": None}, "dead"),
        ({"heartbeat": None, "heartbeat_age": 999.0, "stuck": "x"}, "unknown"),
        ({"heartbeat_age": 999.0, "stuck": "x", "waiting": "login"}, "stale"),
        ({"heartbeat_age": 999.0, "heartbeat": "busy"}, "stale"),
        ({"stuck": "x", "waiting": "login", "heartbeat": "busy"}, "stuck"),
        ({"waiting": "login", "heartbeat": "busy"}, "waiting"),
        ({"waiting": "login", "idle": 0.0}, "waiting"),
        ({"heartbeat": "busy", "idle": 9999.0}, "working"),
    ],
)
def test_what_outweighs_what(change: dict[str, Any], word: str) -> None:
    assert classify(replace(QUIET, **change)) == word


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
EVIDENCE = st.builds(
    ReadinessEvidence,
    seen=st.booleans(),
    pane=st.booleans(),
    process=st.booleans(),
    heartbeat=st.sampled_from((None, "ok", "busy")),
    heartbeat_age=NUMBERS,
    stale_after=st.floats(0.1, 1e6),
    idle=st.none() | NUMBERS,
    idle_after=st.floats(0.1, 1e6),
    waiting=st.sampled_from(("", "permission", "question", "login")),
    stuck=st.sampled_from(("", "rate-limit")),
    own=st.booleans(),
    said_ok=st.booleans(),
    shown=st.sampled_from(("", "composer", "draft", "hidden", "unread")),
    asks=st.sampled_from(("", "", "trust", "unknown")),
    shown_busy=st.booleans(),
    shown_trouble=st.sampled_from(("", "", "limit")),
    kept_trouble=st.sampled_from(("", "", "logged-out")),
    queued=st.booleans(),
)
# What makes it less available, one at a time.
WORSE: dict[str, Any] = {
    "seen": False, "pane": False, "process": False, "heartbeat": None, "stuck": "x", "waiting": "permission",
    "shown": "hidden", "asks": "unknown", "shown_busy": True, "shown_trouble": "limit", "kept_trouble": "limit",
    "queued": True,
}  # fmt: skip


@settings(deadline=None)  # the machine may be busy
@given(EVIDENCE)
def test_there_is_an_answer_for_anything_and_none_is_better_than_its_evidence(seen: ReadinessEvidence) -> None:
    word = classify(seen)
    assert word in Readiness
    lives = seen.seen and seen.pane and seen.process
    if word is Readiness.DEAD:
        assert seen.seen
        assert not lives
    shows = seen.asks or seen.shown_trouble
    if word not in (Readiness.DEAD, Readiness.UNKNOWN):
        assert lives
        assert seen.heartbeat is not None or shows
    if word not in (Readiness.DEAD, Readiness.UNKNOWN, Readiness.STALE):
        assert seen.heartbeat_age <= seen.stale_after or shows
    if word is Readiness.AVAILABLE:
        assert seen.heartbeat == "ok"
        assert seen.said_ok or (seen.idle is not None and seen.idle_after <= seen.idle < math.inf)
        assert not any((seen.waiting, seen.stuck, shows, seen.kept_trouble, seen.queued, seen.shown_busy))
        assert seen.shown in ("", "composer")  # a screen that is not understood is never available
    if word is Readiness.STUCK:
        assert seen.stuck or seen.shown_trouble or seen.kept_trouble
    if word is Readiness.WAITING:
        assert seen.waiting or seen.asks or seen.shown == "draft"


@settings(deadline=None)  # the machine may be busy
@given(EVIDENCE, st.sampled_from(sorted(WORSE)))
def test_more_evidence_against_it_never_makes_it_available(seen: ReadinessEvidence, against: str) -> None:
    worse = classify(replace(seen, **{against: WORSE[against]}))
    assert worse is not Readiness.AVAILABLE


@settings(deadline=None)  # the machine may be busy
@given(EVIDENCE, st.floats(0, 1e9))
def test_silence_alone_never_makes_it_stuck_or_waiting(seen: ReadinessEvidence, idle: float) -> None:
    nothing: dict[str, Any] = {"stuck": "", "waiting": "", "asks": "", "shown_trouble": "", "kept_trouble": ""}
    quiet = classify(replace(seen, **nothing, shown="composer", idle=idle))
    assert quiet not in (Readiness.STUCK, Readiness.WAITING)


@settings(deadline=None)  # the machine may be busy
@given(EVIDENCE, st.floats(0, 1e9), st.floats(0, 1e9))
def test_more_quiet_is_never_more_work(seen: ReadinessEvidence, first: float, more: float) -> None:
    sooner, later = replace(seen, idle=first), replace(seen, idle=first + more)
    if classify(sooner) is Readiness.AVAILABLE:
        assert classify(later) is Readiness.AVAILABLE


@settings(deadline=None)  # the machine may be busy
@given(EVIDENCE, st.floats(0, 1e9), st.floats(0, 1e9))
def test_an_older_heartbeat_is_never_worth_more(seen: ReadinessEvidence, age: float, more: float) -> None:
    sooner, later = replace(seen, heartbeat_age=age), replace(seen, heartbeat_age=age + more)
    if classify(sooner) is Readiness.STALE:
        assert classify(later) is Readiness.STALE
    if classify(sooner) is not Readiness.AVAILABLE:
        assert classify(later) is not Readiness.AVAILABLE


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"asks": "trust", "shown": "hidden"}, "waiting"),
        ({"asks": "trust", "shown": "hidden", "heartbeat": None}, "waiting"),  # a screen needs nobody to speak for it
        ({"asks": "trust", "shown": "hidden", "heartbeat_age": 999.0}, "waiting"),
        ({"asks": "trust", "shown": "hidden", "heartbeat_age": 999.0, "own": True}, "stale"),  # it paints no more
        ({"asks": "permission", "heartbeat": "busy"}, "waiting"),
        ({"asks": "menu", "stuck": "x"}, "waiting"),
        ({"shown": "composer"}, "available"),
        ({"shown": "composer", "shown_busy": True}, "working"),
        ({"shown": "composer", "waiting": "permission"}, "waiting"),  # whatever says so
        ({"shown": "draft"}, "waiting"),
        ({"shown": "draft", "heartbeat": "busy"}, "working"),
        ({"shown": "hidden"}, "unknown"),
        ({"shown": "hidden", "heartbeat": "busy"}, "working"),
        ({"shown": "unread"}, "unknown"),
        ({"said_ok": True, "idle": 1.0}, "available"),
        ({"said_ok": True, "idle": None}, "available"),
        ({"said_ok": True, "idle": 1.0, "heartbeat": "busy"}, "working"),
        ({"said_ok": True, "idle": 1.0, "shown": "hidden"}, "unknown"),
    ],
)
def test_what_a_screen_and_its_own_word_say(change: dict[str, Any], word: str) -> None:
    assert classify(replace(QUIET, **change)) == word
