"""Record what became of an answer: who answered which dialog, and how. Never the text of an answer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reconciler.errors import MosaicError
from reconciler.state.event_log import EventLog
from reconciler.status.events import Event, EventType

if TYPE_CHECKING:
    from reconciler.answering.verdict import AnswerHow, DialogAnswer
    from reconciler.state.store import Store
    from reconciler.status.events import EventSource
    from specs.compiled import Fleet


def record_answer(
    fleet: Fleet,
    store: Store,
    agent: str,
    found: DialogAnswer,
    *,
    how: AnswerHow,
    by: str,
    source: EventSource,
    rule: str = "",
) -> None:
    """Log an answer that was given, or may have been. `rule`: the key of the fleet that gave it. A failure to write the
    log changes nothing about the answer; the store's warnings report it."""
    if found.dialog is None or found.word not in ("answered", "unconfirmed"):
        return
    who = f"by the fleet's rule {rule}" if rule else f"by {by}"
    said = f"its dialog ({found.dialog.kind}) was answered {who} with {found.pressed!r}: {found.word}"
    then = found.now or found.reason
    log = EventLog(store=store, source=source, fleet=fleet.name, tenant_id=fleet.tenant_id, host=fleet.host)
    event = Event(
        type=EventType.ANSWERED,
        message=said + (f"; {then}" if then else ""),
        agent=agent,
        fields={
            "by": by,
            "rule": rule or None,
            "case": found.dialog.case,
            "kind": str(found.dialog.kind),
            "how": how,
            "pressed": found.pressed,
            "result": found.word,
        },
    )
    try:
        log.write([event], now=time.time(), revision=fleet.revision)
    except MosaicError as error:
        store.warnings.append(error.message)
