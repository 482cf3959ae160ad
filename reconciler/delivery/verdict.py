"""The outcome of a message: from one look after another to one of the answers for the sender. Pure.

`refusal` says before anything is done why nothing may be. After the paste, `step` takes one look after the other and
says what to do: look again, press the submit key, or stop with a word. The text is pasted once and never again; the key
is pressed again only while our text still stands in the composer, and never into a dialog.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from reconciler.observe.readiness import waits_for

if TYPE_CHECKING:
    from providers.programs.base import Asks, Reading
    from providers.tmux.pane_input import PaneState


DeliveryWord = Literal["delivered", "unconfirmed", "not-delivered", "sent"]
EvidenceWord = Literal["", "hook", "status-file", "api", "pane"]
DeliveryState = Literal["waiting", "sending", "unconfirmed", "damaged", "put-away"]  # of a message in the outbox
DELIVERIES: tuple[DeliveryWord, ...] = get_args(DeliveryWord)
EVIDENCE: tuple[EvidenceWord, ...] = tuple(word for word in get_args(EvidenceWord) if word)
OUTBOX_STATES: tuple[DeliveryState, ...] = get_args(DeliveryState)

SETTLE_MIN_S = 0.3  # between paste and key: what the slowest program was measured to need
SETTLE_MAX_S = 10.0  # until a paste must be seen in the composer, and ...
SETTLE_BYTE_S = 5e-5  # ... for each of its bytes besides: 5 s for 100,000
STEADY_S = 0.6  # until a part of the text counts for all of it, if it stays as it is
RETRY_S = 1.0  # between two presses of the submit key
PRESSES = 3
LEAVE_S = 5.0  # without --verify: how long the composer has to let go of the text; it seldom takes a tenth of it
BETTER_S = 1.0  # what the pane shows waits so long for the program's own word


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The answer. `delivered`: the program has taken the message up, or holds it in its own queue (`queued`), by this
    `evidence`. `sent`: submitted, and nobody waited for more. `unconfirmed`: it may or may not have arrived; it is not
    to be sent again unseen. `not-delivered`: nothing was put in. `reason` is a sentence without its full stop, `way`
    what to do."""

    word: DeliveryWord
    evidence: EvidenceWord = ""
    queued: bool = False
    reason: str = ""
    way: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be delivered. `known`: the program's screen can be read; `receipts`: it reports what it takes up."""

    agent: str
    known: bool
    receipts: bool
    verify: bool
    timeout_s: float
    size: int  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposerState:
    """One look after the paste. `at`: seconds on the monotonic clock. `pane`: "blind" if tmux gave no answer.

    `ours`: whether what stands in the composer is our text; `queued`, `shown`: it stands, as it did not before, among
    the queued messages, or anywhere while the composer is empty. `receipt`: the program's own word for this very text,
    which may be that it is queued; `busy`: its record says that it went to work after we submitted.
    """

    at: float
    pane: Literal["ok", "copy-mode", "dead", "gone", "blind"] = "ok"
    composer: Literal["empty", "draft", "hidden"] = "hidden"
    ours: Literal["whole", "part", "no"] = "no"
    draft: str = ""
    asks: Asks = ""
    queued: bool = False
    shown: bool = False
    receipt: EvidenceWord = ""
    receipt_queued: bool = False
    busy: bool = False

    @property
    def stands(self) -> bool:
        """Our text is in the composer."""
        return self.composer == "draft" and self.ours != "no"

    @property
    def may_press(self) -> bool:
        return self.pane == "ok" and not self.asks


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far it is. `began`: of this phase; `last`: the look before, `candidate`: evidence that a better one may still
    replace, since `candidate_at`; `stood`: our text was seen in the composer."""

    began: float
    presses: int = 0
    pressed_at: float = 0.0
    last: ComposerState | None = None
    stood: bool = False
    candidate: EvidenceWord = ""
    candidate_at: float = 0.0


Do = Literal["look", "press"]


def refusal(
    agent: str, pane: PaneState, *, program: str, wrong: str, reading: Reading | None, said: str = ""
) -> Delivery | None:
    """Why nothing may be put into a pane, None if something may. `wrong`: what runs there instead of `program`, "" if
    the program itself does; `reading` None: the screen of this program cannot be read. `said`: for what it waits for a
    person, by the newest word about it."""
    attach = f"look at it: mosaic agent attach {agent}"
    if pane.found in ("no-server", "no-session", "no-pane"):
        return _refused("it has no session", f"mosaic agent status {agent} says why")
    if pane.found == "foreign":
        return _refused("a tmux session of its name exists that is not this fleet's", "nothing of others is touched")
    if pane.dead:
        return _refused("its program has ended", f"mosaic agent status {agent} says why, and when it is started again")
    if wrong == "launch":
        return _refused("its launch has not finished", "try again in a moment")
    if wrong:
        return _refused(f'"{wrong}" runs in its pane, not {program}', attach)
    if pane.in_mode:
        return _refused("its pane is in copy mode", f"leave it with q: mosaic agent attach {agent}")
    waits = waits_for(said, reading.asks if reading is not None else "")
    if waits:
        return _refused(f"it waits for a person ({waits})", f"answer it: mosaic agent attach {agent}")
    if reading is None:
        return None
    if reading.composer == "draft":
        return _refused("a person's draft stands in its composer", f"send or drop it: mosaic agent attach {agent}")
    if reading.composer == "hidden":
        return _refused("its composer is not on its screen", f"it may still be starting; {attach}")
    return None


def _refused(reason: str, way: str) -> Delivery:
    return Delivery(word="not-delivered", reason=reason, way=way)


def step(task: Task, before: Progress, now: ComposerState) -> tuple[Progress, Do | Delivery]:
    """Take in one look; how far it is then, and what to do. Ends within bounds that only the task sets."""
    after = replace(before, last=now, stood=before.stood or now.stands)
    if now.receipt:
        return after, _arrived(task, now.receipt, queued=now.receipt_queued)
    if now.pane in ("dead", "gone"):
        when = "was submitted" if before.presses else "was put in, before it was submitted"
        return after, _unsure(task, f"its program ended when the message {when}")
    return _submitted(task, before, after, now) if before.presses else _settling(task, before, after, now)


def pressed(before: Progress, at: float) -> Progress:
    """The submit key was pressed."""
    began = before.began if before.presses else at
    return replace(before, began=began, presses=before.presses + 1, pressed_at=at)


def _settling(task: Task, before: Progress, after: Progress, now: ComposerState) -> tuple[Progress, Do | Delivery]:
    waited = now.at - before.began
    if waited < SETTLE_MIN_S:
        return after, "look"
    if now.may_press:
        if not task.known or (now.stands and now.ours == "whole"):
            return after, "press"
        steady = before.last is not None and before.last.draft == now.draft
        if now.stands and steady and waited >= STEADY_S:
            return after, "press"
    if waited < SETTLE_MAX_S + task.size * SETTLE_BYTE_S:
        return after, "look"
    return after, _unsure(task, _not_pressed(now))


def _not_pressed(now: ComposerState) -> str:
    if now.pane == "blind":
        return "tmux gave no answer any more after the message was put in"
    if now.pane == "copy-mode":
        return "its pane went into copy mode, so the message was put in and not submitted"
    if now.asks:
        return f"it began to wait for a person ({now.asks}), so the message was put in and not submitted"
    if now.composer == "draft" and now.ours == "no":
        return "something else came into its composer beside the message, which was not submitted"
    return "its composer never showed the message, so it was not submitted"


def _submitted(task: Task, before: Progress, after: Progress, now: ComposerState) -> tuple[Progress, Do | Delivery]:
    waited = now.at - before.began
    if now.queued:
        return after, _arrived(task, "pane", queued=True)
    again = now.stands and now.may_press and now.at - before.pressed_at >= RETRY_S and before.presses < PRESSES
    if not task.verify:
        if not task.known or (now.composer == "empty" and now.pane == "ok"):
            return after, Delivery(word="sent")
        if waited >= LEAVE_S:
            return after, _unsure(task, _no_evidence(task, now)) if now.stands else Delivery(word="sent")
        return after, "press" if again else "look"
    after = _with_candidate(before, after, now)
    if after.candidate and (not task.receipts or now.at - after.candidate_at >= BETTER_S):
        return after, Delivery(word="delivered", evidence=after.candidate)
    if waited >= task.timeout_s:
        if after.candidate:
            return after, Delivery(word="delivered", evidence=after.candidate)
        return after, _unsure(task, _no_evidence(task, now))
    return after, "press" if again else "look"


def _with_candidate(before: Progress, after: Progress, now: ComposerState) -> Progress:
    """Evidence from the outside: our text stood in the composer and left it, and then the program's record or its
    screen shows what became of it. What a look takes back was none."""
    if not (after.stood and now.pane == "ok" and now.composer == "empty" and not now.stands):
        return replace(after, candidate="", candidate_at=0.0)
    found: EvidenceWord = "status-file" if now.busy else "pane" if now.shown else ""
    if found and not before.candidate:
        return replace(after, candidate=found, candidate_at=now.at)
    return replace(after, candidate=found)


def _no_evidence(task: Task, now: ComposerState) -> str:
    if now.pane == "blind":
        return "tmux gave no answer any more after the message was submitted"
    if now.stands:
        return "it stands unsent in its composer"
    if not task.known:
        return "it was submitted, and nothing is known of what this program shows when it takes a message up"
    if now.asks:
        return f"it waits for a person now ({now.asks}), and nothing shows whether it has taken the message up"
    if now.composer == "draft":
        return "something else stands in its composer now, and nothing shows what became of the message"
    return "it left the composer, and nothing shows that it was taken up"


def _arrived(task: Task, evidence: EvidenceWord, *, queued: bool = False) -> Delivery:
    """Who did not ask for evidence gets the same word for all that went well."""
    return Delivery(word="delivered", evidence=evidence, queued=queued) if task.verify else Delivery(word="sent")


def _unsure(task: Task, reason: str) -> Delivery:
    way = f"look before it is sent again: mosaic agent tail {task.agent}"
    return Delivery(word="unconfirmed", reason=reason, way=way)
