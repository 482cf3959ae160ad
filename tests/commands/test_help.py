"""Help: everywhere, with an example, quick, and in step with the contract."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from reconciler.commands import mosaic, reconcile
from tests.commands.calling import call, fleet, help_of

CHECKOUT = Path(__file__).parents[2]
HEAVY = ("pydantic", "ruamel", "git", "deepdiff", "watchdog", "jeepney")


@pytest.mark.parametrize("name", mosaic.FLEET)
def test_every_fleet_command_has_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(mosaic.command, capsys, "fleet", name)
    assert f"Usage: mosaic fleet {name}" in text
    assert re.search(rf"\bExamples?:\n.*mosaic fleet {name}", text, re.DOTALL)


@pytest.mark.parametrize("name", mosaic.AGENT)
def test_every_agent_command_has_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(mosaic.command, capsys, "agent", name)
    assert f"Usage: mosaic agent {name}" in text
    assert f"mosaic agent {name}" in text.partition("Example:")[2]


def test_the_table_names_what_is_there() -> None:
    for name in mosaic.FLEET:
        found = mosaic.fleet.get_command(click.Context(mosaic.fleet), name)
        assert isinstance(found, click.Command)
        assert found.name == name or name in ("validate", "schema", "status", "sync", "release")


def test_groups_and_reconcile(capsys: pytest.CaptureFixture[str]) -> None:
    assert "mosaic fleet validate" in help_of(mosaic.command, capsys)
    assert "Example:" in help_of(mosaic.command, capsys, "fleet")
    text = help_of(reconcile.command, capsys)
    assert text.startswith("Usage: reconcile [OPTIONS] [FLEET]")
    for flag in (
        "--dry-run", "--watch", "--agent", "-o,", "--detailed-exitcode", "--out", "--plan", "--allow-removals",
        "--timeout", "--host", "--rebind-host", "--no-fetch", "--allow-rewind",
    ):  # fmt: skip
        assert flag in text


@pytest.mark.parametrize(
    "args",
    [
        ["fleet", "bogus"],
        ["fleet", "status", "extra", "more"],
        ["fleet", "suspend"],
        ["fleet", "suspend", "a", "--all", "--reason", "r"],
        ["fleet", "suspend", "a", "--reason", "r", "--for", "soon"],
        ["fleet", "pause"],
        ["fleet", "release"],
        ["fleet", "release", "a", "--holder"],
        ["fleet", "unsuspend"],
        ["fleet", "schema", "bogus"],
        ["fleet", "status", "-o", "xml"],
    ],
)
def test_a_wrong_call_is_64(args: list[str]) -> None:
    said = call(mosaic.command, *args)
    assert said.code == 64
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert "help: mosaic fleet" in said.err


def test_a_near_miss_is_named() -> None:
    assert 'did you mean "status"?' in fleet("statsu").err


@pytest.mark.parametrize("module", ["reconcile", "mosaic"])
def test_help_imports_nothing_heavy(module: str) -> None:
    code = (
        f"import sys\nfrom reconciler.commands import {module}\nfrom reconciler.cli import main\n"
        f"from reconciler.cli.output import Output\ncode = main.invoke({module}.command, ['--help'], Output())\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\nsys.exit(code or ' '.join(loaded) or 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=90
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_python_m_reconciler_is_reconcile() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "reconciler", "--help"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert ended.stdout.startswith("Usage: reconcile")
