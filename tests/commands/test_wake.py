"""What wakes a resident loop up."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.base import HeldReason
from reconciler.git.refs import find_repo
from reconciler.resident.pace import waits_for_heartbeat
from reconciler.resident.wake_reason import WakeReason
from reconciler.resident.wakeups import WakeSources
from tests import builders as make


@pytest.fixture
def sources() -> Iterator[WakeSources]:
    made = WakeSources()
    yield made
    made.close()


def test_a_connection_that_comes_anew_under_the_old_number_is_heard(sources: WakeSources) -> None:
    """As after a restart of the user's bus: the old descriptor is closed, and the new one gets its number."""
    bus, _far = socket.socketpair()
    number = bus.fileno()
    sources.follow_bus(number, lambda: False)
    bus.close()
    anew, other_end = socket.socketpair()
    assert anew.fileno() == number
    pending = iter([False, True])  # nothing before the wait, something when the descriptor is readable
    sources.follow_bus(number, lambda: next(pending, False))
    other_end.send(b"a signal")
    assert sources.wait(5.0) == {WakeReason.UNITS}
    sources.follow_bus(-1, lambda: False)
    anew.close()
    other_end.close()


def test_a_process_that_ends_wakes_once_and_is_let_go(sources: WakeSources) -> None:
    pid = os.posix_spawn("/bin/true", ["true"], {})
    assert sources.follow_processes([pid])
    assert sources.wait(5.0) == {WakeReason.PROCESS}
    assert sources.wait(0.0) == set()
    os.waitpid(pid, 0)
    assert not sources.follow_processes([pid])  # gone: look again


def test_nothing_that_was_said_is_lost_in_a_storm(sources: WakeSources) -> None:
    """The pipe holds 64 KiB, and its last byte is not the last thing that happens."""
    for _ in range(100_000):
        sources.wake(WakeReason.HEARTBEAT)
    sources.wake(WakeReason.PAUSE)
    assert sources.wait(5.0) == {WakeReason.HEARTBEAT, WakeReason.PAUSE}
    assert sources.wait(0.0) == set()
    sources.wake(WakeReason.GIT)
    assert sources.wait(5.0) == {WakeReason.GIT}


@pytest.mark.parametrize("packed", [False, True])
def test_a_commit_in_a_linked_worktree_is_heard(sources: WakeSources, tmp_path: Path, *, packed: bool) -> None:
    """Its branch is in the main repository's refs, and so is a commit that somebody makes elsewhere."""
    main, side = tmp_path / "main", tmp_path / "side"

    def git(where: Path, *words: str) -> None:
        config = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(where), *config, *words], check=True, capture_output=True)

    main.mkdir()
    git(main, "init", "-q", "-b", "main")
    git(main, "commit", "-q", "--allow-empty", "-m", "first")
    git(main, "worktree", "add", "-q", "-b", "branch", str(side))
    git(main, "commit", "-q", "--allow-empty", "-m", "second")
    found = find_repo(side)
    assert found is not None
    assert found.git_dir.resolve() != found.common_dir.resolve()
    sources.watch_repository(found.git_dir, found.common_dir)
    if packed:
        git(main, "pack-refs", "--all")
    else:  # moves the branch, and touches nothing of the worktree's own
        git(main, "update-ref", "refs/heads/branch", "main")
    assert sources.wait(5.0) == {WakeReason.GIT}


@pytest.mark.parametrize("reason", HeldReason)
def test_a_heartbeat_is_waited_for_only_where_it_may_help(reason: HeldReason) -> None:
    """Or a thousand agents and one that is suspended would keep the loop looking all the time."""
    helps = reason in (HeldReason.WORKING, HeldReason.UNKNOWN)
    assert waits_for_heartbeat(make.plan(held=(make.held(reason),))) is helps
    assert not waits_for_heartbeat(make.plan(held=(make.held(reason, agent=None),)))
    assert not waits_for_heartbeat(make.plan())
