"""What needs a person, row by row, and the id by which an answer names it."""

from __future__ import annotations

from typing import Any

import pytest

from providers.programs.base import Choice
from reconciler.attention.case import AttentionKind, case_id
from reconciler.attention.cases import KINDS, UnconfirmedMessage, case_of, cases_of
from reconciler.model import AgentHistory, AgentView, History, Readiness
from specs.compiled import CASE_KINDS
from tests.builders import NOW, view
from tests.tables.rows import Examples, check, check_shape, expect, params

ALLOW = Choice(label="Yes", keys=("1",), means="allow", selected=True)
DENY = Choice(label="No", keys=("2",), means="deny")


def waits(waiting: str = "permission", **more: Any) -> AgentView:
    return view(readiness=Readiness.WAITING, waiting=waiting, life="4242.17", **more)


def stuck(word: str, **more: Any) -> AgentView:
    return view(readiness=Readiness.STUCK, stuck=word, life="4242.17", **more)


DOWN = {"readiness": Readiness.DEAD, "no_start": "claude is not on an agent's PATH"}
EXAMPLES = Examples("KINDS", KINDS, {
    "cannot start": expect(
        AttentionKind.CANNOT_START, view(session="missing", **DOWN), view(session="dead", **DOWN)
    ),
    "not alive": expect(
        None, view(session="missing"), view(session="unknown", hung=True), waits(session="foreign"),
        view(session="missing", desired_state="stopped", **DOWN),
    ),
    "a person is there": expect(None, waits("draft"), waits("menu")),
    "a dialog": expect(AttentionKind.PERMISSION, waits(), waits(hung=True), waits(stuck="limit")),
    "trouble": expect(AttentionKind.LIMIT, stuck("limit"), stuck("limit", hung=True)),
    "hung": expect(AttentionKind.HUNG, view(hung=True, readiness=Readiness.STALE)),
    "nothing": expect(
        None, view(readiness=Readiness.WORKING), view(readiness=Readiness.AVAILABLE),
        view(readiness=Readiness.UNKNOWN), view(readiness=Readiness.STALE), view(no_start="its folder is gone"),
    ),
}, outcome=lambda kind: kind)  # fmt: skip


@pytest.mark.parametrize(("table", "row", "decision", "situation"), params(EXAMPLES))
def test_row(table: Examples, row: str, decision: Any, situation: Any) -> None:
    check(table, row, decision, situation)


def test_the_kinds_are_those_that_fleet_yaml_may_name() -> None:
    assert tuple(AttentionKind) == CASE_KINDS


def test_shape() -> None:
    check_shape(EXAMPLES)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("permission", "permission"), ("question", "question"), ("trust", "trust"), ("bypass", "bypass"),
        ("login", "login"), ("first-run", "first-run"), ("model", "model"), ("resume", "resume"),
        ("unknown", "dialog"), ("something new", "dialog"),
    ],
)  # fmt: skip
def test_each_dialog_has_its_kind(word: str, kind: str) -> None:
    found = case_of(waits(word), now=NOW)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("logged-out", "logged-out"), ("limit", "limit"), ("api-error", "api-error"), ("retries", "retries"),
        ("suspended", "stuck"),
    ],
)  # fmt: skip
def test_each_trouble_has_its_kind(word: str, kind: str) -> None:
    found = case_of(stuck(word, until="3pm", until_at=NOW + 60), now=NOW)
    assert found is not None
    assert (found.kind, found.until, found.until_at) == (kind, "3pm", NOW + 60)


def test_an_answer_is_offered_only_if_its_keys_are_known() -> None:
    known = case_of(waits(question="Run rm?", choices=(ALLOW, DENY)), now=NOW)
    assert known is not None
    answer = f"mosaic agent answer coder0 --case {known.id}"
    assert known.answered_by == (f"{answer} --allow", f"{answer} --deny")
    unsafe = case_of(waits(question="Run rm?", choices=(Choice(label="Yes", means="allow"),)), now=NOW)
    assert unsafe is not None
    assert unsafe.answered_by == ("mosaic agent attach coder0",)


def test_two_choices_of_one_meaning_are_chosen_by_number() -> None:
    always = Choice(label="Yes, and never ask again", keys=("2",), means="allow")
    found = case_of(waits(choices=(ALLOW, always, Choice(label="Other", keys=("3",))), takes_text=True), now=NOW)
    assert found is not None
    assert [line.partition(found.id)[2] for line in found.answered_by] == [
        " --choose 1", " --choose 2", " --choose 3", " --text TEXT",
    ]  # fmt: skip


def test_the_id_follows_the_dialog_and_not_how_it_is_painted() -> None:
    base = case_id("coder0", "1.2", "permission", "Run rm?\n  now", (ALLOW, DENY))
    moved = (Choice(label="Yes"), Choice(label="No", selected=True))
    assert case_id("coder0", "1.2", AttentionKind.PERMISSION, "Run rm? now", moved) == base
    others = {
        case_id("coder1", "1.2", "permission", "Run rm? now", (ALLOW, DENY)),
        case_id("coder0", "1.3", "permission", "Run rm? now", (ALLOW, DENY)),
        case_id("coder0", "1.2", "question", "Run rm? now", (ALLOW, DENY)),
        case_id("coder0", "1.2", "permission", "Run ls? now", (ALLOW, DENY)),
        case_id("coder0", "1.2", "permission", "Run rm? now", (ALLOW,)),
    }
    assert len(others | {base}) == 6


def test_a_quarantine_is_one_case_however_often_the_agent_starts() -> None:
    history = History(agents={"coder0": AgentHistory(attempts=4, quarantined_since=NOW - 50)})
    first = cases_of({"coder0": view(pid=1, life="1.1")}, history, now=NOW)
    later = cases_of({"coder0": view(session="dead", pid=0)}, history, now=NOW + 60)
    assert [one.kind for one in first] == ["quarantine"]
    assert first[0].id == later[0].id


def test_each_unconfirmed_message_is_a_case_of_its_own() -> None:
    sent = [UnconfirmedMessage(id=name, agent="coder0", sender="ada", created=NOW) for name in ("m1", "m2")]
    found = cases_of({}, History(), unconfirmed=sent, now=NOW)
    assert [one.kind for one in found] == ["unconfirmed", "unconfirmed"]
    assert {one.answered_by[1] for one in found} == {
        "mosaic agent outbox --cancel m1", "mosaic agent outbox --cancel m2",
    }  # fmt: skip


@pytest.mark.parametrize("suspended", [("coder0",), ("*",)])
def test_a_suspended_agent_s_case_says_so(suspended: tuple[str, ...]) -> None:
    (found,) = cases_of({"coder0": waits()}, History(), suspended=suspended, now=NOW)
    assert found.suspended


def test_a_question_is_kept_bounded_and_without_what_looks_like_a_key() -> None:
    found = case_of(waits(question="Run curl -H 'token=abcdef0123456789'?\x1b[2J" + "x" * 5000), now=NOW)
    assert found is not None
    assert len(found.question) == 2000
    assert "abcdef" not in found.question
    assert "\x1b" not in found.question
