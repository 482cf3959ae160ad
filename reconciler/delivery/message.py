"""A message in the outbox, and its id. Pure: `outbox.py` stores them."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from providers.base import Parsed
from reconciler.delivery.text import clean, label
from reconciler.delivery.verdict import OUTBOX_STATES, DeliveryState
from reconciler.errors import Usage
from specs.dataclass import dataclass, replace

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. Times are Unix seconds; `expires` 0: never. A kickstart has no text: its words are read from
    `kickstart` when it is sent, and `preface` comes before them. `mission`: digest of the mission and contract that it
    announces. `life`: the only process that it is for, of one that asks an agent to go on, or says why it was started
    fresh. `revision`: the commit at which its agent was last known to be its true recipient; "" for the reconciler's
    own messages, which go to whichever agent has the name. `tries`: how often it was refused; `reason`: why, or why it
    is unconfirmed or put away; `ended`: when that happened, or when it was queued; `queued_in`: the process that then
    had it in its own queue, as `Life` has it."""

    id: str
    agent: str
    sender: str
    text: str = ""
    kickstart: str = ""
    preface: str = ""
    mission: str = ""
    life: str = ""
    created: float
    expires: float = 0.0
    state: DeliveryState = "waiting"
    reason: str = ""
    tries: int = 0
    revision: str = ""
    ended: float = 0.0
    queued_in: str = ""

    @property
    def our_own(self) -> bool:
        """Whether it is the reconciler's own, and not from somebody who wrote to this very agent."""
        return bool(self.kickstart or self.mission or self.life)


def parse(name: str, raw: Mapping[str, Parsed]) -> Message:
    """Read a message from its file, called `name`. Raises KeyError, TypeError, ValueError, OverflowError."""
    message = Message(**raw)
    words = (message.agent, message.sender, message.text, message.kickstart, message.mission, message.life)
    texts = (*words, message.reason, message.revision, message.queued_in)
    if message.id != name or message.state not in OUTBOX_STATES or not all(isinstance(one, str) for one in texts):
        raise ValueError("not a message")
    created, expires, tries = float(message.created), float(message.expires), float(message.tries)
    ended = float(message.ended)
    if not (isfinite(created) and isfinite(expires) and isfinite(tries) and isfinite(ended)):
        raise ValueError("not a time, or not a number of tries")
    try:
        said = message.preface if message.kickstart else message.text
        if (said or not message.kickstart) and clean(said) != said:
            raise ValueError("not a text as it is stored here")
        label(message.sender)
    except Usage as error:
        raise ValueError(error.message) from error
    return replace(message, created=created, expires=expires, tries=int(tries), ended=ended)


def next_id(now: float, known: tuple[Message, ...], tail: str) -> str:
    """An id that sorts after all known ones, even if two come at once or the clock was set back."""
    stamps = (one.id.partition("-")[0] for one in known)  # ids of damaged messages may be anything
    last = max((stamp for stamp in stamps if len(stamp) == 8 and set(stamp) <= set(_DIGITS)), default="")
    mine = _base36(int(now * 1000))
    if last >= mine:
        mine = _base36(int(last, 36) + 1)
    return f"{mine}-{tail}"


def _base36(number: int) -> str:
    """Eight digits: enough for milliseconds until 2059, and they sort like numbers."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits.rjust(8, "0")
