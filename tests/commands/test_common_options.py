"""One way to name a fleet, and one set of common options, in every command there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from reconciler.commands import mosaic, reconcile
from reconciler.commands.options import FLEET_HELP, FOLDER_HELP
from reconciler.context import which_fleet
from tests.commands.calling import call
from tests.documents import read

# About no fleet, or about all of this user's on this host.
NO_FLEET = {
    "mosaic fleet schema", "mosaic fleet uninstall", "mosaic fleet pause", "mosaic help", "mosaic man",
    "mosaic completion",
}  # fmt: skip
# What a call needs beside the fleet.
WORDS = {
    "mosaic fleet add": ("a", "--runtime", "stub"),
    "mosaic fleet suspend": ("a", "--reason", "r"),
    "mosaic fleet unsuspend": ("a",),
    "mosaic fleet release": ("a",),
    "mosaic fleet resume": ("a",),
    "mosaic agent send": ("a", "-m", "x"),
    "mosaic agent answer": ("a", "--allow"),
    "mosaic fleet north-star diff": ("HEAD",),
}
LONG_OF = {"-o": "--output", "-y": "--yes", "-m": "--message"}


def walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from walk(found, f"{path} {name}")
    else:
        yield path, command


COMMANDS = dict([*walk(mosaic.command, "mosaic"), ("reconcile", reconcile.command)])
OF_A_FLEET = sorted(COMMANDS.keys() - NO_FLEET)


class Resolved(BaseException):
    """The resolver was asked. Not an Exception: nothing on the way up may take it for a fleet that is not there."""


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What the one resolver is asked for."""
    asked: list[str | None] = []

    def resolve(given: str | None, *_: object, **__: object) -> None:
        asked.append(given)
        raise Resolved

    monkeypatch.setattr(which_fleet, "which_fleet", resolve)
    return asked


def words(path: str) -> tuple[str, ...]:
    needed = [param for param in COMMANDS[path].params if isinstance(param, click.Argument) and param.required]
    return WORDS.get(path, ("a",) * len(needed))


def try_(path: str, *args: str) -> None:
    command = mosaic.command if path.startswith("mosaic") else reconcile.command
    with pytest.raises(Resolved):
        call(command, *path.split()[1:], *args)


@pytest.mark.parametrize("path", OF_A_FLEET)
def test_every_command_asks_the_one_resolver(path: str, resolver: list[str | None], tmp_path: Path) -> None:
    given = str(tmp_path / "fleet")
    try_(path, *words(path), "--fleet", given)
    try_(path, *words(path))
    assert set(resolver) == {given, None}


@pytest.mark.parametrize("path", OF_A_FLEET)
def test_a_command_that_takes_nothing_else_takes_it_as_an_argument(
    path: str, resolver: list[str | None], tmp_path: Path
) -> None:
    arguments = [param for param in COMMANDS[path].params if isinstance(param, click.Argument)]
    own = [one for one in arguments if one.metavar != "[FLEET]"]
    if own:
        assert path == "mosaic fleet north-star diff" or own == arguments
        return
    assert len(arguments) == 1
    given = str(tmp_path / "fleet")
    try_(path, given)
    assert resolver == [given]
    said = call(
        mosaic.command if path.startswith("mosaic") else reconcile.command, *path.split()[1:], given, "--fleet", given
    )
    assert said.code == 64
    assert f"the fleet is named twice: give either {given} or --fleet" in said.err


@pytest.mark.parametrize("path", COMMANDS)
def test_the_common_options_are_called_the_same_everywhere(path: str) -> None:
    options = {name: param for param in COMMANDS[path].params for name in param.opts if isinstance(param, click.Option)}
    assert ("--fleet" in options) == (path not in NO_FLEET)
    if "--fleet" in options:
        assert options["--fleet"].help == (FOLDER_HELP if path == "mosaic fleet init" else FLEET_HELP)
    assert ("--json" in options) == ("-o" in options)
    for short, long in LONG_OF.items():
        assert options.get(short) is options.get(long), (short, long)
    for name in ("--dry-run", "--yes", "--no-commit", "--json", "--verbose"):
        assert name not in options or options[name].is_flag, name
    if "--no-commit" in options:
        assert {"--dry-run", "-m"} <= options.keys()
    assert (
        not {"--format", "--dryrun", "--force-yes", "--assume-yes", "--quiet", "--repository", "--source"}
        & options.keys()
    )


@pytest.mark.parametrize(
    "path", [path for path, command in COMMANDS.items() if any("-o" in p.opts for p in command.params)]
)
def test_json_goes_with_no_other_form(path: str) -> None:
    said = call(
        mosaic.command if path.startswith("mosaic") else reconcile.command,
        *path.split()[1:], *words(path), "--json", "-o", "yaml",
    )  # fmt: skip
    assert said.code == 64
    assert "--json is short for -o json" in said.err


def test_json_is_short_for_o_json(tmp_path: Path) -> None:
    (tmp_path / "roster.yaml").write_text("version: 1\nagents: [{name: a, runtime: stub}]\n")
    short, long = (
        call(mosaic.command, "fleet", "validate", str(tmp_path), *how) for how in (("--json",), ("-o", "json"))
    )
    assert read(short.out)["kind"] == "Validation"
    assert short == long
