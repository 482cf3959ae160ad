"""Decide the next step of a delivery after each look. Pure.

After the paste, `step` takes one look after the other and says what to do: look again, press the submit key, or stop
with a word. The text is pasted once and never again; the key is pressed again only while our text is still in the
composer, and never into a dialog.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from reconciler.delivery.verdict import PASTE_BYTE_S, PASTE_MAX_S, Delivery
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.observe.troubles import phrase
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from reconciler.delivery.verdict import ComposerState, EvidenceWord, Progress, Task

PASTE_MIN_S = 0.3  # between paste and key: what the slowest program needed when measured
STEADY_S = 0.6  # after this time a part of the text counts as the whole, if it stays as it is
RETRY_S = 1.0  # between two presses of the submit key
PRESSES = 3
LEAVE_S = 5.0  # without --verify: how long the text may take to leave the composer; it seldom takes a tenth of that
FOLLOW_S = 1.0  # how long the program may take to show what it does with a message that it has reported
BETTER_S = 1.0  # how long evidence from the pane waits for the program's own report

Do = Literal["look", "press"]


NextStep = Do | Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLook:
    """One look, and what was known before it. `after` adds this look, including its candidate for evidence."""

    task: Task
    before: Progress
    after: Progress
    now: ComposerState

    @property
    def waited(self) -> float:
        """Seconds since this phase began."""
        return self.now.at - self.before.began

    @property
    def steady(self) -> bool:
        """Whether the composer shows the same as at the previous look."""
        return self.before.last is not None and self.before.last.draft == self.now.draft

    @property
    def appears_s(self) -> float:
        """How long the text may take to appear."""
        return PASTE_MAX_S + self.task.size * PASTE_BYTE_S

    @property
    def again(self) -> bool:
        """Whether the key may be pressed once more: our text is still there."""
        due = self.now.at - self.before.pressed_at >= RETRY_S and self.before.presses < PRESSES
        return self.now.stands and self.now.may_press and due

    @property
    def troubled(self) -> bool:
        """Whether it cannot work: it shows more than what it had before our message, or still shows that at the end."""
        old = self.now.trouble == self.task.doubt and not self.after.cleared
        over = self.waited >= self.task.timeout_s
        return self.before.presses > 0 and bool(self.now.trouble) and (not old or over)

    @property
    def in_doubt(self) -> bool:
        """Whether the trouble that it had before may still be there."""
        return bool(self.task.doubt) and not self.now.answered and self.waited < self.task.timeout_s

    @property
    def followed(self) -> bool:
        """Whether it is clear what follows the program's own report: some report a message before they refuse it."""
        now = self.now
        if not self.task.verify or not self.before.presses or now.pane in ("dead", "gone") or now.answered:
            return True
        if self.waited >= self.task.timeout_s:
            return True
        if self.task.doubt:
            return False
        # That it works is no sign: claude shows its spinner before it says that it is not logged in.
        return not self.task.known or now.at - self.after.receipt_at >= FOLLOW_S

    @property
    def no_better(self) -> bool:
        """Whether nobody needs to wait for better evidence than the candidate."""
        waited = not self.task.receipts or self.now.at - self.after.candidate_at >= BETTER_S
        return waited and not self.in_doubt


def step(task: Task, before: Progress, now: ComposerState) -> tuple[Progress, NextStep]:
    """Process one look; return the progress and what to do. Ends within bounds that depend only on the task."""
    after = replace(before, last=now, stood=before.stood or now.stands)
    if now.receipt and not before.receipt:
        after = replace(after, receipt=now.receipt, receipt_queued=now.receipt_queued, receipt_at=now.at)
    if task.doubt and before.presses and now.pane == "ok" and not now.trouble:
        after = replace(after, cleared=True)
    over = bool(after.receipt) or now.pane in ("dead", "gone") or now.queued
    if before.presses and task.verify and not over:
        after = _with_candidate(before, after, now)
    look = DeliveryLook(task=task, before=before, after=after, now=now)
    do = first_match(AT_ONCE, look).then or first_match(SUBMITTED if before.presses else SETTLING, look).then
    return after, do(look)


def pressed(before: Progress, at: float) -> Progress:
    """The progress after a press of the submit key."""
    began = before.began if before.presses else at
    return replace(before, began=began, presses=before.presses + 1, pressed_at=at)


