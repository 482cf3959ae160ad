"""Completion, asked of the shells themselves, and what it costs: nothing but the shell."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.cli.completion import NAMES_FILE, SHELLS, script
from reconciler.commands.command_lines import command_lines

AGENTS = ["coder0", "coder.1", "lead"]


@pytest.fixture(scope="module")
def scripts() -> dict[str, str]:
    lines = command_lines()
    return {shell: script(shell, lines) for shell in SHELLS}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder with one fleet's names in it; nothing on PATH but the shells, so that a script that starts a
    program fails."""
    (tmp_path / "mosaic/fleet").mkdir(parents=True)
    (tmp_path / "mosaic/fleet" / NAMES_FILE).write_text("".join(f"{name}\n" for name in AGENTS))
    records = tmp_path / ".config/mosaic/fleet/conversations"
    records.mkdir(parents=True)
    lines = [
        "start\tlife=1.1\tid=5f0c-1\tsource=given",
        "id\tlife=1.1\tid=0b7d-2",
        "start\tlife=2.2\tid=\tsource=",
        "end\tx=1",
    ]
    (records / "coder0.log").write_text("".join(f"\n{line}\n" for line in lines))
    (tmp_path / "only").mkdir()
    for shell in SHELLS:
        found = shutil.which(shell)
        assert found, f"{shell} is needed: ./dev test installs it"
        (tmp_path / "only" / shell).symlink_to(found)
    return tmp_path


def environment(state: Path) -> dict[str, str]:
    return {"PATH": str(state / "only"), "HOME": str(state), "XDG_STATE_HOME": str(state), "TERM": "dumb"}


def bash(script: str, words: list[str], state: Path) -> list[str]:
    asked = """
source "$1"; shift
compopt() { :; }  # only within a completion that readline asked for
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_mosaic
printf '%s\\n' "${COMPREPLY[@]}"
"""
    (state / "script").write_text(script)
    argv = ["bash", "--norc", "-c", asked, "bash", str(state / "script"), *words]
    done = subprocess.run(argv, env=environment(state), cwd=state, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return sorted(done.stdout.split())


def fish(script: str, words: list[str], state: Path) -> list[str]:
    (state / "script").write_text(script)
    line = " ".join(words)
    argv = ["fish", "--no-config", "-c", f"source {state}/script; complete -C '{line}'"]
    done = subprocess.run(argv, env=environment(state), cwd=state, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return sorted(row.split("\t")[0] for row in done.stdout.splitlines())


ZSHRC = """\
autoload -Uz compinit; compinit -u -D
source {state}/script
# What would be shown is written down instead; these three ways of offering are all that the script uses.
_describe() {{ print -l -- ${{${{(P)@[-1]}}%%:*}} >>{state}/offered }}
compadd() {{ print -l -- ${{(P)@[-1]}} >>{state}/offered }}
_files() {{ print FILES >>{state}/offered }}
functions[_mosaic_itself]=$functions[_mosaic]
_mosaic() {{ _mosaic_itself; print END >>{state}/offered }}
PS1='ready> '
"""


def zsh(script: str, words: list[str], state: Path) -> list[str]:
    """Its completion works only at a prompt, so one is made, with functions that note what they are offered."""
    (state / "script").write_text(script)
    (state / ".zshrc").write_text(ZSHRC.format(state=state))
    offered = state / "offered"
    offered.unlink(missing_ok=True)
    ours, theirs = pty.openpty()
    env = environment(state) | {"TERM": "xterm", "ZDOTDIR": str(state)}
    argv = ["zsh", "--no-globalrcs", "-i"]
    with subprocess.Popen(
        argv, env=env, cwd=state, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as shell:
        os.close(theirs)
        try:
            _read_until(ours, lambda seen: b"ready> " in seen)
            os.write(ours, (" ".join(words) + "\t").encode())
            _read_until(ours, lambda _: offered.exists() and offered.read_text().endswith("END\n"))
        finally:
            shell.kill()
            os.close(ours)
    found = offered.read_text().split()
    return sorted({word for word in found if word.startswith(words[-1]) and word != "END"})


def _read_until(handle: int, holds: Callable[[bytes], bool]) -> bytes:
    seen, deadline = b"", time.monotonic() + 60
    while not holds(seen):
        if time.monotonic() > deadline:
            raise AssertionError(f"the shell did not answer: {seen!r}")
        if select.select([handle], [], [], 0.05)[0]:
            seen += os.read(handle, 65536)
    return seen


ASK = {"bash": bash, "fish": fish, "zsh": zsh}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "offers"),
    [
        (["mosaic", "fle"], ["fleet"]),
        (["mosaic", "fleet", "stat"], ["status"]),
        (["mosaic", "fleet", "status", "--fl"], ["--fleet"]),
        (["mosaic", "fleet", "status", "-o", ""], ["json", "text", "yaml"]),
        (["mosaic", "fleet", "release", "co"], ["coder.1", "coder0"]),
        (["mosaic", "agent", "send", "co"], ["coder.1", "coder0"]),
        (["mosaic", "fleet", "restart", "l"], ["lead"]),
        (["mosaic", "fleet", "restart", "coder0", "--session", ""], ["0b7d-2", "5f0c-1"]),
        (["mosaic", "fleet", "restart", "lead", "--session", ""], []),
        (["reconcile", "--agent", ""], sorted(AGENTS)),
        (["reconcile", "--dry"], ["--dry-run"]),
    ],
)
def test_what_is_offered(shell: str, words: list[str], offers: list[str], scripts: dict[str, str], state: Path) -> None:
    assert ASK[shell](scripts[shell], words, state) == offers


@pytest.mark.parametrize("shell", SHELLS)
def test_a_host_without_a_fleet_offers_no_agents(shell: str, scripts: dict[str, str], state: Path) -> None:
    (state / "mosaic/fleet" / NAMES_FILE).unlink()
    assert ASK[shell](scripts[shell], ["mosaic", "fleet", "stat"], state) == ["status"]


def test_every_command_is_in_every_script(scripts: dict[str, str]) -> None:
    paths = [" ".join(command.path) for line in command_lines() for command in line.walk()]
    assert len(paths) > 15
    for shell in SHELLS:
        assert [path for path in paths if f"'{path}'" not in scripts[shell]] == [], shell
