"""Why nothing may be put into a pane, and what is done after each look at it, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from providers.programs.base import Reading
from providers.tmux.pane_input import PaneState
from reconciler.delivery.next_step import (
    AT_ONCE,
    BETTER_S,
    FOLLOW_S,
    LEAVE_S,
    NO_EVIDENCE,
    NOT_PRESSED,
    PASTE_MIN_S,
    PRESSES,
    RETRY_S,
    SETTLING,
    STEADY_S,
    SUBMITTED,
    DeliveryLook,
    pressed,
    step,
)
from reconciler.delivery.refusal import REFUSALS, PaneLook, refusal
from reconciler.delivery.verdict import PASTE_BYTE_S, PASTE_MAX_S, ComposerState, Delivery, Progress, Task
from reconciler.helpers.decision_table import first_match
from tests.tables.rows import Examples, check, check_shape, expect, params

HERE = PaneState(found="pane", id="%1", pid=7)
READY = Reading(composer="empty")
LOOK = PaneLook(agent="coder0", pane=HERE, program="stub", wrong="", reading=READY, said="")


WORDS = ("wrong", "reading", "said", "stuck", "until")


def pane(**more: Any) -> PaneLook:
    return replace(LOOK, **{word: more.pop(word) for word in list(more) if word in WORDS},
                   pane=replace(HERE, **more))  # fmt: skip


FIRST: Any = "a-word-unknown"  # to no table does the order of words mean anything
LAST: Any = "zzz-unknown"
UNKNOWN_FIRST, UNKNOWN_LAST = Reading(composer=FIRST), Reading(composer=LAST)
BAD = {"dead": True, "wrong": "vim", "in_mode": True, "said": "login"}
REFUSING = Examples("REFUSALS", REFUSALS, {
    "no session": expect("it has no session", *(
        pane(found=word) for word in ("no-server", "no-session", "no-pane")), pane(found="no-pane", **BAD)),
    "foreign": expect("a tmux session of its name exists that is not this fleet's", pane(found="foreign", **BAD)),
    "ended": expect("its program has ended", pane(dead=True), pane(**BAD)),
    "launching": expect("its launch has not finished", pane(wrong="launch"), pane(wrong="launch", in_mode=True)),
    "another program": expect('"vim" runs in its pane, not stub', pane(wrong="vim"), pane(wrong="vim", in_mode=True),
                              pane(wrong="vim", reading=None), pane(wrong="vim", said="x")),
    "copy mode": expect("its pane is in copy mode", pane(in_mode=True), pane(in_mode=True, said="login"),
                        pane(in_mode=True, reading=None)),
    "a person is there": expect("it waits for a person (menu)", pane(reading=Reading(asks="menu")),
                                pane(said="login", reading=Reading(asks="menu"))),
    "asks a person": expect(
        "it waits for a person (login)", pane(said="login"), pane(reading=Reading(composer="draft", asks="login")),
        pane(said="login", reading=None), pane(said="menu", reading=Reading(asks="login")),
    ),
    "logged out": expect("it is logged out", pane(stuck="logged-out"), pane(stuck="logged-out", reading=None),
                         pane(stuck="logged-out", reading=Reading(composer="draft"))),
    "at its limit": expect("it is at its usage limit until 3pm", pane(stuck="limit", until="3pm"),
                           pane(stuck="limit", until="3pm", reading=None)),
    "its screen cannot be read": expect(None, pane(reading=None), pane(stuck="limit", reading=None)),
    "a draft": expect("a person's draft stands in its composer", pane(reading=Reading(composer="draft"))),
    "no composer": expect("its composer is not on its screen", pane(reading=Reading())),
    "ready": expect(None, LOOK, pane(found="a-word-unknown"), pane(reading=UNKNOWN_FIRST), pane(reading=UNKNOWN_LAST),
                    pane(reading=Reading(composer="empty", turn="busy", queued=("x",))), pane(stuck="limit"),
                    pane(stuck="api-error", until="3pm")),
})  # fmt: skip


@pytest.mark.parametrize(("one", "name", "decision", "situation"), params(REFUSING))
def test_refusal(one: Examples, name: str, decision: Any, situation: Any) -> None:
    assert first_match(one.table, situation).name == name
    found = refusal(
        situation.agent, situation.pane, program=situation.program, wrong=situation.wrong, reading=situation.reading,
        said=situation.said, stuck=situation.stuck, until=situation.until,
    )  # fmt: skip
    assert (found.reason if found is not None else None) == decision
    assert found is None or (found.word == "not-delivered" and found.way and "{" not in found.way)


TASK = Task(agent="coder0", known=True, receipts=False, verify=True, timeout_s=6.0, size=0)
OURS = ComposerState(at=1.0, composer="draft", ours="whole", draft="x")
EMPTY = ComposerState(at=1.0, composer="empty")
BEGAN = Progress(began=0.0)
AGAIN = Progress(began=0.0, presses=1, pressed_at=0.0)
UNASKED = replace(TASK, verify=False)


def look(now: ComposerState = OURS, task: Task = TASK, before: Progress = BEGAN, **after: Any) -> DeliveryLook:
    return DeliveryLook(task=task, before=before, after=replace(before, **after), now=now)


def at(seconds: float, now: ComposerState = OURS, **more: Any) -> ComposerState:
    return replace(now, at=seconds, **more)


PART = replace(OURS, ours="part")
SAME = replace(BEGAN, last=PART)
END_S = PASTE_MAX_S
SENT, SAW = Delivery(word="sent"), Delivery(word="delivered", evidence="pane")


def _word(made: Any) -> Any:
    return made if isinstance(made, str) else (made.word, made.evidence, made.queued)


STEPS = (
    Examples("AT_ONCE", AT_ONCE, {
        "it cannot work": expect(
            ("unconfirmed", "", False), look(at(0.1, EMPTY, trouble="limit"), before=AGAIN),
            look(at(0.1, EMPTY, trouble="limit"), before=AGAIN, receipt="hook", receipt_queued=True),
            look(at(0.1, EMPTY, trouble="limit"), replace(TASK, doubt="retries"), AGAIN),
            look(at(0.1, EMPTY, trouble="limit"), replace(TASK, doubt="limit"), AGAIN, cleared=True),
            look(at(0.1, EMPTY, trouble="limit", pane="dead"), before=AGAIN),
            look(at(6.0, EMPTY, trouble="limit"), replace(TASK, doubt="limit"), AGAIN, receipt="hook"),
        ),
        "the program says that it is queued": expect(
            ("delivered", "api", True), look(at(0.1), before=AGAIN, receipt="api", receipt_queued=True),
            look(at(0.1, EMPTY, queued=True), before=AGAIN, receipt="api"),
        ),
        "the program says so": expect(
            ("delivered", "hook", False), look(at(0.0), receipt="hook"), look(at(9.0, pane="dead"), receipt="hook"),
            look(at(0.1, EMPTY, answered=True), before=AGAIN, receipt="hook"),
            look(at(0.1, EMPTY, answered=True), replace(TASK, doubt="limit"), AGAIN, receipt="hook"),
            look(at(FOLLOW_S + 0.1, EMPTY), before=AGAIN, receipt="hook", receipt_at=0.1),
            look(at(0.1, EMPTY), replace(TASK, known=False), AGAIN, receipt="hook"),
            look(at(6.0, EMPTY), replace(TASK, doubt="limit"), AGAIN, receipt="hook"),
            look(at(6.0, EMPTY), TASK, AGAIN, receipt="hook", receipt_at=5.9),
        ),
        "it has ended": expect(("unconfirmed", "", False), look(at(0.0, pane="dead")), look(at(0.0, pane="gone"))),
        "it goes on": expect(None, look(at(0.1, EMPTY, trouble="limit")),
            look(at(0.1, EMPTY, trouble="limit"), UNASKED, AGAIN),
            look(at(0.1, EMPTY, trouble="limit"), replace(TASK, doubt="limit"), AGAIN, receipt="hook"),
            look(at(1.0, EMPTY), TASK, AGAIN, receipt="hook", receipt_at=0.1),
            look(), look(at(0.0, pane="blind")), look(at(0.0, pane="copy-mode"))),
    }, outcome=_word),
    Examples("SETTLING", SETTLING, {
        "too soon": expect("look", look(at(PASTE_MIN_S - 0.01)), look(at(0.0), replace(TASK, known=False)),
                           look(at(5.0), before=Progress(began=4.9))),
        "its screen cannot be read": expect(
            "press", look(at(PASTE_MIN_S), replace(TASK, known=False)),
            look(at(99.0, ComposerState(at=0.0)), replace(TASK, known=False)),
        ),
        "the text stands there": expect("press", look(at(PASTE_MIN_S)), look(at(99.0))),
        "a part of it is steady": expect(
            "press", look(at(STEADY_S, PART), before=SAME), look(at(99.0, PART), before=SAME),
        ),
        "it may still appear": expect(
            "look", look(at(1.0, EMPTY)), look(at(1.0, pane="copy-mode")), look(at(1.0, asks="menu")),
            look(at(1.0, ours="no")), look(at(STEADY_S - 0.01, PART), before=SAME), look(at(1.0, PART)),
            look(at(1.0, PART, draft="y"), before=SAME), look(at(END_S - 0.01, EMPTY)),
            look(at(END_S + 0.4, EMPTY), replace(TASK, size=10_000)), look(at(1.0, EMPTY, ours="whole")),
            look(at(1.0, pane="blind"), replace(TASK, known=False)),
            look(at(1.0, asks="menu"), replace(TASK, known=False)), look(at(1.0, PART, asks="menu"), before=SAME),
            look(at(1.0, EMPTY, draft="x"), before=SAME), look(at(1.0, PART, draft="w"), before=SAME),
        ),
        "it never appeared": expect(
            ("unconfirmed", "", False), look(at(END_S, EMPTY)), look(at(END_S, asks="menu")),
            look(at(END_S + 0.6, EMPTY), replace(TASK, size=10_000)),
        ),
    }, outcome=_word),
    Examples("SUBMITTED", SUBMITTED, {
        "queued": expect(
            ("delivered", "pane", True), look(at(0.0, queued=True), before=AGAIN),
            look(at(99.0, queued=True), before=AGAIN, candidate="pane"),
        ),
        "unasked, and nothing can be read": expect(
            ("sent", "", False), look(at(0.1), replace(UNASKED, known=False), AGAIN),
            look(at(99.0), replace(UNASKED, known=False), AGAIN),
        ),
        "unasked, and it left": expect(
            ("sent", "", False), look(at(0.1, EMPTY), UNASKED, AGAIN), look(at(99.0, EMPTY), UNASKED, AGAIN),
        ),
        "unasked, and it stands there for too long": expect(
            ("unconfirmed", "", False), look(at(LEAVE_S), UNASKED, AGAIN), look(at(LEAVE_S + 1), UNASKED, AGAIN),
        ),
        "unasked, and out of sight": expect(
            ("sent", "", False), look(at(LEAVE_S, EMPTY, composer="hidden"), UNASKED, AGAIN),
            look(at(LEAVE_S, EMPTY, pane="blind"), UNASKED, AGAIN), look(at(LEAVE_S + 1, ours="no"), UNASKED, AGAIN),
        ),
        "evidence, and no better to come": expect(
            ("delivered", "status-file", False), look(at(0.1, EMPTY), TASK, AGAIN, candidate="status-file"),
            look(at(BETTER_S, EMPTY), replace(TASK, receipts=True), AGAIN, candidate="status-file"),
            look(at(BETTER_S + 0.5, EMPTY), replace(TASK, receipts=True), AGAIN, candidate="status-file"),
            look(at(3.0 + BETTER_S, EMPTY), replace(TASK, receipts=True), AGAIN,
                 candidate="status-file", candidate_at=3.0),
            look(at(99.0, EMPTY), TASK, AGAIN, candidate="status-file"),
        ),
        "evidence, and the time is up": expect(
            ("delivered", "pane", False),
            look(at(6.0, EMPTY), replace(TASK, receipts=True), AGAIN, candidate="pane", candidate_at=5.5),
            look(at(6.5, EMPTY), replace(TASK, receipts=True), AGAIN, candidate="pane", candidate_at=5.9),
        ),
        "no evidence, and the time is up": expect(
            ("unconfirmed", "", False), look(at(6.0, EMPTY), TASK, AGAIN), look(at(7.0), TASK, AGAIN),
        ),
        "reported, and it is not clear what follows": expect(
            "look", look(at(0.1, EMPTY), before=AGAIN, receipt="hook"), look(at(RETRY_S), before=AGAIN, receipt="hook"),
        ),
        "it still stands there": expect(
            "press", look(at(RETRY_S), TASK, AGAIN), look(at(RETRY_S), UNASKED, AGAIN),
            look(at(RETRY_S + 3), TASK, replace(AGAIN, presses=PRESSES - 1)),
            look(at(RETRY_S + 2), TASK, replace(AGAIN, pressed_at=2.0)),
        ),
        "it takes its time": expect(
            "look", look(at(RETRY_S), TASK, replace(AGAIN, presses=PRESSES + 1)),
            look(at(RETRY_S - 0.01), TASK, AGAIN), look(at(RETRY_S), TASK, replace(AGAIN, presses=PRESSES)),
            look(at(RETRY_S, asks="menu"), TASK, AGAIN), look(at(RETRY_S, pane="blind"), TASK, AGAIN),
            look(at(RETRY_S, ours="no"), TASK, AGAIN), look(at(5.9, EMPTY), TASK, AGAIN),
            look(at(LEAVE_S - 0.1, EMPTY, composer="hidden"), UNASKED, AGAIN),
            look(at(LEAVE_S - 0.1, EMPTY, pane="blind"), UNASKED, AGAIN),
            look(at(LEAVE_S, EMPTY), TASK, AGAIN), look(at(LEAVE_S, ours="no"), TASK, AGAIN),
            look(at(0.1, ours="no"), replace(TASK, known=False), AGAIN),
            look(at(4.0, EMPTY), replace(TASK, receipts=True), AGAIN, candidate="pane", candidate_at=3.5),
            look(at(0.0), UNASKED, replace(AGAIN, presses=PRESSES)),
            look(at(2.0 + RETRY_S - 0.1), TASK, replace(AGAIN, pressed_at=2.0)),
        ),
    }, outcome=_word),
    Examples("NOT_PRESSED", NOT_PRESSED, {
        "no answer": expect(NOT_PRESSED[0].then, at(0.0, pane="blind", asks="menu")),
        "copy mode": expect(NOT_PRESSED[1].then, at(0.0, pane="copy-mode", asks="menu")),
        "a dialog": expect(NOT_PRESSED[2].then, at(0.0, asks="menu", ours="no")),
        "something else": expect(NOT_PRESSED[3].then, at(0.0, ours="no")),
        "nothing": expect(NOT_PRESSED[4].then, EMPTY, OURS, at(0.0, EMPTY, composer="hidden", ours="no"), PART),
    }),
    Examples("NO_EVIDENCE", NO_EVIDENCE, {
        "no answer": expect(NO_EVIDENCE[0].then, look(at(0.0, pane="blind"))),
        "it stands there": expect(NO_EVIDENCE[1].then, look(OURS, replace(TASK, known=False)), look(PART)),
        "its screen cannot be read": expect(
            NO_EVIDENCE[2].then, look(EMPTY, replace(TASK, known=False)),
            look(at(0.0, EMPTY, asks="menu"), replace(TASK, known=False)),
        ),
        "a dialog": expect(NO_EVIDENCE[3].then, look(at(0.0, EMPTY, asks="menu")),
                           look(at(0.0, ours="no", asks="menu"))),
        "something else": expect(NO_EVIDENCE[4].then, look(at(0.0, ours="no"))),
        "it left": expect(NO_EVIDENCE[5].then, look(EMPTY), look(at(0.0, EMPTY, composer="hidden"))),
    }),
)  # fmt: skip


@pytest.mark.parametrize(("one", "name", "decision", "situation"), params(*STEPS))
def test_row(one: Examples, name: str, decision: Any, situation: Any) -> None:
    check(one, name, decision, situation)


@pytest.mark.parametrize("one", [REFUSING, *STEPS], ids=lambda one: one.name)
def test_shape(one: Examples) -> None:
    check_shape(one)


def test_what_one_look_adds() -> None:
    progress, do = step(TASK, BEGAN, at(0.1))
    assert (progress, do) == (replace(BEGAN, last=at(0.1), stood=True), "look")
    progress, do = step(TASK, progress, at(0.2, EMPTY))
    assert (progress.stood, progress.last) == (True, at(0.2, EMPTY))
    assert step(TASK, BEGAN, at(0.4))[1] == "press"
    assert step(TASK, BEGAN, at(0.4, EMPTY))[0].stood is False


def test_a_press_begins_a_phase_and_is_counted() -> None:
    first = pressed(BEGAN, 2.0)
    assert (first.began, first.presses, first.pressed_at) == (2.0, 1, 2.0)
    again = pressed(first, 3.5)
    assert (again.began, again.presses, again.pressed_at) == (2.0, 2, 3.5)


STOOD = Progress(began=0.0, presses=1, stood=True)
SHOWN = at(0.5, EMPTY, shown=True)
RECEIPTS = replace(TASK, receipts=True)


def test_evidence_is_what_follows_after_the_text_has_left() -> None:
    progress, do = step(RECEIPTS, STOOD, SHOWN)
    assert (progress.candidate, progress.candidate_at, do) == ("pane", 0.5, "look")
    later, _ = step(RECEIPTS, progress, replace(SHOWN, at=0.9))
    assert (later.candidate, later.candidate_at) == ("pane", 0.5)  # since it was seen first
    better, _ = step(RECEIPTS, progress, replace(SHOWN, at=0.9, busy=True))
    assert (better.candidate, better.candidate_at) == ("status-file", 0.5)
    gone, _ = step(RECEIPTS, progress, at(0.9, EMPTY))
    assert gone.candidate == ""
    others = (replace(SHOWN, composer="hidden"), replace(SHOWN, composer="draft"))
    for now in (at(0.9), replace(SHOWN, pane="blind"), *others):
        taken_back, _ = step(RECEIPTS, progress, now)
        assert (taken_back.candidate, taken_back.candidate_at) == ("", 0.0)
    never, _ = step(RECEIPTS, replace(STOOD, stood=False), SHOWN)
    assert never.candidate == ""
    assert step(TASK, STOOD, SHOWN)[1] == SAW
    # Before the key, and for who did not ask, nothing of that is looked at.
    assert step(RECEIPTS, replace(STOOD, presses=0), SHOWN)[0].candidate == ""
    assert step(UNASKED, STOOD, SHOWN) == (replace(STOOD, last=SHOWN), SENT)
    assert step(RECEIPTS, STOOD, replace(SHOWN, queued=True))[0].candidate == ""
    assert step(RECEIPTS, STOOD, replace(SHOWN, receipt="hook"))[0].candidate == ""
    assert step(RECEIPTS, STOOD, replace(SHOWN, pane="dead"))[0].candidate == ""


def said(task: Task, before: Progress, now: ComposerState) -> str:
    made = step(task, before, now)[1]
    assert isinstance(made, Delivery)
    assert made.way == "look before it is sent again: mosaic agent tail coder0"
    return made.reason


def test_words() -> None:
    assert said(TASK, BEGAN, at(0.0, pane="dead")) == (
        "its program ended when the message was put in, before it was submitted"
    )
    assert said(TASK, AGAIN, at(0.0, pane="gone")) == "its program ended when the message was submitted"
    assert "wait for a person (menu)" in said(TASK, BEGAN, at(99.0, asks="menu"))
    assert "waits for a person now (menu)" in said(TASK, AGAIN, at(99.0, EMPTY, asks="menu"))
    assert said(UNASKED, AGAIN, at(99.0)) == "it stands unsent in its composer"


def test_a_sender_that_did_not_ask_is_told_that_it_was_sent() -> None:
    assert step(UNASKED, AGAIN, at(0.0, receipt="hook"))[1] == SENT
    assert step(UNASKED, AGAIN, at(0.0, queued=True))[1] == replace(SENT, queued=True)
    queued = step(TASK, AGAIN, at(0.0, receipt="api", receipt_queued=True))[1]
    assert queued == Delivery(word="delivered", evidence="api", queued=True)


def test_a_delivery_begins_with_nothing() -> None:
    assert (BEGAN.presses, BEGAN.pressed_at, BEGAN.candidate_at, BEGAN.candidate) == (0, 0.0, 0.0, "")
    assert step(TASK, AGAIN, at(0.0, receipt="hook", answered=True))[1] == Delivery(word="delivered", evidence="hook")


def test_words_that_are_not_known_are_not_taken_for_others() -> None:
    assert not replace(OURS, composer=FIRST).stands
    assert replace(OURS, ours=FIRST).stands
    assert not replace(OURS, pane=LAST).may_press
    for one in (at(1.0, EMPTY, pane=FIRST), at(1.0, composer=FIRST, ours="no"), at(1.0, ours=FIRST)):
        assert first_match(NOT_PRESSED, one).name == "nothing"
    assert first_match(NO_EVIDENCE, look(at(1.0, EMPTY, pane=FIRST))).name == "it left"
    assert first_match(NO_EVIDENCE, look(at(1.0, composer=FIRST, ours="no"))).name == "it left"
    assert first_match(SUBMITTED, look(at(0.1, EMPTY, pane=LAST), UNASKED, AGAIN)).name == "it takes its time"
    assert step(RECEIPTS, STOOD, replace(SHOWN, pane=LAST))[0].candidate == ""
    assert first_match(SETTLING, look(at(1.0, ours=LAST))).name == "it may still appear"


def test_times() -> None:
    assert (PASTE_MIN_S, PASTE_MAX_S, PASTE_BYTE_S, STEADY_S) == (0.3, 10.0, 5e-5, 0.6)
    assert (RETRY_S, PRESSES, LEAVE_S, BETTER_S) == (1.0, 3, 5.0, 1.0)
    assert look(OURS, replace(TASK, size=100_000)).appears_s == 15.0
