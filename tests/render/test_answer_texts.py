"""Texts about dialogs, notices and the origin of values, and the events of cases."""

from __future__ import annotations

from providers.programs.base import Choice
from reconciler.answering.verdict import DialogAnswer, ShownDialog
from reconciler.attention.case import AttentionCase, AttentionKind
from reconciler.attention.notices import Notice
from reconciler.attention.register import CaseChange
from reconciler.notify.text import MOST_CASES, notice_text
from reconciler.render.answer_text import answer_document, answer_text
from reconciler.render.fleet_files.origins_text import origins_text
from reconciler.status.attention_events import change_event, notice_events
from specs.compiled import Fleet, NotifyRule
from specs.loading.origins import ValueOrigin

NOW = 1_800_000_000.0
CHOICES = (Choice(label="Yes", keys=("1",), means="allow", selected=True), Choice(label="No\x1b[2J", means="deny"))
KEY = "sk-ant-api03-AAAABBBBCCCCDDDDEEEEFFFFGGGG"
DIALOG = ShownDialog(
    case="1a2b3c4d",
    kind=AttentionKind.PERMISSION,
    question=f"May it run this?\n  echo {KEY}",
    choices=CHOICES,
    takes_text=False,
)
CASE = AttentionCase(
    id="1a2b3c4d",
    agent="coder0",
    kind=AttentionKind.PERMISSION,
    life="12.34",
    since=NOW - 90,
    question="May it run this?\necho 1",
    choices=CHOICES,
    answered_by=("mosaic agent answer coder0 --case 1a2b3c4d --allow",),
    until="3pm",
)
RULE = NotifyRule(name="mine")


def test_an_answer_shows_its_dialog_without_secrets_or_control_characters() -> None:
    found = DialogAnswer(word="answered", dialog=DIALOG, pressed="Yes", now="working")
    lines = answer_text("coder0", found).splitlines()
    assert lines[0] == "case 1a2b3c4d (permission)"
    assert lines[1] == "  May it run this?"
    assert lines[3] == "  1  Yes (--allow)"
    assert lines[-1] == "answered: agent coder0, with Yes; now working"
    assert KEY not in "\n".join(lines)
    assert "\x1b" not in "\n".join(lines)


def test_the_document_of_an_answer_numbers_its_choices() -> None:
    fleet = Fleet(name="f", tenant_id="t", host="h", revision="", socket="", holder_session="_holder", agents=())
    document = answer_document(fleet, "coder0", DialogAnswer(word="changed", dialog=DIALOG, reason="it is another one"))
    assert (document["result"], document["reason"], document["then"]) == ("changed", "it is another one", None)
    dialog = document["dialog"]
    assert isinstance(dialog, dict)
    assert KEY not in str(dialog["question"])
    choices = dialog["choices"]
    assert isinstance(choices, list)
    assert [(one["number"], one["means"], one["known"]) for one in choices if isinstance(one, dict)] == [
        (1, "allow", True),
        (2, "deny", False),
    ]


def test_a_notice_names_the_command_of_each_case_and_counts_the_rest() -> None:
    text = notice_text(Notice(rule=RULE, cases=(CASE,) * (MOST_CASES + 2), document={}))
    assert text.startswith("coder0: permission since 2027-01-15T")
    assert text.count("  $ mosaic agent answer coder0 --case 1a2b3c4d --allow") == MOST_CASES
    assert "  ends by itself: 3pm" in text
    assert text.endswith("and 2 more: mosaic fleet attention\n")


def test_where_a_value_comes_from() -> None:
    found = (
        ValueOrigin(key="model_hint", value="big", source="defaults", line=3, column=5, lost=True),
        ValueOrigin(key="state", value="", source="shipped"),
    )
    first, second = origins_text(found).splitlines()[1:]
    assert first.split() == [
        "model_hint", "big", *["defaults,", "without", "effect", "beside", "its", "command"], "roster.yaml:3:5",
    ]  # fmt: skip
    assert second.split() == ["state", "-", "the", "default", "-"]


def test_a_case_is_raised_and_cleared_by_events_with_one_number() -> None:
    raised, cleared = (change_event(CaseChange(raised=one, case=CASE, number=7, at=NOW)) for one in (True, False))
    assert (raised.type, cleared.type) == ("attention-raised", "attention-cleared")
    assert raised.fields["number"] == cleared.fields["number"] == 7
    assert raised.fields["answered_by"] == CASE.answered_by[0]
    assert cleared.fields["open_s"] == 90.0


def test_each_case_that_was_handed_over_is_an_event() -> None:
    notice = Notice(rule=RULE, cases=(CASE, CASE), document={})
    assert [one.type for one in notice_events(notice, "")] == ["notified", "notified"]
    (failed, _) = notice_events(notice, "it did not end within 10 s")
    assert (failed.type, failed.fields["error"]) == ("notify-failed", "it did not end within 10 s")
