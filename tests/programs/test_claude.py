"""claude: what its launch adds, and what its screens say."""

# ruff: noqa: RUF001 - the marks are the program's own

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings

from providers.programs.base import AgentPaths, Extra, Reading
from providers.programs.claude import HOOKS, PROGRAM, SETTINGS
from specs.compiled import EnvValue
from tests.launch.bench import make_agent
from tests.programs.captures import plain, screen
from tests.programs.strategies import screens

PLACE = AgentPaths(
    folder="/home/o'neil/my state/agents/a.d",
    bin_dir="/home/o'neil/my state/bin",
    contract="/home/o'neil/my state/agents/a.d/contract.md",
    home="/home/o'neil",
)
RULE = "─" * 80
LONG = "queued three which is a rather long message that does not fit on one line"


def added(*argv: str, env: Mapping[str, str | EnvValue] | None = None) -> Extra:
    agent = make_agent("a", argv=argv, env=env or {})
    return PROGRAM.extra(agent, PLACE)  # noqa: S610 - no Django here


def test_a_suggestion_is_no_draft_and_the_same_words_bright_are() -> None:
    suggested = screen("claude.queued-two.80")
    assert "Press up to edit queued messages" in suggested.lines[suggested.cursor[1]]
    assert PROGRAM.read(suggested).composer == "empty"
    typed = PROGRAM.read(replace(suggested, styled=suggested.lines))
    assert (typed.composer, typed.draft) == ("draft", "Press up to edit queued messages")


@pytest.mark.parametrize(
    ("inside", "draft"),
    [
        (("❯ a", "  b", "", "  c"), "a\nb\n\nc"),
        (("❯ above", f"  {RULE[2:]}", "  below"), f"above\n{RULE[2:]}\nbelow"),
        (("❯   indented",), "indented"),
        (("! ls",), "! ls"),
        (("!",), "!"),
    ],
)  # fmt: skip
def test_a_draft_is_read_whole(inside: tuple[str, ...], draft: str) -> None:
    reading = PROGRAM.read(plain("● An answer.", "", RULE, *inside, RULE, "  ? for shortcuts", title="✳ Claude Code"))
    assert (reading.turn, reading.composer, reading.draft) == ("idle", "draft", draft)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("",),
        (RULE,),
        (RULE, RULE),
        ("❯ hello",),
        (RULE, "❯ hello"),
        (RULE, "What a table looks like", RULE),
        ("$ claude", "Do you want to proceed?", " ❯ 1. Yes"),
        ("Enter to select or not to select",),
    ],
)
def test_nothing_is_claimed_of_an_unknown_screen(lines: tuple[str, ...]) -> None:
    assert PROGRAM.read(plain(*lines, title="✳ Claude Code")) == Reading()


def test_the_title_alone_tells_only_of_work() -> None:
    assert PROGRAM.read(plain(title="⠂ Fix the build")) == Reading(turn="busy", why="its title shows a spinner")
    assert PROGRAM.read(plain(title="✳ Fix the build")) == Reading()


@given(screens())
@settings(deadline=None)
def test_reading_is_total(any_screen: object) -> None:
    assert isinstance(PROGRAM.read(any_screen), Reading)  # type: ignore[arg-type]


def test_its_settings_call_the_hook_for_each_event() -> None:
    extra = added("claude")
    assert extra.args == ("--settings", f"{PLACE.folder}/{SETTINGS}")
    assert extra.text_args == (("--append-system-prompt=", PLACE.contract),)
    assert extra.env == (("CLAUDE_CODE_DISABLE_1M_CONTEXT", "1"), ("CLAUDE_CODE_AUTO_COMPACT_WINDOW", "200000"))
    ((name, text),) = extra.files
    assert name == SETTINGS
    hooks = json.loads(text)["hooks"]
    called = [
        (event, entry.get("matcher", ""), *shlex.split(hook["command"]))
        for event, entries in hooks.items()
        for entry in entries
        for hook in entry["hooks"]
    ]
    hook = f"{PLACE.bin_dir}/agent-hook"
    assert sorted(called) == sorted((event, matcher, hook, event, *words) for event, matcher, words in HOOKS)
    rest = {key: value for key, value in json.loads(text).items() if key != "hooks"}
    assert rest == {"autoCompactEnabled": True, "autoCompactWindow": 200_000}


@pytest.mark.parametrize(
    ("said", "window"),
    [("150000", 150_000), ("1000000", 1_000_000), ("99999", None), ("2000000", None), ("", None), ("200k", None)],
)
def test_the_roster_may_say_another_window(said: str, window: int | None) -> None:
    extra = added("claude", env={"CLAUDE_CODE_AUTO_COMPACT_WINDOW": said})
    assert extra.env == (("CLAUDE_CODE_DISABLE_1M_CONTEXT", "1"),)
    assert json.loads(extra.files[0][1]).get("autoCompactWindow") == window


def test_what_the_roster_takes_from_elsewhere_is_left_to_it() -> None:
    secret = EnvValue(from_env="WINDOW")
    extra = added("claude", env={"CLAUDE_CODE_AUTO_COMPACT_WINDOW": secret, "CLAUDE_CODE_DISABLE_1M_CONTEXT": "0"})
    assert extra.env == ()
    assert json.loads(extra.files[0][1]).keys() == {"hooks"}


@pytest.mark.parametrize(
    ("argv", "args", "texts"),
    [
        (("claude", "--settings", "mine.json"), 0, 1),
        (("claude", "--settings=mine.json"), 0, 1),
        (("claude", "--append-system-prompt", "Be brief."), 2, 0),
        (("claude", "--append-system-prompt-file=mine.md"), 2, 0),
        (("claude", "--", "--settings"), 0, 0),
    ],
)
def test_what_the_command_says_itself_is_left_to_it(argv: tuple[str, ...], args: int, texts: int) -> None:
    extra = added(*argv)
    assert (len(extra.args), len(extra.text_args), len(extra.files)) == (args, texts, args // 2)


def test_it_is_reset_by_one_command() -> None:
    assert [PROGRAM.reset_text("new"), PROGRAM.reset_text("clear")] == ["/clear", "/clear"]
    assert (PROGRAM.heartbeats, PROGRAM.receipts) == ("hook", True)


def test_a_login_ends_what_was_known_of_a_logout() -> None:
    def read(*said: str) -> Reading:
        return PROGRAM.read(plain(*said, "", RULE, "❯ ", RULE, "  ? for shortcuts", title="✳ Claude Code"))

    assert read("❯ /login", "  ⎿  Login successful").without == ("logged-out",)
    assert read("❯ What does it say?", "", "● It says ⎿ Login successful").without == ()
    assert read("❯ /login", "  ⎿  Login interrupted").without == ()
