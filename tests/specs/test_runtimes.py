"""Runtimes are data: how each program is started, and how a roster changes that."""

from __future__ import annotations

import pytest

from specs.compiled import Agent
from tests.specs.helpers import HEAD, agent, compiled, read

UNATTENDED = "--dangerously-bypass-approvals-and-sandbox"
CODEX = ("codex", "--no-daemon")


def one(entry: str, runtimes: str = "") -> Agent:
    loaded = read(HEAD + (f"runtimes: {runtimes}\n" if runtimes else "") + f"agents:\n  - {{name: a, {entry}}}\n")
    assert loaded.ok, loaded.problems
    return agent(compiled(loaded), "a")


@pytest.mark.parametrize(
    ("entry", "argv"),
    [
        ("runtime: claude", ("claude", "--dangerously-skip-permissions")),
        ("runtime: claude, yolo: false", ("claude",)),
        ("runtime: claude, model_hint: opus", ("claude", "--dangerously-skip-permissions", "--model", "opus")),
        ("runtime: codex", (*CODEX, UNATTENDED)),
        ("runtime: codex, yolo: false, model_hint: gpt-5", (*CODEX, "--model", "gpt-5")),
        ("runtime: pi, model_hint: 'x/y:high'", ("pi", "--model", "x/y:high")),
        ("runtime: opencode", ("opencode", "--auto")),
        ("runtime: opencode, yolo: false", ("opencode",)),
        ("runtime: stub", ("/usr/bin/python3", "-I", "-S", "/opt/stub.py")),
        ("runtime: stub, model_hint: any", ("/usr/bin/python3", "-I", "-S", "/opt/stub.py")),
        ("runtime: claude, model_hint: opus, command: 'sh -c \"a b\"'", ("sh", "-c", "a b")),
        ("runtime: claude, command: [sh, -c, 'a b']", ("sh", "-c", "a b")),
        ("runtime: claude, command: ~/bin/run ~/x", ("/home/me/bin/run", "~/x")),
    ],
)
def test_the_command(entry: str, argv: tuple[str, ...]) -> None:
    assert one(entry).argv == argv


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("runtime: claude", ("claude",)),
        ("runtime: codex", ("codex",)),
        ("runtime: pi", ("pi",)),
        ("runtime: opencode", ("opencode",)),
        ("runtime: claude, command: /opt/bin/wrapper --x", ("claude", "wrapper")),
    ],
)
def test_what_its_processes_are_called(entry: str, names: tuple[str, ...]) -> None:
    assert one(entry).process_names == names


def test_which_write_their_own_heartbeat() -> None:
    native = [
        name for name in ("claude", "codex", "pi", "opencode", "stub") if one(f"runtime: {name}").native_heartbeat
    ]
    assert native == ["pi", "opencode", "stub"]


def test_a_shipped_runtime_keeps_what_the_roster_does_not_change() -> None:
    changed = one("runtime: claude, model_hint: opus", "{claude: {command: /opt/claude, submit_key: C-m}}")
    assert changed.argv == ("/opt/claude", "--dangerously-skip-permissions", "--model", "opus")
    assert (changed.submit_key, changed.reset_command, changed.process_names) == ("C-m", "/clear", ("claude",))


def test_a_runtime_of_the_roster() -> None:
    declared = """{aider: {command: [aider, --no-git], reset_command: /clear, process_names: [aider, python3],
        model_flag: --model, unattended_flags: [--yes], native_heartbeat: true, path: [~/venv/bin]}}"""
    made = one("runtime: aider, model_hint: x", declared)
    assert made.argv == ("aider", "--no-git", "--yes", "--model", "x")
    assert made.process_names == ("aider", "python3")
    assert made.native_heartbeat
    assert made.path == ("/home/me/venv/bin",)


def test_a_runtime_of_the_roster_needs_only_a_command() -> None:
    made = one("runtime: other, model_hint: ignored", "{other: {command: /opt/program run}}")
    assert made.argv == ("/opt/program", "run")
    assert made.process_names == ("other", "program")
    assert (made.reset_command, made.submit_key, made.native_heartbeat) == (None, "Enter", False)
