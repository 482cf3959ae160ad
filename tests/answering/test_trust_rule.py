"""The rule `trust_working_directory`: who has it, and what the loop does by it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from providers.machine.facts import gather
from reconciler.answering.verdict import DialogAnswer, ShownDialog, WantedAnswer
from reconciler.attention.case import AttentionKind
from reconciler.model import AgentView, Readiness
from reconciler.run.trust_round import TrustRound, run_round
from reconciler.state.store import Store
from specs.compiled import Agent, Suspension
from tests import builders as make
from tests.launch.bench import make_agent, make_fleet
from tests.specs.helpers import HEAD, compiled, only, read, underlined

RULES = "name: demo\nfloor: none\nclasses: {code: {trust_working_directory: true}}\n"
ROSTER = HEAD + "agents:\n  - {name: coder0, runtime: claude, class: code}\n  - {name: lead, runtime: claude}\n"
SHOWN = ShownDialog(
    case="1a2b3c4d", kind=AttentionKind.TRUST, question="Trust this folder?\n/tmp", choices=(), takes_text=False
)


def view(name: str, **changes: Any) -> AgentView:
    asks: dict[str, Any] = {"session": "alive", "readiness": Readiness.WAITING, "waiting": "trust"}
    return make.view(name, **{**asks, **changes})


class Program:
    """Stands in for the answer: the check decides, as it does under the lock."""

    def __init__(self, shown: ShownDialog = SHOWN) -> None:
        self.shown, self.asked = shown, list[str]()

    def __call__(
        self, agent: Agent, wanted: WantedAnswer, by: object, *, check: Callable[[ShownDialog], str], **options: float
    ) -> DialogAnswer:
        del by, options
        assert wanted == WantedAnswer(how="allow")
        self.asked.append(agent.name)
        against = check(self.shown)
        if against:
            return DialogAnswer(word="not-answered", dialog=self.shown, reason=against)
        return DialogAnswer(word="answered", dialog=self.shown, pressed="Yes", now="it works")


def made(isolated: Path, program: Program, views: dict[str, AgentView], **changes: Any) -> TrustRound:
    del isolated
    facts = gather(os.environ)
    agents = (make_agent("coder0", agent_class="code"), make_agent("lead", agent_class="orchestrator"))
    fleet = replace(make_fleet(*agents), name="demo", trusts=changes.pop("trusts", {"code": True}))
    return TrustRound(
        fleet=fleet, views=views, facts=facts, store=Store.open(facts, "demo"),
        suspended=changes.pop("suspended", {}), source="reconcile", over=changes.pop("over", lambda: False),
        answer=program,
    )  # fmt: skip


BOTH = {"coder0": view("coder0"), "lead": view("lead")}


def test_it_is_a_rule_of_a_class() -> None:
    loaded = read(ROSTER, RULES)
    assert loaded.ok
    assert compiled(loaded).trusts == {"code": True}
    wrong = read(ROSTER, RULES.replace("code:", "kode:"))
    problem = only(wrong, 'no agent has the class "kode"')
    assert (problem.severity, underlined(problem), problem.suggestion) == ("warning", "kode", 'did you mean "code"?')
    assert only(read(ROSTER, RULES.replace("trust_w", "trust_the_w")), "unknown key").suggestion


@pytest.mark.parametrize(
    ("trusts", "asked"),
    [
        ({"code": True}, ["coder0"]),
        ({"*": True}, ["coder0", "lead"]),
        ({"*": True, "code": False}, ["lead"]),
        ({}, []),
    ],
)
def test_who_has_it(isolated: Path, trusts: dict[str, bool], asked: list[str]) -> None:
    program = Program()
    assert run_round(made(isolated, program, BOTH, trusts=trusts)) == tuple(asked)
    assert program.asked == asked


@pytest.mark.parametrize(
    "changes",
    [
        {"views": {"coder0": view("coder0", waiting="permission")}},
        {"views": {"coder0": view("coder0", waiting="bypass")}},
        {"views": {"coder0": view("coder0", readiness=Readiness.STALE)}},
        {"views": {"coder0": view("coder0", session="dead")}},
        {"views": {}},
        {"suspended": {"coder0": Suspension(reason="r", by="jo", until=None)}},
        {"suspended": {"*": Suspension(reason="r", by="jo", until=None)}},
        {"over": lambda: True},
    ],
)
def test_when_nothing_is_answered(isolated: Path, changes: dict[str, Any]) -> None:
    program = Program()
    assert run_round(made(isolated, program, changes.pop("views", BOTH), **changes)) == ()
    assert program.asked == []


def test_no_case_is_answered_twice(isolated: Path) -> None:
    """However its answer ended: it may still be shown because a key was lost, or because nobody could see."""
    program = Program()
    assert run_round(made(isolated, program, BOTH)) == ("coder0",)
    assert run_round(made(isolated, program, BOTH)) == ()
    program.shown = replace(SHOWN, case="5e6f7a8b")  # of the next process
    assert run_round(made(isolated, program, BOTH)) == ("coder0",)


@pytest.mark.parametrize("word", ["changed", "not-answered"])
def test_a_case_for_which_nothing_was_pressed_is_answered_later(isolated: Path, word: Any) -> None:
    """A key that never went out is no answer; a case that an earlier round has answered stays answered."""
    program = Program()

    class Unpressed(Program):
        def __call__(self, *args: Any, **options: Any) -> DialogAnswer:
            found = super().__call__(*args, **options)
            return replace(found, word=word, reason="nothing was pressed")

    assert run_round(made(isolated, Unpressed(), BOTH)) == ()
    assert run_round(made(isolated, program, BOTH)) == ("coder0",)
    assert run_round(made(isolated, Unpressed(), BOTH)) == ()
    assert run_round(made(isolated, program, BOTH)) == ()


def test_another_folder_is_left_to_a_person_and_its_own_is_an_event(isolated: Path) -> None:
    other = Program(replace(SHOWN, question="Trust this folder?\n/"))
    by = made(isolated, other, BOTH)
    assert run_round(by) == ()
    path = by.store.state / "events.ndjson"
    assert not path.exists()
    run_round(made(isolated, Program(), BOTH))
    (line,) = path.read_text().splitlines()
    record = json.loads(line)
    assert (record["type"], record["rule"], record["by"]) == (
        "answered",
        "trust_working_directory",
        "private-host:mosaic",
    )
    assert "by the fleet's rule trust_working_directory" in record["message"]
