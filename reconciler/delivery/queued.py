"""Messages in a program's own queue: what becomes of them while it lives, and when it ends. Pure.

Some programs lose their queue when they end. A message that such a program holds is kept in the outbox as `queued`. It
is done once the program has begun with it; if the program ends before that, it waits again for the agent's next life.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal

from reconciler.delivery.text import letters
from reconciler.helpers.decision_table import DecisionRow, otherwise
from reconciler.helpers.times import parse_rfc3339
from specs.dataclass import dataclass

QueueWord = Literal["keep", "done", "again", "unsure"]
SLACK_S = 5.0  # between our clock at a delivery and the program's own stamps


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedSituation:
    """A message that is in a program's queue as far as is known. `alive`: its agent was seen living; `same`: in the
    process that has the message; `later`: that was seen after the message was queued; `free`: it was available then.
    `taken`: whether the conversation shows that its turn began, None where that cannot be read."""

    alive: bool
    same: bool
    later: bool
    free: bool
    taken: bool | None = None


QUEUED: tuple[DecisionRow[QueuedSituation, QueueWord], ...] = (
    DecisionRow("not seen", lambda of: not of.alive or not of.later, "keep",
        "nothing is known of it since"),
    DecisionRow("its process is free", lambda of: of.same and of.free, "done",
        "a program takes up its whole queue before it waits for a person again"),
    DecisionRow("its process works", lambda of: of.same, "keep",
        "it may still be in the queue"),
    DecisionRow("its turn had begun", lambda of: of.taken is True, "done",
        "its conversation has it, and goes on from there"),
    DecisionRow("it was lost", lambda of: of.taken is False, "again",
        "the process has ended, and its conversation does not have it"),
    DecisionRow("nobody knows", otherwise, "unsure",
        "sent again, it might be there twice"),
)  # fmt: skip


def taken_up(data: bytes, text: str, since: float) -> bool:
    """Whether a conversation, as a program keeps it (a JSON object a line), has a turn with this text that is not older
    than `since` (Unix seconds). What the program only notes of its queue does not count."""
    wanted = letters(text)
    return any(wanted in letters(said) for said in _prompts(data, since - SLACK_S))


def _prompts(data: bytes, since: float) -> Iterator[str]:
    for line in data.split(b"\n"):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(entry, dict) or _before(entry.get("timestamp"), since):
            continue
        message = entry.get("message")
        if isinstance(message, dict) and message.get("role") == "user":
            yield from _texts(message.get("content"))
        attachment = entry.get("attachment")
        if isinstance(attachment, dict) and attachment.get("type") == "queued_command":
            yield from _texts(attachment.get("prompt"))


def _before(stamp: object, since: float) -> bool:
    """An entry without a time that is understood counts as new."""
    if isinstance(stamp, (int, float)) and not isinstance(stamp, bool):
        return (stamp / 1000 if stamp > 1e11 else stamp) < since
    try:
        return isinstance(stamp, str) and parse_rfc3339(stamp) < since
    except ValueError:
        return False


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]
