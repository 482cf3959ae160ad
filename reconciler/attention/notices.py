"""Notices: who is to be notified of which case now, and when to look again. Pure.

A notifier is handed a case at most once, or once in each `repeat`; never before the case is `after` old, never in quiet
hours, never while its agent is suspended or the fleet is paused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from reconciler.attention.document import case_document
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.helpers.times import rfc3339
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from providers.base import Json
    from reconciler.attention.case import AttentionCase
    from reconciler.attention.register import OpenCase, Register
    from specs.compiled import NotifyRule

API_VERSION = "mosaic.fleet/v1"
DAY = 24 * 60  # minutes

LocalMinute = Callable[[float], int]  # from Unix seconds to the minute of the day, 0 to 1439, in the host's local time


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a notifier is handed at once: every case that is due for it. `document` is what a program reads."""

    rule: NotifyRule
    cases: tuple[AttentionCase, ...]
    document: Mapping[str, Json]


class NoticeChannel(Protocol):
    """A way to notify a person: the seam for further ones, such as a chat; `reconciler/notify/channels.py` lists
    them."""

    def send(self, notice: Notice) -> None:
        """Hand it over, within the rule's `timeout`. Raises NoticeError. Called in a thread of its own, never twice at
        once for one rule, and may touch nothing of the fleet."""
        ...


class NoticeError(Exception):
    """Nobody was notified, or that is not certain; the text says why, in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeInputs:
    """A case, a rule, and the time. `notified`: when it was last handed over by this rule, None for never."""

    case: AttentionCase
    rule: NotifyRule
    notified: float | None
    now: float
    minute: int

    @property
    def age(self) -> float:
        return self.now - self.case.since


NEVER = float("inf")
_When = Callable[[NoticeInputs], float]


def is_quiet_at(quiet: tuple[int, int] | None, minute: int) -> bool:
    """Whether a minute of the day lies in the quiet hours; their end does not. From and to the same minute: all day."""
    if quiet is None:
        return False
    begin, end = quiet
    return begin <= minute < end if begin < end else minute >= begin or minute < end


def _quiet_end(due: NoticeInputs) -> float:
    end = (due.rule.quiet or (0, 0))[1]
    return due.now + ((end - due.minute) % DAY or DAY) * 60.0 - due.now % 60.0


# When a rule hands over a case: at a time that is not in the future, now; the time decides nothing but the next look.
WHEN: tuple[DecisionRow[NoticeInputs, _When], ...] = (
    DecisionRow("another kind", lambda due: due.rule.kinds and due.case.kind not in due.rule.kinds, lambda _: NEVER,
        "the operator has chosen the kinds"),
    DecisionRow("suspended", lambda due: due.case.suspended, lambda _: NEVER,
        "it is left alone on purpose; when that ends, the loop looks again"),
    DecisionRow("notified, and not to be repeated", lambda due: due.notified is not None and not due.rule.repeat,
        lambda _: NEVER, "once is enough"),
    DecisionRow("too young", lambda due: due.age < due.rule.after, lambda due: due.case.since + due.rule.after,
        "what is answered sooner is never reported"),
    DecisionRow("notified a short time ago",
        lambda due: due.notified is not None and due.now - due.notified < due.rule.repeat,
        lambda due: (due.notified or 0.0) + due.rule.repeat, "not more often than asked for"),
    DecisionRow("quiet hours", lambda due: is_quiet_at(due.rule.quiet, due.minute), _quiet_end,
        "nobody wants to be woken"),
    DecisionRow("due", otherwise, lambda due: due.now,
        "it is old enough, and nobody was notified of it yet, or long ago"),
)  # fmt: skip


def due_notices(
    register: Register, rules: Iterable[NotifyRule], *, head: Mapping[str, Json], now: float, minute: LocalMinute
) -> tuple[Register, tuple[Notice, ...], float]:
    """What to hand over now, at most one notice for each rule; the register that already says that it was, to be saved
    before anything is handed over; and when to look again (Unix seconds, infinity for never)."""
    found: list[Notice] = []
    again = NEVER
    cases: Sequence[OpenCase] = register.open
    for rule in rules:
        times = {one.number: _when(one, rule, now, minute) for one in cases}
        chosen = tuple(one for one in cases if times[one.number] <= now)
        again = min([again, *(when for when in times.values() if when > now)])
        if not chosen:
            continue
        if rule.repeat:
            again = min(again, now + rule.repeat)
        found.append(
            Notice(rule=rule, cases=tuple(one.case for one in chosen), document=_document(rule, chosen, head, now))
        )
        numbers = {one.number for one in chosen}
        cases = [
            replace(one, notified={**one.notified, rule.name: now}) if one.number in numbers else one for one in cases
        ]
    return (replace(register, open=tuple(cases)) if found else register), tuple(found), again


def _when(one: OpenCase, rule: NotifyRule, now: float, minute: LocalMinute) -> float:
    due = NoticeInputs(case=one.case, rule=rule, notified=one.notified.get(rule.name), now=now, minute=minute(now))
    return first_match(WHEN, due).then(due)


def _document(rule: NotifyRule, chosen: Sequence[OpenCase], head: Mapping[str, Json], now: float) -> dict[str, Json]:
    """The document of docs/schemas/attention-notice.schema.json. `head`: fleet, tenant_id and host."""
    return {
        "apiVersion": API_VERSION,
        "kind": "AttentionNotice",
        **head,
        "notifier": rule.name,
        "sent_at": rfc3339(now),
        "summary": summary([one.case for one in chosen]),
        "cases": [{**case_document(one.case), "repeated": rule.name in one.notified} for one in chosen],
    }


def summary(cases: Sequence[AttentionCase]) -> str:
    """One line: who needs somebody, and what for."""
    first = cases[0]
    if len(cases) == 1:
        line = " ".join(first.question.split())[:120]
        return f"{first.agent} needs you ({first.kind})" + (f": {line}" if line else "")
    names = list(dict.fromkeys(one.agent for one in cases))
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return f"{len(cases)} things need you: {shown}"
