"""What is known of the stub as a program: it answers for itself, and its screen is only a conversation."""

from __future__ import annotations

from providers.programs.base import Choice, Reading, read_screen
from providers.programs.registry import is_read, program
from providers.programs.stub import PROGRAM
from providers.screen import Screen


def test_the_stub_answers_for_itself() -> None:
    assert program("stub") is PROGRAM
    assert (PROGRAM.heartbeats, PROGRAM.receipts, PROGRAM.reads) == ("native", True, "conversation")
    assert (PROGRAM.reset_text("new"), PROGRAM.reset_text("clear")) == ("/new", "/clear")


def shown(title: str, *lines: str) -> Screen:
    return Screen(lines=lines, styled=lines, cursor=(0, 0), title=title, width=80, height=24)


DIALOG = ("stub s is ready", "[dialog trust]", "Trust it?", "> 1. Yes, trust it", "  2. No", "[end of dialog]")


def test_a_dialog_is_read_while_the_title_says_that_there_is_one() -> None:
    found = PROGRAM.read(shown("stub ? trust", *DIALOG))
    assert (found.asks, found.question, found.composer) == ("trust", "Trust it?", "hidden")
    assert found.choices == (
        Choice(label="Yes, trust it", keys=("1",), means="allow", selected=True),
        Choice(label="No", keys=("2",), means="deny"),
    )
    assert PROGRAM.read(shown("stub", *DIALOG)) == Reading()
    assert PROGRAM.read(shown("stub ? x", "nothing of it")).asks == "unknown"
    assert PROGRAM.read(shown("stub ? x", *(line.replace("trust", "x") for line in DIALOG))).asks == "unknown"


def test_what_keeps_it_from_working_is_read_with_its_end() -> None:
    found = PROGRAM.read(shown("stub ! limit", "[trouble logged-out]", "[trouble limit until 3pm (Europe/Berlin)]"))
    assert (found.trouble, found.until, found.composer, found.turn) == ("limit", "3pm (Europe/Berlin)", "empty", "idle")
    assert PROGRAM.read(shown("stub ! logged-out", "[trouble logged-out]")).trouble == "logged-out"
    assert PROGRAM.read(shown("stub ! odd", "[trouble odd]")) == Reading()


def test_only_a_dialog_or_a_trouble_counts_of_it() -> None:
    assert read_screen(PROGRAM, shown("stub", *DIALOG)) is None
    assert read_screen(PROGRAM, shown("stub ? trust", *DIALOG)) is not None
    assert is_read("stub", "stub ? trust")
    assert is_read("stub", "stub ! limit")
    assert not is_read("stub", "stub")
    assert is_read("claude", "")
    assert not is_read("other", "stub ? trust")
