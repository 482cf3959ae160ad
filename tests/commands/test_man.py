"""The manual pages: one for each command, of what --help says, and clean for the program that shows them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.cli.command_tree import Argument, CommandNode, Option
from reconciler.cli.man_pages import pages
from reconciler.commands import mosaic
from reconciler.commands.command_lines import command_lines
from reconciler.errors import MEANINGS, ExitCode
from tests.commands.calling import call

LINES = command_lines()
COMMANDS = [command for line in LINES for command in line.walk()]
PAGES = pages(LINES, MEANINGS, "1.2.3")


def shown(page: str, width: int = 80) -> str:
    """As a person sees it; a complaint of groff is a failure."""
    argv = ["groff", "-man", "-ww", "-Tutf8", "-P-cbou", f"-rLL={width - 2}n"]
    done = subprocess.run(argv, input=page, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: "-".join(command.path))
def test_a_page_tells_all_of_a_command(command: CommandNode) -> None:
    page = shown(PAGES[f"{'-'.join(command.path)}.1"])
    words = " ".join(page.split())
    for option in command.options:
        assert ", ".join(option.names) in words
    for child in command.children:
        assert child.path[-1] in words
    assert max(map(len, page.splitlines())) <= 80 or command.epilog  # an example is never broken


def test_every_exit_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(ExitCode)


@pytest.mark.parametrize(
    "text", ["a \\b back\\slash", ".TH not a request", "'quote", '"quoted"', "-- dashes -x", "\\fBx"]
)
def test_no_text_is_taken_for_a_request(text: str) -> None:
    command = CommandNode(
        path=("mosaic",),
        summary=text,
        help=text,
        epilog=f"\b\nExample:\n  {text}\n",
        options=(Option(names=("-x", "--long"), takes="text", metavar=text, help=text),),
        arguments=(Argument(metavar="NAME", takes="text"),),
    )
    page = shown(pages([command], {0: text}, "1")["mosaic.1"], width=200)
    assert page.count(text) >= 5


def test_a_group_leads_to_its_commands_and_back() -> None:
    assert "mosaic\\-fleet(1)" in PAGES["mosaic.1"]
    assert "mosaic\\-fleet\\-status(1)" in PAGES["mosaic-fleet.1"]
    assert PAGES["mosaic-fleet-status.1"].endswith("mosaic\\-fleet(1)\n")


def test_a_slip_is_told_from_a_command_that_is_not_there() -> None:
    said = call(mosaic.command, "man", "fleet", "vrify")
    assert (said.code, said.out) == (4, "")
    assert "did you mean: mosaic man fleet verify" in said.err


def test_pages_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from reconciler.cli.output import Output
    from reconciler.commands.man import command

    run = CliRunner().invoke(command, ["--to", str(tmp_path / "man1")], obj=Output(), standalone_mode=False)
    assert run.return_value == 0
    assert sorted(path.name for path in (tmp_path / "man1").iterdir()) == sorted(PAGES)
