"""The resident loop on a simulated host: real signals, a real repository."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from providers.host import Look
from reconciler.context.host import HostContext
from reconciler.context.settings import Settings, settings_path, write_settings
from reconciler.errors import ExitCode, MosaicError
from reconciler.loop.result import RunOptions, RunResult
from reconciler.resident.pace import REST_MAX_S
from reconciler.resident.wake_reason import WakeReason
from reconciler.resident.wakeups import WakeSources
from reconciler.resident.watch import watch
from tests.world import FACTS, World

# An agent that is not to run: nothing is due, and no process is watched.
ROSTER = """\
version: 1
transport: tmux
tmux: {socket_name: s}
agents:
  - {name: coder0, runtime: stub, class: worker, state: stopped}
"""
ENOUGH = 50
LONGEST_REST_S = 2 * REST_MAX_S  # one, and what was cut off the one before


@pytest.fixture
def here(tmp_path: Path) -> Iterator[HostContext]:
    folders: dict[str, Any] = {name: f"{tmp_path}/{name}" for name in ("home", "state_home", "config_home")}
    # A socket's path has at most 107 bytes, and a test's own folder may be deep.
    with tempfile.TemporaryDirectory(prefix="mf-", dir="/tmp") as runtime_dir:
        world = World(replace(FACTS, **folders, mosaic_home=f"{tmp_path}/home/mosaic", runtime_dir=runtime_dir))
        yield HostContext(host=world, environ={}, sleep=world.advance, wall=lambda: world.now, monotonic=time.monotonic)


def repository(path: Path) -> str:
    path.mkdir()
    (path / "roster.yaml").write_text(ROSTER)
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=path, check=True)
    return str(path)


def test_another_repository_in_the_settings_is_not_taken_up_in_silence(here: HostContext, tmp_path: Path) -> None:
    mine, other = repository(tmp_path / "mine"), repository(tmp_path / "other")
    path = settings_path(here.facts.config_home)
    write_settings(path, Settings(source=mine))
    said: list[MosaicError] = []
    seen: list[str] = []

    def told(result: RunResult) -> None:
        assert result.intake is not None
        seen.append(result.intake.spec)
        if len(seen) == 1:
            write_settings(path, Settings(source=other, ref="elsewhere"))
            os.kill(os.getpid(), signal.SIGHUP)
        elif said or len(seen) > ENOUGH:
            os.kill(os.getpid(), signal.SIGTERM)

    assert watch(RunOptions(), told, here, said.append) == ExitCode.TERMINATED
    (error,) = said
    assert f"names another repository now, {other}: this loop keeps {mine} until it is restarted" in error.message
    assert "systemctl --user restart mosaic-reconcile-watch.service" in error.help
    assert set(seen) == {mine}


def test_a_repository_that_the_command_line_names_is_not_in_the_settings(here: HostContext, tmp_path: Path) -> None:
    mine, other = repository(tmp_path / "mine"), repository(tmp_path / "other")
    path = settings_path(here.facts.config_home)
    write_settings(path, Settings(source=mine))
    said: list[MosaicError] = []
    seen: list[str] = []

    def told(result: RunResult) -> None:
        seen.append(result.plan.revision)
        if len(seen) == 1:
            write_settings(path, Settings(source=other))
        os.kill(os.getpid(), signal.SIGHUP if len(seen) == 1 else signal.SIGTERM)

    assert watch(RunOptions(fleet=mine), told, here, said.append) == ExitCode.TERMINATED
    assert said == []
    assert len(seen) > 1


def test_what_is_written_in_a_repository_is_no_reason_to_look_until_its_tip_moves(
    here: HostContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = Path(repository(tmp_path / "mine"))

    def git(*words: str) -> set[WakeReason]:
        subprocess.run(["git", *words], cwd=mine, check=True, capture_output=True)
        return {WakeReason.GIT}

    def edit() -> set[WakeReason]:
        (mine / "roster.yaml").write_text(f"{ROSTER}# edited\n")
        return git("add", ".")

    def end() -> set[WakeReason]:
        os.kill(os.getpid(), signal.SIGTERM)
        return {WakeReason.HANGUP}

    happens = iter([edit, lambda: git("status"), lambda: git("commit", "-q", "-m", "second"), lambda: git("gc"), end])
    monkeypatch.setattr(WakeSources, "wait", lambda _self, seconds: next(happens)() if seconds > 0 else set())
    seen: list[str] = []
    watch(RunOptions(fleet=str(mine)), lambda result: seen.append(result.plan.revision), here)
    log = subprocess.run(["git", "rev-list", "--reverse", "HEAD"], cwd=mine, check=True, capture_output=True, text=True)
    assert seen == log.stdout.split()


@pytest.mark.parametrize(("said", "looks"), [("before the look", 1), ("during the look", 2)])
def test_what_was_heard_before_a_look_is_in_that_look(
    here: HostContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, looks: int
) -> None:
    """A run hears of what it does itself; one more look for that would be one too many. The first run here has things
    to do, and the second one, which somebody asks for, only looks."""
    heard, asked = [{WakeReason.UNITS, WakeReason.PROCESS}], [{WakeReason.SYNC}]
    runs: list[int] = []  # the looks that each has begun
    look = here.host.look

    def run(_sources: WakeSources, _folder: Path) -> None:
        runs.append(0)

    def looking(sockets: Sequence[str] = ()) -> Look:
        runs[-1:] = [runs[-1] + 1] if runs and sockets else runs[-1:]
        return look(sockets)

    def wait(_sources: WakeSources, seconds: float) -> set[WakeReason]:
        if seconds > 0:
            if asked:
                return asked.pop()
            if seconds > LONGEST_REST_S:  # nothing is due
                os.kill(os.getpid(), signal.SIGTERM)
                return {WakeReason.HANGUP}
            time.sleep(seconds)
            return set()
        return heard.pop() if heard and len(runs) == 2 and (said == "before the look" or runs[1]) else set()

    monkeypatch.setattr(WakeSources, "watch_heartbeats", run)
    monkeypatch.setattr(WakeSources, "wait", wait)
    monkeypatch.setattr(here.host, "look", looking)
    assert watch(RunOptions(fleet=repository(tmp_path / "mine")), lambda _result: None, here) == 143
    assert (len(runs), heard) == (1 + looks, [])
