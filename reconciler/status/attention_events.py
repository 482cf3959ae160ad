"""The events of cases: raised, cleared, notified. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from providers.base import Json
from reconciler.helpers.times import rfc3339, spell_duration
from reconciler.status.events import Event, EventType

if TYPE_CHECKING:
    from reconciler.attention.notices import Notice
    from reconciler.attention.register import CaseChange


def change_event(change: CaseChange) -> Event:
    """A case that was raised, or cleared. `number` is never the same for two cases of a fleet on a host."""
    case = change.case
    fields: dict[str, Json] = {
        "case": case.id,
        "number": change.number,
        "kind": str(case.kind),
        "since": rfc3339(case.since),
    }
    if not change.raised:
        return Event(
            type=EventType.ATTENTION_CLEARED,
            message=f"{case.kind}: it no longer needs a person, after {spell_duration(change.at - case.since)}",
            agent=case.agent,
            fields={**fields, "open_s": round(max(0.0, change.at - case.since), 3)},
        )
    return Event(
        type=EventType.ATTENTION_RAISED,
        message=f"{case.kind}: {case.question or 'it needs a person'}",
        agent=case.agent,
        fields={**fields, "question": case.question, "answered_by": "; ".join(case.answered_by)},
    )


def notice_events(notice: Notice, error: str) -> tuple[Event, ...]:
    """One for each case that a notifier was handed. `error`: why it failed, "" if it did not."""
    name = notice.rule.name
    return tuple(
        Event(
            type=EventType.NOTIFY_FAILED if error else EventType.NOTIFIED,
            message=f"{name}: {error}" if error else f"{name} was handed it ({case.kind})",
            agent=case.agent,
            fields={
                "case": case.id,
                "kind": str(case.kind),
                "notifier": name,
                **({"error": error} if error else {}),
            },
        )
        for case in notice.cases
    )
