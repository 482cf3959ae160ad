"""What became of a message, for people and for programs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.redact import one_line
from reconciler.render.table import table
from reconciler.render.words import count, data, no_paint, when
from reconciler.status_document import API_VERSION
from reconciler.times import rfc3339, rfc3339_or_none

if TYPE_CHECKING:
    from collections.abc import Sequence

    from providers.base import Json
    from reconciler.deliver_verdict import Delivery, State, Word
    from reconciler.message import Message
    from reconciler.render.words import Paint, Tint
    from specs.compiled import Fleet

_TINTS: dict[Word, Tint] = {"delivered": "green", "sent": "green", "unconfirmed": "yellow", "not-delivered": "red"}
_STATES: dict[State, Tint | None] = {"waiting": None, "sending": None, "unconfirmed": "yellow", "damaged": "red"}
_BEGINS = 60  # characters of a message, to know it by


def delivery_text(agent: str, found: Delivery, *, paint: Paint = no_paint) -> str:
    """One line."""
    evidence = f" (evidence: {found.evidence})" if found.evidence else ""
    queued = ", queued: it takes it up when its turn has ended" if found.queued else ""
    reason = f": {data(found.reason)}" if found.reason else ""  # it may be another host's word

    return f"{paint(found.word, _TINTS[found.word])} to {agent}{queued}{evidence}{reason}"


def delivery_document(fleet: Fleet, agent: str, found: Delivery, *, sender: str, size: int) -> dict[str, Json]:
    """The document of `mosaic agent send`; the text is not in it."""
    return {
        **_head("Delivery", fleet),
        "agent": agent,
        "sender": sender,
        "bytes": size,
        "result": found.word,
        "evidence": found.evidence or None,
        "queued": found.queued,
        "reason": found.reason or None,
        "help": found.way or None,
        "id": None,
    }


def stored_document(fleet: Fleet, kept: Message) -> dict[str, Json]:
    """The document of `mosaic agent send --when available`."""
    return {
        **_head("Delivery", fleet),
        "agent": kept.agent,
        "sender": kept.sender,
        "bytes": len(kept.text.encode()),
        "result": "stored",
        "evidence": None,
        "queued": False,
        "reason": None,
        "help": "mosaic agent outbox",
        "id": kept.id,
    }


def outbox_document(fleet: Fleet, messages: Sequence[Message]) -> dict[str, Json]:
    """The document of `mosaic agent outbox`. `agent` of a damaged one is empty."""
    return {
        **_head("Outbox", fleet),
        "messages": [
            {
                "id": one.id,
                "agent": one.agent,
                "sender": one.sender,
                "what": "kickstart" if one.kickstart else "message",
                "state": one.state,
                "reason": one.reason or None,
                "tries": one.tries,
                "bytes": len(one.text.encode()),
                "begins": _begins(one),
                "created_at": rfc3339(one.created),
                "expires_at": rfc3339_or_none(one.expires or None),
            }
            for one in messages
        ],
    }


def outbox_text(messages: Sequence[Message], *, now: float, paint: Paint = no_paint) -> str:
    """A row for each message; then why those stand where they do, and what an operator can do."""
    if not messages:
        return "the outbox is empty\n"
    head = ("ID", "AGENT", "FROM", "STATE", "SINCE", "MESSAGE")
    cells = [
        (one.id, one.agent or "?", one.sender or "?", one.state, when(one.created, now), _begins(one))
        for one in messages
    ]
    lines = table(
        head, [[data(cell) for cell in row] for row in cells], [_STATES[one.state] for one in messages], paint
    )
    lines += [f"{data(one.id)}: {data(one.reason)}" for one in messages if one.reason]
    if unsure := sum(one.state == "unconfirmed" for one in messages):
        lines.append(
            f"{count(unsure, 'message')} may have arrived or not, and will not be sent again: look at the agent, then "
            "mosaic agent outbox --cancel ID"
        )
    return "\n".join(lines) + "\n"


def _begins(message: Message) -> str:
    return one_line(message.text or message.kickstart, _BEGINS)


def _head(kind: str, fleet: Fleet) -> dict[str, Json]:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "fleet": fleet.name,
        "tenant_id": fleet.tenant_id,
        "host": fleet.host,
    }