def _with_candidate(before: Progress, after: Progress, now: ComposerState) -> Progress:
    """Indirect evidence: our text was in the composer and left it, and then the program's record or its screen shows
    where it went. A later look that contradicts it cancels it."""
    left = after.stood and now.pane == "ok" and now.composer == "empty"
    found: EvidenceWord = "" if not left else "status-file" if now.busy else "pane" if now.shown else ""
    if not left:
        return replace(after, candidate="", candidate_at=0.0)
    return (
        replace(after, candidate=found, candidate_at=now.at)
        if found and not before.candidate
        else replace(after, candidate=found)
    )


Decide = Callable[[DeliveryLook], NextStep]


def _look_again(look: DeliveryLook) -> NextStep:
    del look
    return "look"


def _press(look: DeliveryLook) -> NextStep:
    del look
    return "press"


def _sent(look: DeliveryLook) -> NextStep:
    del look
    return Delivery(word="sent")


def _receipt(look: DeliveryLook) -> NextStep:
    return _arrived(look.task, look.after.receipt, queued=look.after.receipt_queued or look.now.queued)


def _troubled(look: DeliveryLook) -> NextStep:
    said = "it has taken the message up" if look.after.receipt else "the message was submitted"
    what = phrase(look.now.trouble, look.now.until)
    way = f"look before it is sent again: mosaic agent attach {look.task.agent}"
    return Delivery(word="unconfirmed", reason=f"{said}, and {what}", way=way)


def _queued(look: DeliveryLook) -> NextStep:
    return _arrived(look.task, "pane", queued=True)


def _candidate(look: DeliveryLook) -> NextStep:
    return Delivery(word="delivered", evidence=look.after.candidate)


def _ended(look: DeliveryLook) -> NextStep:
    when = "was submitted" if look.before.presses else "was put in, before it was submitted"
    return _unsure(look.task, f"its program ended when the message {when}")


def _never_pressed(look: DeliveryLook) -> NextStep:
    return _unsure(look.task, first_match(NOT_PRESSED, look.now).then.format(asks=look.now.asks))


def _no_evidence(look: DeliveryLook) -> NextStep:
    return _unsure(look.task, first_match(NO_EVIDENCE, look).then.format(asks=look.now.asks))


def _arrived(task: Task, evidence: EvidenceWord, *, queued: bool = False) -> Delivery:
    """A sender who did not ask for evidence gets the same word for every success."""
    if not task.verify:
        return Delivery(word="sent", queued=queued)
    return Delivery(word="delivered", evidence=evidence, queued=queued)


def _unsure(task: Task, reason: str) -> Delivery:
    way = f"look before it is sent again: mosaic agent tail {task.agent}"
    return Delivery(word="unconfirmed", reason=reason, way=way)


# These rows count at any time. None: the phase decides.
AT_ONCE: tuple[DecisionRow[DeliveryLook, Decide | None], ...] = (
    DecisionRow("it cannot work", lambda look: look.troubled and look.task.verify, _troubled,
        "some programs report a message, and then refuse it: nothing of it has reached the model"),
    DecisionRow("the program says that it is queued",
        lambda look: look.after.receipt and (look.after.receipt_queued or look.now.queued), _receipt,
        "it holds exactly this text until its turn has ended"),
    DecisionRow("the program says so", lambda look: look.after.receipt and look.followed, _receipt,
        "the program's own report about exactly this text is the best evidence"),
    DecisionRow("it has ended", lambda look: look.now.pane in ("dead", "gone"), _ended,
        "it is not known whether it had accepted the text"),
    DecisionRow("it goes on", otherwise, None,
        "nothing is decided yet"),
)  # fmt: skip

# Between the paste and the first press of the submit key.
SETTLING: tuple[DecisionRow[DeliveryLook, Decide], ...] = (
    DecisionRow("too soon", lambda look: look.waited < PASTE_MIN_S, _look_again,
        "the slowest program needs that long to accept a paste"),
    DecisionRow("its screen cannot be read", lambda look: look.now.may_press and not look.task.known, _press,
        "there is nothing else to wait for"),
    DecisionRow("the text stands there",
        lambda look: look.now.may_press and look.now.stands and look.now.ours == "whole", _press,
        "the whole text, and nothing else, is in the composer"),
    DecisionRow("a part of it is steady",
        lambda look: look.now.may_press and look.now.stands and look.steady and look.waited >= STEADY_S, _press,
        "a long text is shown only in part, and no more of it appears"),
    DecisionRow("it may still appear", lambda look: look.waited < look.appears_s, _look_again,
        "a large paste can take a while"),
    DecisionRow("it never appeared", otherwise, _never_pressed,
        "the key is never pressed on a text that is not ours"),
)  # fmt: skip

