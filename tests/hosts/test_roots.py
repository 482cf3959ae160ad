"""Roots of other systems: made once, whole or not at all; and a machine that knows nobody of this one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.hosts import HostUnavailable, Machine, eventually, mirrors, namespace, roots, systems
from tests.hosts.disk import Disk
from tests.hosts.systems import SYSTEMS

DEBIAN = SYSTEMS["debian-13"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(roots, "CACHE", tmp_path)
    return tmp_path


def test_what_could_not_be_made_leaves_nothing(cache: Path) -> None:
    folder = cache / "roots" / "x-full-1"

    def fail() -> None:
        with roots.whole(folder, "x-full") as partial:
            (partial / "half").touch()
            raise HostUnavailable("no such mirror")

    with pytest.raises(HostUnavailable, match="no such mirror"):
        fail()
    assert list(folder.parent.iterdir()) == []


def test_what_another_run_left_half_made_is_not_taken_for_whole(cache: Path) -> None:
    folder = cache / "roots" / "x-full-1"
    half = folder.with_name(f".{folder.name}.partial")
    half.mkdir(parents=True)
    (half / "stale").touch()
    with roots.whole(folder, "x-full") as partial:
        (partial / "new").touch()
    assert [file.name for file in folder.iterdir()] == ["new"]


@pytest.mark.parametrize(
    ("used", "held", "stays"), [("now", False, True), ("long", True, True), ("long", False, False)]
)
def test_what_nobody_uses_any_more_is_taken_away(cache: Path, used: str, held: bool, stays: bool) -> None:
    for name in ("x-full-old", "x-full-new"):
        with roots.whole(cache / name, "x-full") as partial:
            (partial / "file").touch()
        if name == "x-full-old" and used == "long":
            os.utime(cache / "x-full-old.users", (0, 0))
        if name == "x-full-old" and held:
            with roots.in_use(cache / name):
                os.utime(cache / "x-full-old.users", (0, 0))
                with roots.whole(cache / "x-full-new", "x-full"):
                    pass
                break
    assert (cache / "x-full-old").exists() == stays
    assert (cache / "x-full-new").exists()


def test_a_step_that_is_killed_stops_writing(cache: Path) -> None:
    """Else it would go on in a folder that the next run has begun anew."""
    script = f"import tests.hosts.roots as r; r._run(['sh', '-c', 'echo $$ >{cache}/began; sleep 1000; :'], 'x')"
    with subprocess.Popen([sys.executable, "-c", script], cwd=namespace.CHECKOUT) as owner:
        try:
            eventually((cache / "began").exists, what="the step")
            inside = _below(owner.pid)
        finally:
            owner.kill()
    assert len(inside) >= 2
    eventually(lambda: not any(map(_runs, inside)), what="the end of the step")


def _runs(pid: int) -> bool:
    """A zombie does not: it waits for a process 1 that may be in no hurry."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _below(pid: int) -> set[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {one for child in map(int, children) for one in (child, *_below(child))}


def test_two_runs_make_one(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def make(_system: systems.System, _kind: roots.Kind, folder: Path) -> None:
        made.append(folder)
        with roots.whole(folder, "x") as partial:
            (partial / "etc").mkdir()

    monkeypatch.setattr(roots, "_make", make)
    threads = [threading.Thread(target=roots.root, args=(DEBIAN,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert made[0].is_relative_to(cache)


def test_a_change_of_the_recipe_is_another_root(monkeypatch: pytest.MonkeyPatch) -> None:
    before = roots._digest(DEBIAN, "full")
    assert before != roots._digest(DEBIAN, "bare")
    monkeypatch.setattr(roots, "SCENARIOS", (*systems.SCENARIOS, "another"))
    assert roots._digest(DEBIAN, "full") != before


def test_a_root_that_cannot_be_made_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roots, "_keyring", lambda _system: Path("/dev/null"))
    monkeypatch.setattr(shutil, "which", lambda _name: "/usr/sbin/debootstrap")
    monkeypatch.setattr(mirrors, "mirrors", lambda _distribution: ["http://127.0.0.1:1/debian"])
    with pytest.raises(HostUnavailable, match=r"no mirror of debian has trixie: tried http://127\.0\.0\.1:1/debian"):
        roots.root(DEBIAN)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(HostUnavailable, match="missing on this machine: debootstrap"):
        roots.root(DEBIAN)


def test_an_unknown_system_is_an_error_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(systems.ON, "debian-31")
    with pytest.raises(
        HostUnavailable, match=r"unknown system 'debian-31'; known are debian-12, debian-13, ubuntu-24.04"
    ):
        systems.wanted()
    monkeypatch.setenv(systems.ON, systems.this_system())
    assert systems.wanted() is None


ACCOUNTS = """\
root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
ann:x:1000:1000:Ann,,,:/home/ann:/bin/bash
cut-files:x:54321:54321::/home/cut-files:/bin/bash
"""
GROUP = "root:x:0:\nsudo:x:27:ann,root,cut-files\nnogroup:x:65534:\nann:x:1000:\nfamily:x:1500:ann\n"


def test_nobody_of_this_machine_is_in_that_one(tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    given = {
        "passwd": ACCOUNTS,
        "shadow": "root:*:1::::::\nann:$y$secret:1::::::\n",
        "group": GROUP,
        "gshadow": "root:*::\nsudo:*::ann,root\nfamily:!::ann\n",
        "subuid": "ann:100000:65536\n",
        "login.defs": "# UID_MIN is\nUID_MIN\t\t\t 1000\n#GID_MIN 1000\nUID_MAX 60000\n",
    }
    for name, text in given.items():
        (etc / name).write_text(text)
    Disk(None, bare=False, share=()).empty_of_people(tmp_path)
    left = {name: (etc / name).read_text() for name in given}
    assert left["passwd"] == "".join(ACCOUNTS.splitlines(keepends=True)[:2])
    assert left["shadow"] == "root:*:1::::::\n"
    assert left["group"] == "root:x:0:\nsudo:x:27:root\nnogroup:x:65534:\n"
    assert left["gshadow"] == "root:*::\nsudo:*::root\n"
    assert left["subuid"] == ""
    assert not (etc / "subgid").exists()
    first = int(left["login.defs"].splitlines()[1].split()[1])
    assert 30000 <= first < 60000


def test_a_machine_has_names_and_numbers_that_nobody_has(machine: Machine) -> None:
    """Whoever works here may be called as a test's user is: no account, no home and no settings of theirs are there."""
    accounts = [line.split(":") for line in machine.run(["getent", "passwd"]).stdout.splitlines()]
    assert [fields[0] for fields in accounts if int(fields[2]) >= 1000] == ["nobody"]
    assert machine.run(["ls", "-A", "/home"]).stdout == ""
    assert machine.run(["sh", "-c", "cd /root; ls -d .gitconfig .tmux.conf .config/mosaic || :"]).stdout == ""
    uid = machine.useradd("ann")
    assert uid >= 30000
    assert machine.run(["sh", "-c", "pwck -qr && grpck -qr"], check=False).returncode == 0
