"""The outcome of a message, for people and for programs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.helpers.redact import one_line
from reconciler.helpers.times import parse_rfc3339, rfc3339, rfc3339_or_none
from reconciler.helpers.words import count, data, no_paint, when
from reconciler.render.table import table
from reconciler.status.document import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from providers.base import Json
    from reconciler.delivery.message import Message
    from reconciler.delivery.verdict import Delivery, DeliveryWord
    from reconciler.helpers.words import Paint, Tint
    from specs.compiled import Fleet

_TINTS: dict[DeliveryWord, Tint] = {
    "delivered": "green",
    "sent": "green",
    "unconfirmed": "yellow",
    "not-delivered": "red",
}
_STATES: dict[str, Tint | None] = {
    "waiting": None,
    "sending": None,
    "queued": None,
    "unconfirmed": "yellow",
    "damaged": "red",
    "put-away": "yellow",
}
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


def deliveries_document(
    fleet: Fleet, receivers: Sequence[str], deliveries: Sequence[Mapping[str, Json]]
) -> dict[str, Json]:
    """The document of a message to several: what became of it for each, as the document for that one alone has it; of
    a preview, none."""
    return {**_head("Deliveries", fleet), "receivers": list(receivers), "deliveries": [dict(one) for one in deliveries]}


def outbox_rows(fleet: Fleet, messages: Sequence[Message]) -> list[dict[str, Json]]:
    """The messages as the document of `mosaic agent outbox` has them. `agent` of a damaged one is empty."""
    return [
        {
            "id": one.id,
            "host": fleet.host,
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
    ]


def outbox_document(
    fleet: Fleet, rows: Sequence[dict[str, Json]], silent: Mapping[str, str] | None = None
) -> dict[str, Json]:
    """The document. `silent`: hosts that were asked and gave no answer, with the reason."""
    return {
        **_head("Outbox", fleet),
        "messages": list(rows),
        "silent": [{"host": host, "reason": why} for host, why in (silent or {}).items()],
    }


def outbox_text(rows: Sequence[Mapping[str, Json]], *, now: float, paint: Paint = no_paint) -> str:
    """A row for each message; then why those stand where they do, and what an operator can do. A row may be another
    host's word."""
    if not rows:
        return "the outbox is empty\n"
    head = ("ID", "AGENT", "FROM", "STATE", "SINCE", "MESSAGE")
    hosts = len({one["host"] for one in rows}) > 1
    cells = [
        [
            *([str(one["host"])] if hosts else []),
            *(str(one["id"]), str(one["agent"] or "?"), str(one["sender"] or "?"), str(one["state"])),
            *(_since(one, now), str(one["begins"])),
        ]
        for one in rows
    ]
    lines = table(
        ("HOST", *head) if hosts else head,
        [[data(cell) for cell in row] for row in cells],
        [_STATES.get(str(one["state"])) for one in rows],
        paint,
    )
    lines += [f"{data(one['id'])}: {data(one['reason'])}" for one in rows if one.get("reason")]
    if unsure := sum(one["state"] == "unconfirmed" for one in rows):
        lines.append(
            f"{count(unsure, 'message')} may have arrived or not, and will not be sent again: look at the agent, then "
            "mosaic agent outbox --cancel ID"
        )
    if any(one["state"] == "put-away" for one in rows):
        lines.append("messages that were put away are not sent; to read one: mosaic agent outbox --show ID")
    return "\n".join(lines) + "\n"


def _since(one: Mapping[str, Json], now: float) -> str:
    try:
        return when(parse_rfc3339(str(one["created_at"])), now)
    except ValueError:
        return str(one["created_at"])


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
