"""pi: what its launch adds, and what its screens say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from providers.programs import files
from providers.programs.base import AgentPaths, Extra, Reading
from providers.programs.pi import PROGRAM
from tests.launch.bench import make_agent
from tests.programs.captures import plain, screen
from tests.programs.mutations import mutations

PLACE = AgentPaths(
    folder="/state/agents/a.d", bin_dir="/state/bin", contract="/state/agents/a.d/contract.md", home="/home/me"
)


@pytest.mark.parametrize("width", [80, 200])
def test_a_long_line_is_a_draft_of_several(width: int) -> None:
    reading = PROGRAM.read(screen(f"pi.draft-long.{width}"))
    assert (reading.composer, reading.draft.split()) == ("draft", ["x"] * 150)


@pytest.mark.parametrize(
    ("name", "asks"),
    [("menu-model", "menu"), ("menu-settings", "menu"), ("menu-resume", "menu"), ("dialog-editor", "question")],
)
def test_a_menu_has_the_place_of_its_editor(name: str, asks: str) -> None:
    reading = PROGRAM.read(screen(f"pi.{name}.80"))
    assert (reading.composer, reading.asks, reading.turn) == ("hidden", asks, "unknown")


def test_an_unknown_screen_says_nothing() -> None:
    rule = "─" * 80
    assert PROGRAM.read(plain()) == Reading()
    assert PROGRAM.read(plain("$ pi", "pi: command not found")) == Reading()
    assert PROGRAM.read(plain(rule, "a text between two rules", rule)) == Reading()
    assert PROGRAM.read(plain(rule, rule, rule)) == Reading()


def test_an_output_with_a_spinner_is_not_its_own() -> None:
    idle = screen("pi.idle.80")
    rows = list(idle.styled)
    row = idle.cursor[1] - 3
    for painted in (" ⠋ Working...", " \x1b[38;5;1;48;5;2m⠋\x1b[0m Working..."):
        rows[row] = painted
        lines = [*idle.lines]
        lines[row] = " ⠋ Working..."
        assert PROGRAM.read(replace(idle, styled=tuple(rows), lines=tuple(lines))).turn == "idle"


@given(mutations("pi"))
@settings(deadline=None)
def test_reading_is_total_and_claims_no_more_than_it_sees(seen: object) -> None:
    reading = PROGRAM.read(seen)  # type: ignore[arg-type]
    assert (reading.draft != "") <= (reading.composer == "draft")
    assert (reading.turn == "unknown") or reading.composer != "hidden"


def test_its_extension_is_added_to_what_the_person_has() -> None:
    agent = make_agent("a", argv=("/opt/bin/pi", "--model", "x"))
    added = PROGRAM.extra(agent, PLACE)  # noqa: S610 - no Django here
    assert added.args == ("-e", "/state/agents/a.d/pi.js")
    assert added.env == (("MOSAIC_AGENT_CONTRACT", PLACE.contract),)
    assert added.text_args == ()  # --append-system-prompt would replace the person's APPEND_SYSTEM.md
    assert dict(added.files) == {name: files.text(name) for name in ("pi.js", "voice.js")}
    assert all(text.startswith("// Managed by Mosaic Fleet: edits are put back.\n") for _, text in added.files)


@pytest.mark.parametrize("argv", [(), ("bash", "-c", "pi"), ("/opt/bin/pi-wrapper",), ("node", "pi")])
def test_another_program_gets_nothing(argv: tuple[str, ...]) -> None:
    assert PROGRAM.extra(make_agent("a", argv=argv), PLACE) == Extra()  # noqa: S610 - no Django here


def test_it_answers_for_itself_and_is_reset_by_its_own_command() -> None:
    assert (PROGRAM.name, PROGRAM.heartbeats, PROGRAM.receipts) == ("pi", "native", True)
    assert (PROGRAM.reset_text("new"), PROGRAM.reset_text("clear")) == ("/new", None)
