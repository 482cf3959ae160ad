"""When a case is over, and when somebody is notified of it, row by row; and what is one case seen twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from providers.programs.base import Choice
from reconciler.attention.case import AttentionCase, AttentionKind, case_id
from reconciler.attention.notices import NEVER, WHEN, NoticeInputs, due_notices, is_quiet_at
from reconciler.attention.register import OVER, CaseEvidence, OpenCase, Register, is_same, updated
from reconciler.model import AgentHistory, AgentView, History, Readiness
from specs.compiled import NotifyRule
from tests.builders import NOW, view
from tests.tables.rows import Examples, check, check_shape, expect, params

YES = Choice(label="Yes")


def case(kind: AttentionKind = AttentionKind.PERMISSION, life: str = "1.1", **more: Any) -> AttentionCase:
    question = more.get("question", "Run rm?" if kind is AttentionKind.PERMISSION else "")
    choices = more.get("choices", (YES,) if question else ())
    usual: dict[str, Any] = {
        "id": case_id("coder0", life, kind, question, choices), "agent": "coder0", "kind": kind, "life": life,
        "since": NOW - 100, "question": question, "choices": choices,
    }  # fmt: skip
    return AttentionCase(**{**usual, **more})


def over(
    of: AttentionCase,
    seen: AgentView | None = None,
    messages: frozenset[str] | None = frozenset(),
    **history: Any,
) -> CaseEvidence:
    return CaseEvidence(of, seen, AgentHistory(**history), messages)


MESSAGE = case(AttentionKind.UNCONFIRMED, life="m1")
QUARANTINE = case(AttentionKind.QUARANTINE, life=f"{NOW:.0f}")
ALIVE = view(life="1.1", readiness=Readiness.WORKING)
OVER_EXAMPLES = Examples("OVER", OVER, {
    "messages that could not be read": expect(False, over(MESSAGE, messages=None)),
    "its message is gone": expect(True, over(MESSAGE), over(MESSAGE, ALIVE)),
    "still in quarantine": expect(False, over(QUARANTINE, view(session="dead"), quarantined_since=NOW)),
    "out of quarantine": expect(
        True, over(QUARANTINE, ALIVE), over(QUARANTINE, ALIVE, quarantined_since=NOW + 60),
        over(QUARANTINE, view(desired_state="stopped"), quarantined_since=NOW), over(QUARANTINE, None),
    ),
    "nobody's": expect(True, over(case(), None)),
    "unseen": expect(False, over(case(), view(session="unknown")), over(case(life="2.2"), view(session="unknown"))),
    "another life": expect(
        True, over(case(life="2.2"), ALIVE), over(case(), view(session="dead")), over(case(), view(session="missing")),
        over(case(), view(session="foreign", life="1.1")), over(case(AttentionKind.CANNOT_START, life=""), ALIVE),
    ),
    "not understood": expect(
        False, over(case(), replace(ALIVE, readiness=Readiness.UNKNOWN)),
        over(case(), replace(ALIVE, readiness=Readiness.STALE)),
    ),
    "it goes on": expect(
        True, over(case(), ALIVE), over(case(), replace(ALIVE, readiness=Readiness.WAITING, waiting="menu")),
    ),
})  # fmt: skip


def due(notified: float | None = None, minute: int = 12 * 60, now: float = NOW, **more: Any) -> NoticeInputs:
    rule = NotifyRule(name="page", after=30.0, **more.pop("rule", {}))
    return NoticeInputs(case=case(**more), rule=rule, notified=notified, now=now, minute=minute)


NIGHT = {"quiet": (22 * 60, 7 * 60)}
OFTEN = {"repeat": 600.0}
WHEN_EXAMPLES = Examples("WHEN", WHEN, {
    "another kind": expect(NEVER, due(rule={"kinds": ("limit",)}), due(rule={"kinds": ("limit",)}, since=NOW)),
    "suspended": expect(NEVER, due(suspended=True), due(suspended=True, since=NOW)),
    "notified, and not to be repeated": expect(NEVER, due(NOW - 5), due(NOW - 1e6, since=NOW)),
    "too young": expect(NOW + 20, due(since=NOW - 10), due(since=NOW - 10, minute=0, rule=NIGHT)),
    "notified a short time ago": expect(NOW + 500, due(NOW - 100, rule=OFTEN), due(NOW - 100, 0, rule=OFTEN | NIGHT)),
    "quiet hours": expect(
        NOW - NOW % 60 + 7 * 3600, due(minute=0, rule=NIGHT), due(NOW - 700, minute=0, rule=NIGHT | OFTEN),
    ),
    "due": expect(
        NOW, due(), due(rule=NIGHT), due(NOW - 600, rule=OFTEN), due(minute=7 * 60, rule=NIGHT), due(since=NOW - 30),
    ),
})  # fmt: skip


@pytest.mark.parametrize(("table", "row", "decision", "situation"), params(OVER_EXAMPLES, WHEN_EXAMPLES))
def test_row(table: Examples, row: str, decision: Any, situation: Any) -> None:
    check(table, row, decision, situation)


@pytest.mark.parametrize("table", [OVER_EXAMPLES, WHEN_EXAMPLES], ids=lambda table: str(table.name))
def test_shape(table: Examples) -> None:
    check_shape(table)


@pytest.mark.parametrize(
    ("quiet", "minute", "answer"),
    [
        (None, 0, False),
        ((60, 120), 59, False), ((60, 120), 60, True), ((60, 120), 119, True), ((60, 120), 120, False),
        ((1320, 420), 1319, False), ((1320, 420), 1320, True), ((1320, 420), 0, True), ((1320, 420), 420, False),
    ],
)  # fmt: skip
def test_quiet_hours_may_pass_midnight(quiet: tuple[int, int] | None, minute: int, *, answer: bool) -> None:
    assert is_quiet_at(quiet, minute) is answer


HOOK = case(question="", choices=())


@pytest.mark.parametrize(
    ("known", "seen", "same"),
    [
        (case(), case(), True),
        (HOOK, case(), True),
        (case(), HOOK, True),
        (HOOK, case(AttentionKind.TRUST, question="Trust?", choices=(YES,)), True),
        (case(), case(question="Run ls?"), False),
        (HOOK, case(life="2.2"), False),
        (case(AttentionKind.LIMIT), HOOK, False),
        (case(AttentionKind.LIMIT), case(AttentionKind.API_ERROR), False),
    ],
)
def test_a_dialog_that_a_hook_reports_before_the_screen_shows_it_is_one_case(
    known: AttentionCase, seen: AttentionCase, *, same: bool
) -> None:
    assert is_same(known, seen) is same


def test_a_case_keeps_its_text_and_its_time_and_gains_what_the_screen_shows() -> None:
    history, seen = History(), {"coder0": replace(ALIVE, readiness=Readiness.WAITING, waiting="permission")}
    none: frozenset[str] = frozenset()
    first = updated(Register(), [replace(HOOK, since=NOW)], seen, history, messages=none, now=NOW)
    asked = updated(first, [replace(case(), since=NOW + 1)], seen, history, messages=none, now=NOW + 1)
    again = updated(asked, [replace(HOOK, since=NOW + 2)], seen, history, messages=none, now=NOW + 2)
    assert [len(one.changes) for one in (first, asked, again)] == [1, 0, 0]
    (one,) = again.open
    assert (one.case.id, one.case.question, one.case.since) == (case().id, "Run rm?", NOW)
    assert one.raised == HOOK.id


def test_a_clock_that_was_set_back_leaves_nothing_in_the_future() -> None:
    open_one = OpenCase(case=case(since=NOW + 1e6), number=1, raised="x", notified={"page": NOW + 1e6})
    seen = {"coder0": ALIVE}
    (one,) = updated(Register(open=(open_one,)), [case()], seen, History(), messages=frozenset(), now=NOW).open
    assert one.case.since == NOW
    assert one.notified == {"page": NOW}


def test_one_notice_has_every_case_that_is_due() -> None:
    numbers = (AttentionKind.PERMISSION, AttentionKind.LIMIT)
    register = Register(open=tuple(OpenCase(case=case(kind), number=at, raised="x") for at, kind in enumerate(numbers)))
    rules = (NotifyRule(name="all"), NotifyRule(name="limits", kinds=("limit",), repeat=60.0))
    after, notices, again = due_notices(register, rules, head={"fleet": "f"}, now=NOW, minute=lambda _: 0)
    assert [(one.rule.name, len(one.cases)) for one in notices] == [("all", 2), ("limits", 1)]
    assert again == NOW + 60
    assert [sorted(one.notified) for one in after.open] == [["all"], ["all", "limits"]]
    assert due_notices(after, rules, head={"fleet": "f"}, now=NOW + 1, minute=lambda _: 0)[1] == ()
