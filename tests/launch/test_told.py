"""A turn record is brought up to date by the file of its state that the program keeps."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.host import HeartbeatFile
from providers.machine import heartbeat_files
from reconciler.responder.turn_record import refresh_turn


@pytest.fixture
def pid(tmp_path: Path) -> Iterator[int]:
    """A process whose home is a folder of the test's."""
    with subprocess.Popen(["sleep", "600"], env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]}) as process:
        yield process.pid
        process.kill()


def record(folder: Path, pid: int, status: str, age_s: float, words: str = "") -> HeartbeatFile:
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - age_s))
    line = f"ts={when} pid={pid} status={status} source=hook event=PermissionRequest{words}\n"
    (folder / "a.turn").write_text(line)
    return heartbeat_files.parse(line.encode(), time.time())


def keeps(home: Path, pid: int, status: str) -> Path:
    path = home / f".claude/sessions/{pid}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"pid": pid, "status": status, "statusUpdatedAt": int(time.time() * 1000)}))
    return path


def test_what_the_hooks_left_out_is_written_down(tmp_path: Path, pid: int) -> None:
    turn = record(tmp_path, pid, "busy", 60, " waiting=permission")
    keeps(tmp_path, pid, "idle")
    found = refresh_turn(str(tmp_path), "a", "claude", pid, turn)
    assert found is not None
    assert (found.error, found.pid, found.status) == (None, pid, "ok")
    assert found.words == {"source": "status-file", "event": "idle"}
    assert heartbeat_files.parse((tmp_path / "a.turn").read_bytes(), time.time()) == found
    assert refresh_turn(str(tmp_path), "a", "claude", pid, found) is found


def test_without_hooks_it_is_the_only_word(tmp_path: Path, pid: int) -> None:
    keeps(tmp_path, pid, "busy")
    found = refresh_turn(str(tmp_path), "a", "claude", pid, None)
    assert found is not None
    assert found.status == "busy"
    assert (tmp_path / "a.turn").stat().st_mode & 0o777 == 0o600


def test_the_program_is_not_talked_over(tmp_path: Path, pid: int) -> None:
    """It has said something between the look at the record and the look at the file."""
    turn = record(tmp_path, pid, "busy", 60)
    keeps(tmp_path, pid, "idle")
    record(tmp_path, pid, "busy", 30)
    newest = (tmp_path / "a.turn").read_text()
    assert refresh_turn(str(tmp_path), "a", "claude", pid, turn) is turn
    assert (tmp_path / "a.turn").read_text() == newest


@pytest.mark.parametrize("spoil", ["none", "link", "pipe", "noise", "other-runtime", "ended"])
def test_a_file_that_says_nothing_changes_nothing(tmp_path: Path, pid: int, spoil: str) -> None:
    turn = record(tmp_path, pid, "busy", 60)
    path = keeps(tmp_path, pid, "idle")
    if spoil in ("none", "link", "pipe"):
        path.unlink()
    if spoil == "link":
        path.symlink_to(path)
    if spoil == "pipe":
        os.mkfifo(path)
    if spoil == "noise":
        path.write_bytes(b"\xff\0{" * 40_000)
    before = (tmp_path / "a.turn").read_text()
    of = 2**22 + 1 if spoil == "ended" else pid
    assert refresh_turn(str(tmp_path), "a", "codex" if spoil == "other-runtime" else "claude", of, turn) is turn
    assert (tmp_path / "a.turn").read_text() == before
