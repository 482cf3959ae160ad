"""A source that is gone, silent, broken or half-written: the last revision stays, with the reason and the next try."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from providers.filesystem.bounded_look import NoAnswerError
from providers.filesystem.mounts import Mount
from reconciler.context.settings import Settings
from reconciler.errors import NotFound, Unavailable
from reconciler.git.process import GitTimeout, run_git
from reconciler.source.record import fetch_delay
from tests.source.conftest import NOW, ROSTER, SSH_HERE, Look, Repo, program, snapshot

DEAD = "https://127.0.0.1:1/fleet.git"  # nothing listens there
HANGS_S = 600  # how long a program hangs: nobody waits for its end
PATIENCES = (0.5, 3.0, 20.0)  # seconds for git; on a busy machine a program may not even have begun by then


def hanging_ssh(programs: Path, pid_file: Path) -> None:
    program(programs, "ssh", f"#!/bin/sh\necho $$ > {pid_file}\nsleep {HANGS_S} &\nwait\n")


def ended(pid: int, within_s: float = 60.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        os.sched_yield()
    return False


def test_a_dead_remote_without_a_last_revision(look: Look) -> None:
    with pytest.raises(Unavailable, match=r"git ls-remote .* failed") as caught:
        look(DEAD)
    assert caught.value.exit_code == 69


def test_a_dead_remote_keeps_the_last_revision(look: Look, remote: str, programs: Path) -> None:
    first = look(remote).revision
    program(programs, "ssh", "#!/bin/sh\necho 'Connection refused' >&2\nexit 255\n")
    source = look(remote, now=NOW + 60)
    assert source.revision == first
    assert source.fetched_at == NOW
    assert source.stale_error is not None
    assert "ls-remote" in source.stale_error
    assert source.next_fetch == NOW + 60 + fetch_delay(1)
    assert source.files["roster.yaml"] == ROSTER.encode()


def test_backoff_is_kept_grows_and_ends(
    repo: Repo, look: Look, remote: str, programs: Path, calls: Callable[[], list[str]]
) -> None:
    look(remote)
    program(programs, "ssh", "#!/bin/sh\nexit 255\n")
    now, waits = NOW, []
    for _failure in range(9):
        calls()
        source = look(remote, now=now)
        assert len(calls()) == 1
        assert source.next_fetch is not None
        waits.append(source.next_fetch - now)
        early = look(remote, now=source.next_fetch - 1)
        assert calls() == [], "not asked before its turn"
        assert early.stale_error is not None
        assert early.next_fetch == source.next_fetch
        now = source.next_fetch
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (5.0, 300.0)
    program(programs, "ssh", SSH_HERE)
    second = repo.commit("second")
    repo.git("push", "--quiet", "origin", "main")
    assert look(remote, now=now - 200).stale_error is not None
    back = look(remote, now=now - 200, force=True)
    assert (back.revision, back.stale_error, back.next_fetch) == (second, None, None)
    program(programs, "ssh", "#!/bin/sh\nexit 255\n")
    again = look(remote, now=now)
    assert again.next_fetch == now + fetch_delay(1), "success begins the count anew"


def test_a_clock_that_was_set_back_does_not_silence_the_source(look: Look, remote: str, programs: Path) -> None:
    look(remote)
    program(programs, "ssh", "#!/bin/sh\nexit 255\n")
    look(remote, now=NOW + 1_000_000)
    program(programs, "ssh", SSH_HERE)
    assert look(remote, now=NOW).stale_error is None


def test_a_hanging_remote_is_ended_with_all_it_started(look: Look, programs: Path, tmp_path: Path) -> None:
    hanging_ssh(programs, tmp_path / "pid")
    begin = time.monotonic()
    for patience in PATIENCES:
        with pytest.raises(GitTimeout, match=rf"`git ls-remote .* did not answer within {patience} s"):
            look("ssh://host.invalid/x", force=True, settings=Settings(fetch_timeout=patience))
        if (tmp_path / "pid").exists():
            break
    assert time.monotonic() - begin < HANGS_S / 2
    assert ended(int((tmp_path / "pid").read_text()))


def test_a_fetch_that_hangs_keeps_the_last_revision(
    repo: Repo, look: Look, remote: str, programs: Path, tmp_path: Path
) -> None:
    first = look(remote).revision
    second = repo.commit("second")
    repo.git("push", "--quiet", "origin", "main")
    # Answers the question what is new, then never sends it.
    here = SSH_HERE.replace(
        "exec", f"[ -e {tmp_path}/asked ] && {{ echo $$ > {tmp_path}/pid; exec sleep {HANGS_S}; }}\nexec"
    )
    program(programs, "ssh", here.replace("exec /bin", f"touch {tmp_path}/asked\nexec /bin"))
    for patience in PATIENCES:
        (tmp_path / "asked").unlink(missing_ok=True)
        source = look(remote, force=True, settings=Settings(fetch_timeout=patience))
        if (tmp_path / "pid").exists():
            break
    assert source.revision == first
    assert source.stale_error is not None
    assert "git fetch" in source.stale_error
    assert ended(int((tmp_path / "pid").read_text()))
    program(programs, "ssh", SSH_HERE)
    assert look(remote, force=True).revision == second


def test_locks_of_a_killed_fetch_do_not_stop_the_next(repo: Repo, look: Look, state_dir: Path) -> None:
    look(repo.path)
    for lock in ("shallow.lock", "HEAD.lock", "refs/mosaic/tip.lock"):
        (state_dir / "checkout" / lock).touch()
    second = repo.commit("second")
    source = look(repo.path)
    assert (source.revision, source.stale_error) == (second, None)


def test_a_local_repository_that_went_away_and_came_back(repo: Repo, look: Look, tmp_path: Path) -> None:
    first = look(repo.path).revision
    repo.path.rename(tmp_path / "elsewhere")
    source = look(repo.path, now=NOW + 1)
    assert (source.revision, source.next_fetch) == (first, None)
    assert source.stale_error is not None
    assert "does not exist" in source.stale_error
    assert source.dirty == ()
    (tmp_path / "elsewhere").rename(repo.path)
    assert look(repo.path, now=NOW + 2).stale_error is None, "a path is looked at in every run"


def test_a_repository_on_a_file_system_that_gives_no_answer(
    repo: Repo, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = look(repo.path).revision
    monkeypatch.setattr("providers.filesystem.mounts.Mounts.far", lambda *_: Mount(point="/x", kind="nfs4"))
    second = repo.commit("second")
    assert look(repo.path).revision == second, "it answers"

    def silent(*_: object) -> bool:
        raise NoAnswerError("the file system at /x (nfs4) gives no answer")

    monkeypatch.setattr("providers.filesystem.bounded_look.ask_one", silent)
    repo.commit("third")
    source = look(repo.path)
    assert source.revision == second != first
    assert "gives no answer" in str(source.stale_error)
    assert source.dirty == ()


def test_a_branch_that_was_deleted_keeps_the_last_revision(repo: Repo, look: Look) -> None:
    repo.git("branch", "stable")
    first = look(repo.path, settings=Settings(ref="stable")).revision
    repo.git("branch", "-D", "stable")
    source = look(repo.path, settings=Settings(ref="stable"))
    assert source.revision == first
    assert "no branch or tag" in str(source.stale_error)


@pytest.mark.parametrize("damage", ["gone", "objects", "garbage"])
def test_a_damaged_copy_is_made_anew(repo: Repo, look: Look, state_dir: Path, damage: str) -> None:
    look(repo.path)
    checkout = state_dir / "checkout"
    if damage == "gone":
        shutil.rmtree(checkout)
    for path in (checkout / "objects").rglob("*"):
        if damage == "objects" and path.is_file():
            path.unlink()
        if damage == "garbage" and path.is_file():
            path.chmod(0o600)
            path.write_bytes(b"garbage")
    assert look(repo.path).files["roster.yaml"] == ROSTER.encode()
    second = repo.commit("second", roster="version: 2\n")
    source = look(repo.path)
    assert (source.revision, source.stale_error) == (second, None)
    assert source.files["roster.yaml"] == b"version: 2\n"


def test_a_damaged_copy_and_a_dead_remote_keep_the_revision(
    look: Look, remote: str, programs: Path, state_dir: Path
) -> None:
    first = look(remote).revision
    shutil.rmtree(state_dir / "checkout")
    program(programs, "ssh", "#!/bin/sh\nexit 255\n")
    source = look(remote)
    assert source.revision == first, "a compiled desired state may still be there for it"
    with pytest.raises(Unavailable):
        _ = source.files


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1}', '{"version": 99, "key": ""}', "\x00\x00"])
def test_a_damaged_record_costs_one_fetch(repo: Repo, look: Look, state_dir: Path, content: str) -> None:
    look(repo.path)
    (state_dir / "source.json").write_text(content)
    assert look(repo.path).revision == repo.head()


def test_a_state_folder_that_cannot_be_written(repo: Repo, look: Look, state_dir: Path) -> None:
    state_dir.write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="cannot be kept"):
        look(repo.path)


def test_no_git_at_all(repo: Repo, look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    look(repo.path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="git cannot be run") as caught:
        run_git(["version"], timeout_s=5)
    assert "apt install git" in caught.value.help
    assert look(repo.path).stale_error is None, "an unchanged local source needs no git"


def test_a_repository_of_another_user(repo: Repo, look: Look, tmp_path: Path) -> None:
    bare = repo.bare(tmp_path / "theirs.git")
    for path in (bare, *bare.rglob("*")):
        os.chown(path, 12345, 12345)
    with pytest.raises(Unavailable, match="dubious ownership") as caught:
        look(bare)
    assert "safe.directory" in caught.value.help
    repo.git("config", "--global", "--add", "safe.directory", str(bare))
    assert look(bare).revision == repo.head()


def test_an_interrupt_ends_git_too(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    program(programs, "git", f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 600\n")
    started = tmp_path / "pid"

    def interrupted(*_args: object, **_options: object) -> None:
        deadline = time.monotonic() + 60
        while not (started.exists() and started.read_text().strip()) and time.monotonic() < deadline:
            os.sched_yield()
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_git(["version"], timeout_s=60)
    assert ended(int(started.read_text()))


def test_a_killed_run_leaves_a_state_that_the_next_one_takes(repo: Repo, look: Look, state_dir: Path) -> None:
    """Killed after the fetch and before the record: the next run fetches again and comes to the same end."""
    look(repo.path)
    record = (state_dir / "source.json").read_bytes()
    second = repo.commit("second")
    look(repo.path)
    (state_dir / "source.json").write_bytes(record)
    assert look(repo.path).revision == second
    before = snapshot(state_dir / "checkout" / "refs")
    assert look(repo.path).revision == second
    assert snapshot(state_dir / "checkout" / "refs") == before


def test_not_found_has_a_way_out(look: Look, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        look(tmp_path / "nowhere")
    assert "https, ssh, file" in caught.value.help
