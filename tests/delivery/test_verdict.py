"""The decisions of a delivery, for any program and any order of events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.programs.base import Reading
from providers.tmux.pane_input import PaneState
from reconciler.delivery.next_step import BETTER_S, LEAVE_S, PASTE_MIN_S, PRESSES, RETRY_S, pressed, step
from reconciler.delivery.refusal import refusal
from reconciler.delivery.verdict import PASTE_MAX_S, ComposerState, Delivery, Progress, Task

TASK = Task(agent="coder0", known=True, receipts=False, verify=True, timeout_s=6.0, size=100)
HERE = PaneState(found="pane", id="%1", pid=7)
OURS = ComposerState(at=0.0, composer="draft", ours="whole", draft="x")
EMPTY = ComposerState(at=0.0, composer="empty")


def run(looks: list[ComposerState], task: Task = TASK, every: float = 0.1) -> tuple[Delivery | None, list[float]]:
    """The looks one after the other, the last one for ever; the answer, and when the key was pressed."""
    progress, at = Progress(began=0.0), 0.0
    keys: list[float] = []
    while at < 60.0:
        look = replace(looks[0] if len(looks) == 1 else looks.pop(0), at=at)
        progress, do = step(task, progress, look)
        if isinstance(do, Delivery):
            return do, keys
        if do == "press":
            keys.append(at)
            progress = pressed(progress, at)
        at += every
    return None, keys


def settled(*after: ComposerState) -> list[ComposerState]:
    """Our text stands there until the key is pressed, then this."""
    return [OURS] * 4 + list(after)


def test_the_key_comes_when_the_text_is_seen_and_not_before() -> None:
    found, keys = run(settled(replace(EMPTY, shown=True)))
    assert (found, len(keys)) == (Delivery(word="delivered", evidence="pane"), 1)
    assert keys[0] >= PASTE_MIN_S
    late = [EMPTY] * 20 + [OURS] * 3 + [replace(EMPTY, shown=True)]
    found, keys = run(late)
    assert found == Delivery(word="delivered", evidence="pane")
    assert keys == [pytest.approx(2.0)]


def test_a_part_of_the_text_counts_once_it_is_steady() -> None:
    part = replace(OURS, ours="part")
    growing = [replace(part, draft="x" * number) for number in range(1, 30)]
    found, keys = run(
        [*growing, replace(part, draft="x" * 30), replace(part, draft="x" * 30), replace(EMPTY, shown=True)]
    )
    assert keys == [pytest.approx(3.0)]
    assert found is not None
    assert found.word == "delivered"


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        (EMPTY, "never showed"),
        (replace(OURS, ours="no"), "something else came"),
        (replace(OURS, asks="permission"), "wait for a person (permission)"),
        (replace(OURS, pane="copy-mode"), "copy mode"),
        (ComposerState(at=0.0, pane="blind"), "no answer"),
        (ComposerState(at=0.0, pane="dead"), "ended when the message was put in"),
        (ComposerState(at=0.0), "never showed"),
    ],
)
def test_without_the_text_in_the_composer_the_key_is_not_pressed(look: ComposerState, reason: str) -> None:
    found, keys = run([look])
    assert found is not None
    assert (found.word, keys) == ("unconfirmed", [])
    assert reason in found.reason
    assert "look before it is sent again" in found.way


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        (EMPTY, "left the composer"),
        (replace(EMPTY, asks="question"), "left the composer"),
        (ComposerState(at=0.0, asks="question"), "waits for a person now (question)"),
        (replace(OURS, ours="no"), "something else stands"),
        (OURS, "stands unsent"),
        (ComposerState(at=0.0, pane="blind"), "no answer"),
        (ComposerState(at=0.0, pane="dead"), "ended when the message was submitted"),
    ],
)
def test_without_evidence_it_is_unconfirmed(look: ComposerState, reason: str) -> None:
    if look.asks and look.composer == "empty":
        reason = "waits for a person now (question)"
    found, keys = run(settled(look))
    assert found is not None
    assert (found.word, found.evidence) == ("unconfirmed", "")
    assert reason in found.reason
    assert len(keys) == (PRESSES if look is OURS else 1)


def test_the_key_is_pressed_again_only_while_the_text_stands() -> None:
    found, keys = run([OURS] * 20 + [replace(EMPTY, shown=True)])
    assert found == Delivery(word="delivered", evidence="pane")
    assert len(keys) == 2
    assert keys[1] - keys[0] >= RETRY_S - 1e-9
    _, keys = run(settled(replace(OURS, asks="permission")))
    assert len(keys) == 1


def test_the_programs_own_word_comes_first() -> None:
    assert run(settled(replace(EMPTY, receipt="hook", shown=True)))[0] == Delivery(word="delivered", evidence="hook")
    assert run(settled(replace(OURS, receipt="api")))[0] == Delivery(word="delivered", evidence="api")
    queued = replace(EMPTY, receipt="api", receipt_queued=True)
    assert run(settled(queued))[0] == Delivery(word="delivered", evidence="api", queued=True)
    # Somebody else pressed Enter before we did.
    assert run([replace(EMPTY, receipt="hook")]) == (Delivery(word="delivered", evidence="hook"), [])


def test_a_program_that_gives_receipts_is_given_time_for_one() -> None:
    receipts = replace(TASK, receipts=True)
    shown = replace(EMPTY, shown=True)
    found, _ = run(settled(*[shown] * 5, replace(shown, receipt="hook")), receipts)
    assert found == Delivery(word="delivered", evidence="hook")
    assert run(settled(shown), receipts)[0] == Delivery(word="delivered", evidence="pane")
    short = replace(receipts, timeout_s=BETTER_S / 2)
    assert run(settled(shown), short)[0] == Delivery(word="delivered", evidence="pane")


def test_what_a_screen_shows_for_a_moment_is_no_evidence_after_it_is_gone() -> None:
    receipts = replace(TASK, receipts=True)
    found, _ = run(settled(replace(EMPTY, shown=True), EMPTY), receipts)
    assert found is not None
    assert found.word == "unconfirmed"


def test_the_record_is_better_than_the_screen() -> None:
    both = replace(EMPTY, shown=True, busy=True)
    assert run(settled(both))[0] == Delivery(word="delivered", evidence="status-file")


def test_a_queue_is_named() -> None:
    queued = replace(EMPTY, queued=True)
    assert run(settled(queued))[0] == Delivery(word="delivered", evidence="pane", queued=True)


def test_without_verify() -> None:
    task = replace(TASK, verify=False)
    found, keys = run(settled(EMPTY), task)
    assert (found, len(keys)) == (Delivery(word="sent"), 1)
    found, keys = run([OURS], task)
    assert found is not None
    assert (found.word, found.reason, len(keys)) == ("unconfirmed", "it stands unsent in its composer", PRESSES)
    assert run(settled(ComposerState(at=0.0)), task)[0] == Delivery(word="sent")
    unknown = replace(task, known=False)
    found, keys = run([ComposerState(at=0.0)], unknown)
    assert (found, len(keys)) == (Delivery(word="sent"), 1)
    found, keys = run([ComposerState(at=0.0)], replace(unknown, verify=True))
    assert found is not None
    assert (found.word, len(keys)) == ("unconfirmed", 1)


def test_a_large_paste_is_waited_for() -> None:
    found, _ = run([EMPTY] * 80 + [OURS, replace(EMPTY, shown=True)], replace(TASK, size=100_000))
    assert found == Delivery(word="delivered", evidence="pane")


REPORTED = replace(EMPTY, receipt="hook")


@pytest.mark.parametrize("kind", ["logged-out", "limit", "api-error", "retries"])
def test_what_it_reports_and_then_refuses_is_not_delivered(kind: str) -> None:
    """claude reports a message before it looks whether it is logged in."""
    refused = replace(EMPTY, trouble=kind)
    found, keys = run(settled(REPORTED, EMPTY, refused))
    assert found is not None
    assert (found.word, found.evidence, len(keys)) == ("unconfirmed", "", 1)
    assert found.reason.startswith("it has taken the message up, and ")
    assert run(settled(replace(refused, receipt="hook")))[0] == found
    quiet, _ = run(settled(refused))
    assert quiet is not None
    assert quiet.reason.startswith("the message was submitted, and ")


def test_a_report_counts_once_it_is_clear_what_follows() -> None:
    reported = Delivery(word="delivered", evidence="hook")
    assert run(settled(REPORTED, EMPTY))[0] == reported
    assert run(settled(REPORTED, replace(EMPTY, answered=True)))[0] == reported
    assert run(settled(REPORTED, EMPTY))[0] == reported  # nothing shows a trouble for a while
    assert run(settled(REPORTED), replace(TASK, known=False))[0] == reported
    late, _ = run(settled(REPORTED, *[EMPTY] * 5, replace(EMPTY, trouble="limit")))
    assert late is not None
    assert late.word == "unconfirmed"


def test_a_report_of_what_is_only_queued_says_so() -> None:
    """claude reports a message when it queues it, and shows so a moment later."""
    queued = replace(EMPTY, queued=True)
    looks = settled(REPORTED, EMPTY, queued)
    assert run(looks)[0] == Delivery(word="delivered", evidence="hook", queued=True)
    assert run(settled(REPORTED, EMPTY))[0] == Delivery(word="delivered", evidence="hook")


def test_where_it_had_a_trouble_before_only_an_answer_shows_that_it_is_over() -> None:
    doubt = replace(TASK, doubt="limit")
    reported = Delivery(word="delivered", evidence="hook")
    still = replace(EMPTY, trouble="limit")
    assert run(settled(replace(still, receipt="hook"), still, replace(EMPTY, answered=True)), doubt)[0] == reported
    assert run(settled(REPORTED, EMPTY), doubt)[0] == reported  # it worked for all of the time
    for looks in (settled(replace(still, receipt="hook"), still), settled(REPORTED, EMPTY, still), settled(still)):
        found, keys = run(looks, doubt)
        assert found is not None
        assert (found.word, len(keys)) == ("unconfirmed", 1)
        assert "usage limit" in found.reason
    shown = replace(EMPTY, shown=True)
    found, _ = run(settled(shown, replace(shown, trouble="limit")), doubt)
    assert found is not None
    assert found.word == "unconfirmed"


GLIMPSES = st.builds(
    ComposerState,
    at=st.just(0.0),
    pane=st.sampled_from(["ok", "ok", "ok", "copy-mode", "dead", "gone", "blind"]),
    composer=st.sampled_from(["empty", "draft", "hidden"]),
    ours=st.sampled_from(["whole", "part", "no"]),
    draft=st.sampled_from(["a", "b"]),
    asks=st.sampled_from(["", "", "permission", "menu"]),
    queued=st.booleans(),
    shown=st.booleans(),
    receipt=st.sampled_from(["", "", "", "hook", "api"]),
    receipt_queued=st.booleans(),
    busy=st.booleans(),
    answered=st.booleans(),
    trouble=st.sampled_from(["", "", "", "limit", "logged-out"]),
)
TASKS = st.builds(
    Task,
    agent=st.just("coder0"),
    known=st.booleans(),
    receipts=st.booleans(),
    verify=st.booleans(),
    timeout_s=st.floats(0.0, 10.0),
    size=st.integers(0, 200_000),
    doubt=st.sampled_from(["", "", "limit"]),
)


@settings(deadline=None)  # the machine may be busy
@given(TASKS, st.lists(st.tuples(GLIMPSES, st.floats(0.01, 2.0)), min_size=1, max_size=60))
def test_whatever_is_seen(task: Task, looks: list[tuple[ComposerState, float]]) -> None:
    """It ends; the key is pressed only into our own text; nothing is called delivered without evidence for it."""
    progress, at, keys, seen = Progress(began=0.0), 0.0, 0, []
    limit = PASTE_MAX_S + task.size * 1e-4 + max(task.timeout_s, LEAVE_S) + 8.0
    for number in range(10_000):
        look, pause = looks[number % len(looks)]
        look = replace(look, at=at)
        seen.append(look)
        progress, do = step(task, progress, look)
        if isinstance(do, Delivery):
            break
        if do == "press":
            keys += 1
            assert look.pane == "ok"
            assert look.asks == ""
            assert look.stands or not task.known
            assert at >= PASTE_MIN_S
            progress = pressed(progress, at)
        at += pause
        assert at < limit
    assert isinstance(do, Delivery)
    assert keys <= PRESSES
    assert do.word in ("delivered", "unconfirmed", "sent")
    assert (do.word == "sent") <= (not task.verify and (keys > 0 or any(one.receipt for one in seen)))
    assert (do.word == "delivered") <= task.verify
    assert (do.word == "unconfirmed") == bool(do.reason) == bool(do.way)
    if do.word == "delivered":
        assert do.evidence
        last = seen[-1]
        told = any(one.receipt == do.evidence for one in seen)
        inside = keys > 0 and last.queued and do.queued and do.evidence == "pane"
        outside = task.known and keys > 0 and any(one.stands for one in seen) and last.composer == "empty"
        assert told or inside or (outside and (last.shown or last.busy))
        assert keys == 0 or not last.trouble or last.trouble == task.doubt
    assert not do.queued or seen[-1].queued or any(one.receipt_queued for one in seen)


READY = Reading(composer="empty")


@pytest.mark.parametrize(
    ("pane", "wrong", "reading", "reason"),
    [
        (PaneState(found="no-server"), "", READY, "it has no session"),
        (PaneState(found="no-session"), "", READY, "it has no session"),
        (PaneState(found="no-pane"), "", READY, "it has no session"),
        (PaneState(found="foreign"), "", READY, "not this fleet's"),
        (replace(HERE, dead=True), "nothing", None, "its program has ended"),
        (HERE, "launch", READY, "its launch has not finished"),
        (HERE, "vim", READY, '"vim" runs in its pane, not stub'),
        (replace(HERE, in_mode=True), "", READY, "copy mode"),
        (HERE, "", Reading(composer="empty", asks="permission"), "it waits for a person (permission)"),
        (HERE, "", Reading(composer="draft", draft="hm"), "a person's draft"),
        (HERE, "", Reading(), "its composer is not on its screen"),
    ],
)
def test_refusals(pane: PaneState, wrong: str, reading: Reading | None, reason: str) -> None:
    found = refusal("coder0", pane, program="stub", wrong=wrong, reading=reading)
    assert found is not None
    assert (found.word, found.evidence) == ("not-delivered", "")
    assert reason in found.reason
    assert found.way


@pytest.mark.parametrize("reading", [READY, None, Reading(composer="empty", turn="busy", queued=("x",))])
def test_what_may_be(reading: Any) -> None:
    assert refusal("coder0", HERE, program="stub", wrong="", reading=reading) is None
