"""JSON Schemas of the documents about messages: a delivery, several of them, the outbox. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.delivery.verdict import DELIVERIES, EVIDENCE, OUTBOX_STATES
from reconciler.schemas.pieces import BOOL, COUNT, TEXT, TEXTS, TIME, Schema, document, items, or_null, record, words


def _delivery() -> Schema:
    return document(
        "Delivery",
        agent=TEXT,
        sender=TEXT,
        bytes=COUNT,
        result=words([*DELIVERIES, "stored"]),
        evidence=or_null(words(EVIDENCE)),
        queued=BOOL,
        reason=or_null(TEXT),
        help=or_null(TEXT),
        id=or_null(TEXT),
    )


def _outbox() -> Schema:
    message = record(
        id=TEXT,
        host=TEXT,
        agent=TEXT,
        sender=TEXT,
        what=words(("message", "kickstart")),
        state=words(OUTBOX_STATES),
        reason=or_null(TEXT),
        tries=COUNT,
        bytes=COUNT,
        begins=TEXT,
        created_at=TIME,
        expires_at=or_null(TIME),
    )
    return document("Outbox", messages=items(message), silent=items(record(host=TEXT, reason=TEXT)))


def _deliveries() -> Schema:
    """Each of `deliveries` is a document of kind Delivery, as that receiver's host gives it."""
    return document("Deliveries", receivers=TEXTS, deliveries=items(_delivery()))


TALKING: Mapping[str, Callable[[], Schema]] = {"delivery": _delivery, "deliveries": _deliveries, "outbox": _outbox}
