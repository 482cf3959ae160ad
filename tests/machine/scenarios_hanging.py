"""File systems that give no answer: a look at one ends all the same, its neighbours are seen, nothing piles up."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from providers.filesystem.bounded_look import ask
from providers.host import PathState
from providers.machine.local_host import LocalHost
from tests.hosts.hanging import Mode, hanging
from tests.hosts.waiting import eventually
from tests.machine.inside import command

FOLDER = PathState(kind="folder", usable=True)
HELPERS = ["ps", "-C", "mosaic-look", "-o", "stat="]


def _folder(name: str) -> str:
    path = Path.home() / name
    path.mkdir(exist_ok=True)
    return str(path)


def _helpers() -> list[str]:
    """The states of the helpers that are left; a zombie is only not yet taken away."""
    return [state for state in command(*HELPERS, check=False).split() if not state.startswith("Z")]


def _look_of_another_run(*paths: str) -> str:
    code = (
        "import sys; from providers.filesystem.mounts import Mounts; from providers.filesystem.places import at;"
        "mounts = Mounts();"
        "seen = at(sys.argv[1:], lambda path: mounts.far(path) is not None);"
        "print({path: one.kind for path, one in seen.items()})"
    )
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def _hangs(host: LocalHost, mode: Mode) -> None:
    far, near = _folder(f"{mode}-far"), _folder(f"{mode}-near")
    link = f"{near}/link"
    os.symlink(f"{far}/below", link)
    with hanging(far, mode):
        seen = host.look().places([far, near, link, "/etc/passwd", f"{far}/a", f"{far}/b", f"{far}/c", f"{far}/d"])
        assert seen[near] == FOLDER
        assert seen["/etc/passwd"] == PathState(kind="file", usable=True)
        for path in (far, link, f"{far}/d"):
            assert seen[path].kind == "unclear"
            assert seen[path].why.startswith(f"the file system at {far} (fuse) "), seen[path].why
        left = len(_helpers())
        assert 0 < left <= 4, "not one for each path of the same file system"
        for _ in range(3):
            again = host.look().places([far, near, link])
            assert (again[far].kind, again[near], again[link].kind) == ("unclear", FOLDER, "unclear")
        assert "earlier" in again[far].why
        for _ in range(2):
            assert f"'{far}': 'unclear', '{near}': 'folder'" in _look_of_another_run(far, near)
        assert len(_helpers()) == left, "another run does not leave more of them"
    eventually(lambda: host.look().places([far])[far] == FOLDER, what="the folder, now that nothing hangs")
    eventually(lambda: not _helpers(), what="the end of all helpers")


def check_a_mount_that_reads_no_request(host: LocalHost) -> None:
    _hangs(host, "deaf")


def check_a_mount_that_lets_nobody_go(host: LocalHost) -> None:
    """Whoever asks it cannot even be killed."""
    _hangs(host, "mute")


def check_a_run_ends_although_its_helper_cannot_be_ended(host: LocalHost) -> None:
    del host
    far = _folder("unkillable")
    with hanging(far, "mute"):
        assert _look_of_another_run(far) == f"{{'{far}': 'unclear'}}"
        assert _helpers() == ["D"]


def check_what_is_not_the_fleets(host: LocalHost) -> None:
    folder = _folder("odd")
    os.symlink("loop", f"{folder}/loop")
    os.symlink("nowhere", f"{folder}/dangling")
    os.mkfifo(f"{folder}/fifo")
    Path(f"{folder}/plain").write_text("x")
    Path(f"{folder}/program").write_text("#!/bin/sh\n")
    os.chmod(f"{folder}/program", 0o700)
    paths = [f"{folder}/{name}" for name in ("loop", "loop/x", "dangling", "fifo", "plain", "plain/x", "program", "no")]
    seen = list(host.look().places([*paths, "/dev/null", "/a\0b"]).values())
    assert [one.kind for one in seen[:2]] == ["other", "other"]
    assert "form a loop" in seen[0].why
    nothing = PathState(kind="nothing")
    assert seen[2:8] == [
        nothing,
        PathState(kind="other", why="it is neither a folder nor a regular file"),
        PathState(kind="file", usable=True),
        nothing,
        PathState(kind="file", usable=True, runs=True),
        nothing,
    ]
    assert [one.kind for one in seen[8:]] == ["other", "unclear"]


def check_many_paths_take_one_process(host: LocalHost) -> None:
    began = len(os.listdir("/proc/self/fd"))
    paths = [f"/usr/bin/{number}" for number in range(2000)]
    assert set(host.look().places(paths).values()) == {PathState(kind="nothing")}
    assert len(os.listdir("/proc/self/fd")) == began


def check_some_that_hang_among_many(host: LocalHost) -> None:
    del host
    hung = {f"/{number}" for number in range(0, 100, 20)}
    # A question that waits for something else is as good as a file system that does.
    answers = ask({f"/{n}": (lambda n=n: time.sleep(600) if f"/{n}" in hung else n) for n in range(100)})  # type: ignore[misc]
    assert {path for path, one in answers.items() if isinstance(one, OSError)} == hung
    assert all(answers[f"/{n}"] == n for n in range(100) if f"/{n}" not in hung)
