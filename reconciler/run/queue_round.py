"""The queue round: look after messages that a program had in its own queue, see `reconciler/delivery/queued.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from providers.base import ObserveError
from reconciler.delivery.queued import QUEUED, QueuedSituation, taken_up
from reconciler.delivery.text import compose
from reconciler.delivery.verdict import Delivery
from reconciler.helpers.decision_table import first_match

if TYPE_CHECKING:
    from providers.host import HostFacts
    from providers.launch.conversations import ConversationRecord
    from reconciler.delivery.message import Message
    from reconciler.model import AgentView

AGAIN = "it was in the queue of its program, which ended before it began with it"
UNSURE = f"{AGAIN}, as far as is known: its conversation cannot be read"
_TAIL = 8 << 20  # bytes: a turn that began after the message was queued is near the end


def decide(
    message: Message, view: AgentView | None, process: str, looked_at: float, *, free: bool, host: str, facts: HostFacts
) -> Delivery | None:
    """What became of a queued message: None if it stays where it is; `delivered`: it is done; `not-delivered`: it waits
    again; `unconfirmed`. `process`: that in which its agent lives now; `looked_at`: when `view` was seen, in Unix
    seconds."""
    alive = view is not None and view.session == "alive" and bool(process)
    same, later = process == message.queued_in, looked_at > message.ended
    taken = _taken(message, host, facts) if alive and later and not same else None
    word = first_match(QUEUED, QueuedSituation(alive=alive, same=same, later=later, free=free, taken=taken)).then
    return {
        "keep": None,
        "done": Delivery(word="delivered"),
        "again": Delivery(word="not-delivered", reason=f"{AGAIN}; it waits again"),
        "unsure": Delivery(word="unconfirmed", reason=UNSURE),
    }[word]


def _taken(message: Message, host: str, facts: HostFacts) -> bool | None:
    from providers.machine.conversation_files import read_record

    try:
        record = read_record(message.agent, facts)
    except ObserveError:
        return None
    whole = compose(message.text, sender=message.sender, recipient=f"{host}:{message.agent}")
    found = [_end_of(path) for path in _files(record, message.queued_in)]
    if any(data is not None and taken_up(data, whole, message.ended) for data in found):
        return True
    return None if not found or None in found else False


def _files(record: ConversationRecord, process: str) -> list[str]:
    """Where the conversations are kept that the process was in."""
    pid = process.rpartition(":")[2]
    lives = {one.life for one in record.starts if one.life.partition(".")[0] == pid}
    named = {one.session for one in record.starts if one.life in lives}
    return [one.file for one in record.conversations if one.file and (one.session in named or one.life in lives)]


def _end_of(path: str) -> bytes | None:
    """The last part of a file; None if it cannot be read, b"" if it is not there: nothing was ever said in it."""
    from providers.filesystem.bounded_look import ask_one
    from providers.filesystem.guarded_read import read_regular

    try:
        return ask_one(path, lambda: read_regular(path))[-_TAIL:]
    except FileNotFoundError:
        return b""
    except OSError:
        return None
