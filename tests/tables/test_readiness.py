"""The one word for what an agent is doing, row by row."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from reconciler.model import Readiness
from reconciler.observe.readiness import WORDS, ReadinessEvidence, classify, is_idle, is_stale, waits_for
from tests.tables.rows import Examples, check, check_shape, expect, params

QUIET = ReadinessEvidence(heartbeat="ok", heartbeat_age=3.0, stale_after=45.0, idle=301.0, idle_after=300.0)


def but(**more: Any) -> ReadinessEvidence:
    """A living agent that answers and does nothing, but for this."""
    return replace(QUIET, **more)


OLD = {"heartbeat_age": 46.0}
EXAMPLES = Examples("WORDS", WORDS, {
    "unseen": expect(Readiness.UNKNOWN, but(seen=False), but(seen=False, pane=False, asks="trust")),
    "no pane, or nothing in it": expect(
        Readiness.DEAD, but(pane=False), but(process=False), but(pane=False, process=False),
        but(process=False, asks="trust"), but(process=False, own=True, **OLD),
    ),
    "its own word is old": expect(Readiness.STALE, but(own=True, **OLD), but(own=True, asks="trust", **OLD)),
    "a dialog on its screen": expect(
        Readiness.WAITING, but(asks="trust"), but(asks="trust", heartbeat=None), but(asks="trust", **OLD),
        but(asks="menu", stuck="x"), but(asks="menu", heartbeat="busy"), but(asks="menu", own=True),
        but(asks="trust", heartbeat=None, own=True, **OLD),
    ),
    "trouble on its screen": expect(
        Readiness.STUCK, but(shown_trouble="limit"), but(shown_trouble="logged-out", heartbeat="busy"),
        but(shown_trouble="limit", heartbeat=None), but(shown_trouble="limit", **OLD),
        but(shown_trouble="limit", said_ok=True, shown="composer"), but(shown_trouble="retries", waiting="login"),
    ),
    "no heartbeat": expect(
        Readiness.UNKNOWN, but(heartbeat=None), but(heartbeat=None, stuck="x", waiting="login", **OLD),
        but(heartbeat=None, shown_busy=True),
    ),
    "an old heartbeat": expect(
        Readiness.STALE, but(**OLD), but(heartbeat_age=math.nan), but(stuck="x", **OLD), but(heartbeat="busy", **OLD),
    ),
    "said to be stuck": expect(Readiness.STUCK, but(stuck="x"), but(stuck="x", waiting="login", heartbeat="busy")),
    "said to wait": expect(
        Readiness.WAITING, but(waiting="login"), but(waiting="login", heartbeat="busy", idle=0.0),
        but(waiting="login", shown="composer", said_ok=True),
    ),
    "said to be busy": expect(
        Readiness.WORKING, but(heartbeat="busy"), but(heartbeat="busy", shown="draft", said_ok=True),
        but(heartbeat="busy", shown="hidden"),
    ),
    "shows that it is busy": expect(
        Readiness.WORKING, but(shown_busy=True), but(shown_busy=True, shown="draft"),
        but(shown_busy=True, shown="hidden", said_ok=True), but(shown_busy=True, shown_trouble="limit"),
        but(shown_busy=True, kept_trouble="limit"),
    ),
    "trouble before": expect(
        Readiness.STUCK, but(kept_trouble="limit"), but(kept_trouble="limit", said_ok=True, shown="composer"),
        but(kept_trouble="limit", shown="draft"), but(kept_trouble="limit", shown="hidden", queued=True),
    ),
    "queued": expect(
        Readiness.WORKING, but(queued=True), but(queued=True, said_ok=True, shown="composer"),
        but(queued=True, shown="draft"),
    ),
    "a draft": expect(Readiness.WAITING, but(shown="draft"), but(shown="draft", said_ok=True)),
    "an unknown screen": expect(
        Readiness.UNKNOWN, but(shown="hidden"), but(shown="unread"), but(shown="hidden", said_ok=True, idle=1.0),
    ),
    "said to be done": expect(
        Readiness.AVAILABLE, but(said_ok=True), but(said_ok=True, idle=1.0), but(said_ok=True, idle=None),
    ),
    "quiet": expect(
        Readiness.AVAILABLE, QUIET, but(idle=300.0), but(shown="composer"), but(idle=10.0, idle_after=10.0),
        but(heartbeat_age=45.0), but(heartbeat_age=-3.0),
    ),
    "active": expect(
        Readiness.WORKING, but(idle=299.0), but(idle=0.0), but(idle=None), but(idle=math.nan), but(idle=math.inf),
    ),
})  # fmt: skip


@pytest.mark.parametrize(("one", "name", "decision", "situation"), params(EXAMPLES))
def test_row(one: Examples, name: str, decision: Any, situation: Any) -> None:
    check(one, name, decision, situation)
    assert classify(situation) is decision


def test_shape() -> None:
    check_shape(EXAMPLES)


def test_ages_at_their_limits() -> None:
    assert [is_stale(age, 45.0) for age in (44.9, 45.0, 45.1, -1.0, math.nan, math.inf)] == [
        False, False, True, False, True, True,
    ]  # fmt: skip
    assert [is_idle(idle, 300.0) for idle in (None, 0.0, 299.9, 300.0, 301.0, math.nan, math.inf)] == [
        False, False, False, True, True, False, False,
    ]  # fmt: skip


def test_the_screen_says_for_what_it_waits_and_else_its_program() -> None:
    assert waits_for("login", "trust") == "trust"
    assert waits_for("login", "") == "login"
    assert waits_for("", "") == ""


def test_what_counts_where_nothing_is_said() -> None:
    seen = ReadinessEvidence(heartbeat="ok", idle=300.0)
    assert (seen.stale_after, seen.idle_after, seen.heartbeat_age) == (45.0, 300.0, 0.0)
    assert classify(seen) is Readiness.AVAILABLE
    assert classify(ReadinessEvidence()) is Readiness.UNKNOWN
    assert classify(ReadinessEvidence(heartbeat_age=99.0, own=True)) is Readiness.UNKNOWN
