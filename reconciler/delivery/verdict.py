"""The outcome of a message: the words that a sender gets, and the values that decide them. Pure.

`refusal.py` says beforehand why nothing may be done; `next_step.py` decides after each look at the pane.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.programs.base import Asks


DeliveryWord = Literal["delivered", "unconfirmed", "not-delivered", "sent"]
EvidenceWord = Literal["", "hook", "status-file", "api", "pane"]
# Of a message in the outbox.
DeliveryState = Literal[
    "waiting", "sending", "queued", "unconfirmed", "damaged", "put-away"
]  # of a message in the outbox
DELIVERIES: tuple[DeliveryWord, ...] = get_args(DeliveryWord)
EVIDENCE: tuple[EvidenceWord, ...] = tuple(word for word in get_args(EvidenceWord) if word)
OUTBOX_STATES: tuple[DeliveryState, ...] = get_args(DeliveryState)

PASTE_MAX_S = 10.0  # how long a paste may take to be seen in the composer, plus ...
PASTE_BYTE_S = 5e-5  # ... this for each of its bytes: 5 s for 100,000


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The answer. `delivered`: the program has taken the message up, or holds it in its own queue (`queued`), by this
    `evidence`. `sent`: submitted, and nobody waited for more. `unconfirmed`: it may have arrived; look before sending
    it again. `not-delivered`: nothing was put in. `reason` is a sentence without its full stop, `way` what to do."""

    word: DeliveryWord
    evidence: EvidenceWord = ""
    queued: bool = False
    reason: str = ""
    way: str = ""
    pid: int = 0  # of the pane's process, where something was put in
    in_turn: bool = False  # a turn ran when it was put in, so that its program may have queued it


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be delivered. `known`: the program's screen can be read; `receipts`: the program reports what it takes
    up. `doubt`: the trouble that it had before, so that it may take the message up in vain."""

    agent: str
    known: bool
    receipts: bool
    verify: bool
    timeout_s: float
    size: int  # bytes
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposerState:
    """One look after the paste. `at`: seconds on the monotonic clock. `pane`: "blind" if tmux did not answer.

    `ours`: whether the composer holds our text; `queued`, `shown`: the text is now, and was not before, among the
    queued messages, or anywhere while the composer is empty. `receipt`: the program's own report on exactly this text,
    possibly that it is queued; `busy`: its record says that it began to work after we submitted. `answered`: its
    record says since then what only follows an answer of the model. `trouble`: what keeps it from working now, and
    `until` when that ends, as its screen says it.
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
    answered: bool = False
    trouble: str = ""
    until: str = ""

    @property
    def stands(self) -> bool:
        """Whether our text is in the composer."""
        return self.composer == "draft" and self.ours != "no"

    @property
    def may_press(self) -> bool:
        return self.pane == "ok" and not self.asks


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of a delivery. `began`: start of this phase; `last`: the previous look; `candidate`: evidence, found
    at `candidate_at`, that better evidence may still replace; `stood`: our text was seen in the composer. `receipt`:
    the program's own report, which came at `receipt_at`; `cleared`: after we submitted, it was seen without trouble."""

    began: float
    presses: int = 0
    pressed_at: float = 0.0
    last: ComposerState | None = None
    stood: bool = False
    candidate: EvidenceWord = ""
    candidate_at: float = 0.0
    receipt: EvidenceWord = ""
    receipt_queued: bool = False
    receipt_at: float = 0.0
    cleared: bool = False
