"""opencode: what its launch adds, and what its screens say."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings

from providers.programs import files
from providers.programs.base import AgentPaths, Extra, Reading
from providers.programs.opencode import PROGRAM
from specs.compiled import EnvValue
from tests.launch.bench import make_agent
from tests.programs.captures import plain, screen
from tests.programs.mutations import mutations

PLACE = AgentPaths(
    folder="/state/agents/a.d", bin_dir="/state/bin", contract="/state/agents/a.d/contract.md", home="/home/me"
)


def test_what_it_proposes_to_ask_is_no_draft_until_the_cursor_is_behind_it() -> None:
    fresh = screen("opencode.fresh.80")
    assert "Ask anything" in fresh.lines[fresh.cursor[1]]
    column, row = fresh.cursor
    assert PROGRAM.read(replace(fresh, cursor=(column + 20, row))).composer == "draft"


def test_a_prompt_without_the_cursor_is_not_in_use() -> None:
    idle = screen("opencode.idle.80")
    for cursor in ((0, 0), (idle.width, idle.height - 1), (idle.cursor[0], idle.cursor[1] + 2)):
        assert PROGRAM.read(replace(idle, cursor=cursor)).composer == "hidden"


def test_an_unknown_screen_says_nothing() -> None:
    assert PROGRAM.read(plain()) == Reading()
    assert PROGRAM.read(plain("$ opencode", "opencode: command not found")) == Reading()
    assert PROGRAM.read(plain("  ┃  a message", "", "  no more")) == Reading()
    assert PROGRAM.read(plain(f"  ╹{'▀' * 40}")) == Reading()


@given(mutations("opencode"))
@settings(deadline=None)
def test_reading_is_total_and_claims_no_more_than_it_sees(seen: object) -> None:
    reading = PROGRAM.read(seen)  # type: ignore[arg-type]
    assert (reading.draft != "") <= (reading.composer == "draft")
    assert reading.asks not in ("permission", "question") or reading.composer == "hidden"


def added(argv: tuple[str, ...] = ("opencode", "--auto"), **env: EnvValue) -> Extra:
    agent = make_agent("a", argv=argv, env=tuple(sorted(env.items())))
    return PROGRAM.extra(agent, PLACE)  # noqa: S610 - no Django here


def test_it_is_told_by_two_variables_that_add_to_what_the_person_has() -> None:
    env = dict(added().env)
    assert json.loads(env["OPENCODE_CONFIG_CONTENT"]) == {"instructions": [PLACE.contract]}
    assert env["OPENCODE_TUI_CONFIG"] == "/state/agents/a.d/tui.json"
    made = dict(added().files)
    assert json.loads(made.pop("tui.json"))["plugin"] == ["./opencode.js"]
    assert made == {name: files.text(name) for name in ("opencode.js", "voice.js")}
    assert all(text.startswith("// Managed by Mosaic Fleet: edits are put back.\n") for text in made.values())
    assert (added().args, added().text_args) == ((), ())


def test_a_variable_of_the_roster_is_kept() -> None:
    mine = EnvValue(literal="/my/tui.json")
    assert [name for name, _ in added(OPENCODE_TUI_CONFIG=mine).env] == ["OPENCODE_CONFIG_CONTENT"]
    assert [name for name, _ in added(OPENCODE_CONFIG_CONTENT=mine).env] == ["OPENCODE_TUI_CONFIG"]


@pytest.mark.parametrize("argv", [(), ("bash", "-c", "opencode"), ("/opt/bin/opencode2",)])
def test_another_program_gets_nothing(argv: tuple[str, ...]) -> None:
    assert added(argv) == Extra()


def test_it_answers_for_itself_and_is_reset_by_its_own_commands() -> None:
    assert (PROGRAM.name, PROGRAM.heartbeats, PROGRAM.receipts) == ("opencode", "native", True)
    assert (PROGRAM.reset_text("new"), PROGRAM.reset_text("clear")) == ("/new", "/clear")
