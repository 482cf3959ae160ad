"""Words that people bring along from other tools lead to the command that is meant; and what a bare group says."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from reconciler.commands import mosaic, reconcile
from reconciler.commands.group import FAMILIAR
from tests.commands.calling import call
from tests.docs.test_commands import leaf

GROUPS: dict[tuple[str, ...], click.Group] = {
    (): mosaic.command, ("fleet",): mosaic.fleet, ("agent",): mosaic.agent,
    ("fleet", "north-star"): mosaic.north_star, ("fleet", "persona"): mosaic.persona,
}  # fmt: skip
SAID = {"systemctl": "systemd 257 (257.9-1)\n+PAM +AUDIT", "tmux": "tmux 3.5a", "git": "git version 2.47.3"}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("word", FAMILIAR)
def test_a_word_of_another_tool_names_the_command(group: tuple[str, ...], word: str) -> None:
    if word in GROUPS[group].list_commands(click.Context(GROUPS[group])):
        return
    said = call(mosaic.command, *group, word)
    assert (said.code, said.out) == (64, "")
    assert said.err == f'error: no such command "{word}"\nhelp: {FAMILIAR[word]}\n'


@pytest.mark.parametrize("word", FAMILIAR)
def test_reconcile_takes_no_such_word_for_a_repository(word: str) -> None:
    said = call(reconcile.command, word)
    assert (said.code, said.err) == (64, f'error: no such command "{word}"\nhelp: {FAMILIAR[word]}\n')


def test_a_folder_of_that_name_is_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plan").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "is not a git repository" in call(reconcile.command, "plan", "--dry-run").err


@pytest.mark.parametrize("words", FAMILIAR.values())
def test_what_is_named_is_there(words: str) -> None:
    for found in re.findall(r"\b(?:mosaic|reconcile)\b(?: --?[a-z-]+| [a-z-]+)*", words):
        tokens = found.split()
        command = {"mosaic": mosaic.command, "reconcile": reconcile.command}.get(tokens[0])
        assert command is not None
        sentence = [token for token in tokens[1:] if isinstance(command, click.Group) or token.startswith("-")]
        names = [token for token in sentence if not token.startswith("-")]
        below, _ = leaf(command, names[:2] if names[:1] in (["fleet"], ["agent"]) else names[:0])
        known = {name for param in below.params for name in param.opts}
        assert {token for token in sentence if token.startswith("-")} <= known


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        (("agent", "ps"), "mosaic fleet ps"),
        (("send",), "mosaic agent send"),
        (("validate",), "mosaic fleet validate"),
        (("fleet", "doctor"), "mosaic doctor"),
        (("fleet", "tail"), "mosaic agent tail"),
    ],
)
def test_a_command_of_another_group_is_named(args: tuple[str, ...], meant: str) -> None:
    assert f'did you mean "{meant}"?' in call(mosaic.command, *args).err


@pytest.mark.parametrize("name", ["ps", "status"])
def test_the_two_that_are_typed_most_need_no_group(name: str) -> None:
    short, long = (group.get_command(click.Context(group), name) for group in (mosaic.command, mosaic.fleet))
    assert short is not None
    assert short is long


@pytest.mark.parametrize("group", GROUPS)
def test_a_bare_group_prints_its_help_in_sections(group: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    said = call(mosaic.command, *group)
    told = capsys.readouterr()
    assert (said.code, said.err, told.err) == (0, "", "")
    assert told.out.startswith(f"Usage: mosaic {' '.join(group)}".rstrip())
    titles = re.findall(r"^(\w[^:\n]*):$", told.out, re.MULTILINE)
    assert titles[0] == "Options"
    assert len(titles) >= (2 if group[-1:] in (("north-star",), ("persona",)) else 3)
    for name in GROUPS[group].list_commands(click.Context(GROUPS[group])):
        assert re.search(rf"^  {name}  ", told.out, re.MULTILINE)


@pytest.mark.parametrize("words", [(), ("fleet",), ("fleet", "ps"), ("agent", "send"), ("fleet", "persona", "show")])
def test_help_is_a_command_of_every_group(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert call(mosaic.command, *words, "--help").code == 0
    wanted = capsys.readouterr().out
    for at in range(min(len(words), 2) + (not words)):
        said = call(mosaic.command, *words[:at], "help", *words[at:])
        assert (said.code, said.out, said.err) == (0, wanted, "")


def test_help_of_what_is_not_there() -> None:
    assert 'did you mean "fleet"?' in call(mosaic.command, "help", "flete").err
    said = call(mosaic.command, "help", "fleet", "ps", "more")
    assert (said.code, said.out) == (64, "")
    assert "has no commands below it" in said.err


@pytest.mark.parametrize("command", [mosaic.command, reconcile.command], ids=lambda command: command.name)
def test_version_says_what_it_stands_on(
    command: click.Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, said in SAID.items():
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{said}'\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert call(command, "--version").code == 0
    rows = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert list(rows) == ["mosaic-fleet", "python", "systemd", "tmux", "git", "packages"]
    assert rows["mosaic-fleet"] == version("mosaic-fleet")
    assert [rows[name].partition(" (/")[0] for name in ("systemd", "tmux", "git")] == ["257", "3.5a", "2.47.3"]
    assert re.match(r"\d[\w.+~-]* \(/", rows["python"])
    assert f"click {version('click')}" in rows["packages"]
    assert "pytest" not in rows["packages"]


def test_version_without_programs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert call(mosaic.command, "--version").code == 0
    assert re.search(r"^tmux +tmux is not on PATH", capsys.readouterr().out, re.MULTILINE)