# After the submit key. The rows for a sender who did not ask for evidence come first.
SUBMITTED: tuple[DecisionRow[DeliveryLook, Decide], ...] = (
    DecisionRow("queued", lambda look: look.now.queued, _queued,
        "the program shows it among its queued messages"),
    DecisionRow("reported, and it is not clear what follows", lambda look: look.after.receipt, _look_again,
        "the next look shows more, and a key would not"),
    DecisionRow("unasked, and nothing can be read", lambda look: not look.task.verify and not look.task.known, _sent,
        "the sender asked for no evidence"),
    DecisionRow("unasked, and it left",
        lambda look: not look.task.verify and look.now.composer == "empty" and look.now.pane == "ok", _sent,
        "the text has left the composer"),
    DecisionRow("unasked, and it stands there for too long",
        lambda look: not look.task.verify and look.waited >= LEAVE_S and look.now.stands, _no_evidence,
        "it was not submitted, as far as can be seen"),
    DecisionRow("unasked, and out of sight", lambda look: not look.task.verify and look.waited >= LEAVE_S, _sent,
        "it is not in the composer"),
    DecisionRow("evidence, and no better to come", lambda look: look.after.candidate and look.no_better, _candidate,
        "the program makes no report of its own, or had enough time to make one"),
    DecisionRow("evidence, and the time is up",
        lambda look: look.after.candidate and look.waited >= look.task.timeout_s, _candidate,
        "no better evidence came"),
    DecisionRow("no evidence, and the time is up",
        lambda look: look.task.verify and look.waited >= look.task.timeout_s, _no_evidence,
        "it may or may not have arrived"),
    DecisionRow("it still stands there", lambda look: look.again, _press,
        "the key had no effect: it is pressed again, and only on our own text"),
    DecisionRow("it takes its time", otherwise, _look_again,
        "the next look shows more"),
)  # fmt: skip

# Why the key was never pressed.
NOT_PRESSED: tuple[DecisionRow[ComposerState, str], ...] = (
    DecisionRow("no answer", lambda now: now.pane == "blind",
        "tmux gave no answer any more after the message was put in", "nothing was seen"),
    DecisionRow("copy mode", lambda now: now.pane == "copy-mode",
        "its pane went into copy mode, so the message was put in and not submitted", "a key would go to tmux"),
    DecisionRow("a dialog", lambda now: now.asks,
        "it began to wait for a person ({asks}), so the message was put in and not submitted",
        "a key would answer the dialog"),
    DecisionRow("something else", lambda now: now.composer == "draft" and now.ours == "no",
        "something else came into its composer beside the message, which was not submitted",
        "a key would submit what is not ours"),
    DecisionRow("nothing", otherwise,
        "its composer never showed the message, so it was not submitted", "it is not known what a key would submit"),
)  # fmt: skip

# Why nothing shows that the text arrived.
NO_EVIDENCE: tuple[DecisionRow[DeliveryLook, str], ...] = (
    DecisionRow("no answer", lambda look: look.now.pane == "blind",
        "tmux gave no answer any more after the message was submitted", "nothing was seen"),
    DecisionRow("it stands there", lambda look: look.now.stands,
        "it stands unsent in its composer", "no press of the key had an effect"),
    DecisionRow("its screen cannot be read", lambda look: not look.task.known,
        "it was submitted, and nothing is known of what this program shows when it takes a message up",
        "no screen of it is known"),
    DecisionRow("a dialog", lambda look: look.now.asks,
        "it waits for a person now ({asks}), and nothing shows whether it has taken the message up",
        "the dialog may have come before the text, or because of it"),
    DecisionRow("something else", lambda look: look.now.composer == "draft",
        "something else stands in its composer now, and nothing shows what became of the message",
        "a person may have changed it"),
    DecisionRow("it left", otherwise,
        "it left the composer, and nothing shows that it was taken up", "it is no longer visible anywhere"),
)  # fmt: skip
