"""JSON Schemas of what needs a person: the list, and what a notifier reads. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.attention.case import AttentionKind
from reconciler.schemas.pieces import (
    BOOL,
    COUNT,
    SECONDS,
    TEXT,
    TEXTS,
    TIME,
    Schema,
    document,
    items,
    or_null,
    record,
    words,
)
from reconciler.status.events import EventType

_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{8}$"}
_CASE: Mapping[str, Schema] = {
    "case": _ID,
    "agent": TEXT,
    "kind": words(AttentionKind),
    "since": TIME,
    "question": TEXT,
    "choices": items(record(label=TEXT, means=or_null(words(("allow", "deny"))))),
    "answered_by": TEXTS,
    "until": or_null(TEXT),
    "until_at": or_null(TIME),
    "suspended": BOOL,
    "life": TEXT,
}
CASE = record(**_CASE)
_LISTED = record(**_CASE, host=TEXT, age_s=SECONDS, notified=items(record(notifier=TEXT, at=TIME)))
_NOTIFIED = {"case": _ID, "kind": words(AttentionKind), "notifier": TEXT}
_CHANGED = {"case": _ID, "number": COUNT, "kind": words(AttentionKind), "since": TIME}
ATTENTION_EVENTS: Mapping[EventType, Mapping[str, Schema]] = {
    EventType.ATTENTION_RAISED: {**_CHANGED, "question": TEXT, "answered_by": TEXT},
    EventType.ATTENTION_CLEARED: {**_CHANGED, "open_s": SECONDS},
    EventType.NOTIFIED: _NOTIFIED,
    EventType.NOTIFY_FAILED: {**_NOTIFIED, "error": TEXT},
}


def _list() -> Schema:
    return document(
        "AttentionList",
        observed_at=TIME,
        cases=items(_LISTED),
        failing=items(record(notifier=TEXT, host=TEXT, since=TIME, error=TEXT)),
        silent=items(record(host=TEXT, reason=TEXT)),
    )


def _notice() -> Schema:
    notified = record(**_CASE, repeated=BOOL)
    return document("AttentionNotice", notifier=TEXT, sent_at=TIME, summary=TEXT, cases=items(notified))


ATTENTION: Mapping[str, Callable[[], Schema]] = {"attention": _list, "attention-notice": _notice}
