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
    """A run hears of what it does itself; one more look for that would be one too many."""
    heard = [{WakeReason.UNITS, WakeReason.PROCESS}]
    begun: list[bool] = []
    look = here.host.look

    def looking(sockets: Sequence[str] = ()) -> Look:
        begun.extend([True] if sockets else [])  # a look at the whole host
        return look(sockets)

    def wait(_sources: WakeSources, seconds: float) -> set[WakeReason]:
        if seconds > 0:
            os.kill(os.getpid(), signal.SIGTERM)
            return {WakeReason.HANGUP}
        return heard.pop() if heard and (said == "before the look" or begun) else set()

    monkeypatch.setattr(here.host, "look", looking)
    monkeypatch.setattr(WakeSources, "wait", wait)
    mine, seen = repository(tmp_path / "mine"), list[str]()
    assert watch(RunOptions(fleet=mine), lambda result: seen.append(result.plan.revision), here) == 143
    assert (len(seen), heard) == (looks, [])
