"""JSON Schemas of the documents about messages and answers: a delivery, several of them, the outbox, an answer to a
dialog. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.answering.verdict import ANSWERS
from reconciler.attention.case import DIALOGS
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


def _answer() -> Schema:
    """`dialog` is the one that was answered, or that is shown; `then` the one that is shown afterwards. `known`: which
    keys choose it."""
    choice = record(number=COUNT, label=TEXT, means=or_null(words(("allow", "deny"))), known=BOOL, selected=BOOL)
    dialog = record(case=TEXT, kind=words(sorted(DIALOGS)), question=TEXT, choices=items(choice), takes_text=BOOL)
    return document(
        "DialogAnswer",
        agent=TEXT,
        result=words(ANSWERS),
        dialog=or_null(dialog),
        pressed=or_null(TEXT),
        now=or_null(TEXT),
        then=or_null(dialog),
        reason=or_null(TEXT),
        help=or_null(TEXT),
    )


TALKING: Mapping[str, Callable[[], Schema]] = {
    "delivery": _delivery,
    "deliveries": _deliveries,
    "outbox": _outbox,
    "answer": _answer,
}
