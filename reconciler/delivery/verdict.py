"""The outcome of a message: the words that a sender is told, and the values that they follow from. Pure.

`refusal.py` says before anything is done why nothing may be; `next_step.py` decides after each look at the pane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from providers.programs.base import Asks


DeliveryWord = Literal["delivered", "unconfirmed", "not-delivered", "sent"]
EvidenceWord = Literal["", "hook", "status-file", "api", "pane"]
DeliveryState = Literal["waiting", "sending", "unconfirmed", "damaged", "put-away"]  # of a message in the outbox
DELIVERIES: tuple[DeliveryWord, ...] = get_args(DeliveryWord)
EVIDENCE: tuple[EvidenceWord, ...] = tuple(word for word in get_args(EvidenceWord) if word)
OUTBOX_STATES: tuple[DeliveryState, ...] = get_args(DeliveryState)

SETTLE_MAX_S = 10.0  # until a paste must be seen in the composer, and ...
SETTLE_BYTE_S = 5e-5  # ... for each of its bytes besides: 5 s for 100,000


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
