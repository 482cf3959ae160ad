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
from providers.programs.base import Choice
from reconciler.answering.verdict import DialogAnswer, ShownDialog, WantedAnswer
from reconciler.attention.case import AttentionKind, case_id
from reconciler.model import AgentView, Readiness
from reconciler.run.trust_round import AGAIN_S, TRIES, TrustRound, run_round
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
    """By a hook alone, so that the text of its dialog is not known."""
    asks: dict[str, Any] = {"session": "alive", "readiness": Readiness.WAITING, "waiting": "trust", "life": "7.8"}
    return make.view(name, **{**asks, **changes})


class Program:
    """Stands in for the answer: the check decides, as it does under the lock."""

    def __init__(self, shown: ShownDialog = SHOWN) -> None:
        self.shown, self.asked, self.word = shown, list[str](), "answered"

    def __call__(
        self, agent: Agent, wanted: WantedAnswer, by: object, *, check: Callable[[ShownDialog], str], **options: float
    ) -> DialogAnswer:
        del by, options
        assert wanted == WantedAnswer(how="allow")
        self.asked.append(agent.name)
        against = check(self.shown)
        if against:
            return DialogAnswer(word="not-answered", dialog=self.shown, reason=against)
        word: Any = self.word
        return DialogAnswer(word=word, dialog=self.shown, pressed="Yes", now="it works")


def made(isolated: Path, program: Program, views: dict[str, AgentView], **changes: Any) -> TrustRound:
    del isolated
    facts = gather(os.environ)
    agents = (make_agent("coder0", agent_class="code"), make_agent("lead", agent_class="orchestrator"))
    fleet = replace(make_fleet(*agents), name="demo", trusts=changes.pop("trusts", {"code": True}))
    return TrustRound(
        fleet=fleet, views=views, facts=facts, store=Store.open(facts, "demo"),
        suspended=changes.pop("suspended", {}), source="reconcile", over=changes.pop("over", lambda: False),
        now=changes.pop("now", make.NOW), answer=program,
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


ALLOWS = Choice(label="Yes", keys=("1",), means="allow")
SEEN = view("coder0", question="Trust this folder?\n/tmp", choices=(ALLOWS,))
SEEN_CASE = case_id("coder0", "7.8", AttentionKind.TRUST, SEEN.question, SEEN.choices)


@pytest.mark.parametrize("seen", [SEEN, replace(SEEN, question="Trust this folder?\n/"), replace(SEEN, choices=())])
def test_what_is_not_for_the_rule_any_more_is_not_looked_at(isolated: Path, seen: AgentView) -> None:
    """A look takes a second, and there is a run each tick for as long as the dialog is shown."""
    program = Program(replace(SHOWN, case=SEEN_CASE))
    assert run_round(made(isolated, program, {"coder0": SEEN})) == ("coder0",)
    later = made(isolated, program, {"coder0": seen}, now=make.NOW + 10 * AGAIN_S)
    assert run_round(later) == ()
    assert program.asked == ["coder0"]


def test_a_key_that_may_be_lost_is_pressed_again_a_few_times(isolated: Path) -> None:
    """tmux did not answer in time: nobody knows whether it was pressed, and the same dialog is still shown."""
    program = Program(replace(SHOWN, case=SEEN_CASE))
    program.word = "unconfirmed"
    looks = [run_round(made(isolated, program, {"coder0": SEEN}, now=make.NOW + at * 25)) for at in range(20)]
    assert looks == [()] * 20
    assert program.asked == ["coder0"] * TRIES
    program.shown = replace(SHOWN, case="5e6f7a8b")
    next_life = replace(SEEN, life="9.9")
    assert run_round(made(isolated, program, {"coder0": next_life}, now=make.NOW + 500)) == ()
    program.word = "answered"
    program.shown = replace(SHOWN, case="0a0b0c0d")
    assert run_round(made(isolated, program, {"coder0": replace(SEEN, life="9.10")}, now=make.NOW + 501)) == ("coder0",)
    assert len(program.asked) == TRIES + 2


def test_what_an_older_version_has_noted_counts_as_one_try(isolated: Path) -> None:
    program = Program(replace(SHOWN, case=SEEN_CASE))
    by = made(isolated, program, {"coder0": SEEN})
    by.store.write(by.store.state / "trusted.json", json.dumps({"coder0": SEEN_CASE, "lead": [1]}))
    assert run_round(by) == ("coder0",)


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
