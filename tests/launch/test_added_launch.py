"""What a launch adds, on a real host: arguments, texts and variables arrive, and what is missing is left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from providers.launch import additions
from providers.programs.base import AgentPaths, Extra, Plain
from specs.compiled import Agent
from tests.hosts.waiting import eventually
from tests.launch.bench import SOCKET, Bench, make_agent

TEXT = 'first line\n\n  third, "quoted" $HOME `id` \\ ünïcode | bar\n'


class Prog(Plain):
    """What is added to the stub for these tests."""

    def extra(self, agent: Agent, place: AgentPaths) -> Extra:
        return Extra(
            args=("--settings", f"{place.folder}/a b.json", ""),
            text_args=(
                ("--system=", place.contract),
                ("--gone=", f"{place.folder}/gone"),
                ("", f"{place.folder}/empty"),
            ),
            env=(("PROG_MODE", f"of {agent.name}"),),
        )


@pytest.fixture
def added(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(additions, "program", Prog)
    bench.write(f"{additions.folder('a', bench.facts)}/contract.md", TEXT)
    bench.write(f"{additions.folder('a', bench.facts)}/empty", "\n")
    return bench


def agent() -> Agent:
    own = make_agent("a")
    return replace(own, process_names=("stub", Path(own.argv[0]).name))


def words(bench: Bench, pid: int, file: str) -> list[str]:
    return bench.read(f"/proc/{pid}/{file}").split("\0")


def test_they_reach_the_program(added: Bench) -> None:
    added.declare(agent())
    added.start("a")
    pid = added.alive("a")
    folder = additions.folder("a", added.facts)
    assert words(added, pid, "cmdline")[len(agent().argv) :] == [
        "--settings", f"{folder}/a b.json", "", f"--system={TEXT.removesuffix(chr(10))}", "",
    ]  # fmt: skip
    environ = words(added, pid, "environ")
    assert "PROG_MODE=of a" in environ
    assert f"MOSAIC_AGENT_PID={pid}" in environ
    assert "MOSAIC_HEARTBEAT=native" in environ
    [path] = [word for word in environ if word.startswith("PATH=")]
    assert path.split(":")[-1] == added.facts.bin_dir


def test_what_is_missing_is_told_and_left_out(added: Bench) -> None:
    added.declare(agent())
    added.host.systemctl("start", "mosaic-tmux-holder.service")
    done = added.program("agent-start", "a")
    folder = additions.folder("a", added.facts)
    assert (done.returncode, done.stderr.splitlines()) == (
        0,
        [
            f"mosaic: agent a starts without {folder}/gone, which cannot be read",
            f"mosaic: agent a starts without {folder}/empty, which is empty or larger than 100000 bytes",
        ],
    )
    added.alive("a")


def test_an_agent_calls_mosaic_from_any_folder(bench: Bench) -> None:
    """A folder with modules of our names does not take their place, and neither does what PYTHONPATH names."""
    for package in ("reconciler", "specs", "providers"):
        bench.write(f"/tmp/mine/{package}/__init__.py", "raise SystemExit('not ours')\n")
    env = {"PYTHONPATH": "/tmp/mine"}
    bench.declare(make_agent("a", argv=("sh",), process_names=("sh",), working_directory="/tmp/mine", env=env))
    bench.start("a")
    eventually(bench.panes, what="the pane")
    bench.host.tmux(SOCKET, "send-keys", "-t", "=a:", "mosaic fleet --help; echo ended with $?", "Enter")
    bench.shows("a", "ended with 0")
    assert "Usage: mosaic fleet" in bench.screen("a")
