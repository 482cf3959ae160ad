"""A change of the fleet and git: when no commit is made, hooks, being killed in between, pushing, bare repositories."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.context.settings import Settings, settings_path, write_settings
from tests.commands.calling import fleet
from tests.commands.repository import ROSTER, RULES, Repository
from tests.hosts.namespace import CHECKOUT
from tests.hosts.waiting import eventually

PATIENCE = 60.0  # seconds; two cores may be shared by many


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return Repository.make(tmp_path / "fleet")


def test_uncommitted_edits_of_the_roster_do_not_get_into_it(repo: Repository) -> None:
    mine = ROSTER + "# mine\n"
    (repo.path / "roster.yaml").write_text(mine)
    for _ in ("edited", "staged"):
        said = repo.call("stop", "coder0")
        assert said.code == 5
        assert "there are edits in roster.yaml that are not committed" in said.err
        assert f"git -C {repo.path} diff HEAD -- roster.yaml" in said.err
        assert (repo.roster, repo.subjects) == (mine, ["first"])
        repo.git("add", "roster.yaml")
    assert repo.call("stop", "coder0", "--no-commit").code == 0
    assert repo.roster.endswith("# mine\n")


def test_the_other_file_counts_as_it_is_committed(repo: Repository) -> None:
    """With the edit the change would be right, and with what will be in force it is not."""
    (repo.path / "fleet.yaml").write_text("version: 1\nfloor: none\n")
    said = repo.call("remove", "helper")
    assert said.code == 5
    assert "the fleet has no enhancer" in said.err
    said = repo.call("stop", "helper")
    assert said.code == 0
    assert "not committed stay as they are, and are not in force: fleet.yaml" in said.err
    assert repo.call("remove", "helper", "--no-commit").code == 0


def test_a_roster_that_was_never_committed(tmp_path: Path) -> None:
    repo = Repository.make(tmp_path / "fleet")
    repo.git("rm", "--quiet", "--cached", "roster.yaml")
    repo.git("commit", "--quiet", "-m", "without")
    said = repo.call("stop", "coder0")
    assert said.code == 5
    assert "was never committed" in said.err
    (repo.path / "roster.yaml").unlink()
    said = repo.call("stop", "coder0")
    assert said.code == 4
    assert f"make a fleet there: mosaic fleet init {repo.path}" in said.err


def test_a_repository_without_any_commit(tmp_path: Path) -> None:
    (tmp_path / "roster.yaml").write_text(ROSTER)
    repo = Repository(tmp_path)
    repo.git("init", "--quiet", "--initial-branch=main")
    assert repo.call("stop", "coder0").code == 5


def test_no_repository(tmp_path: Path) -> None:
    assert fleet("stop", "coder0", "--fleet", str(tmp_path)).code == 4
    assert fleet("stop", "coder0", "--fleet", str(tmp_path / "none")).code == 4


def test_a_detached_head(repo: Repository) -> None:
    repo.git("checkout", "--quiet", "--detach")
    said = repo.call("stop", "coder0")
    assert said.code == 5
    assert "no branch is checked out" in said.err
    assert f"git -C {repo.path} switch main" in said.err
    assert repo.untouched()


def test_a_branch_that_is_not_the_one_that_is_reconciled(repo: Repository) -> None:
    write_settings(settings_path(Path.home() / ".config"), Settings(source=str(repo.path), ref="main"))
    repo.git("switch", "--quiet", "--create", "idea")
    said = repo.call("stop", "coder0")
    assert said.code == 5
    assert "has the branch idea checked out, and this host reconciles main" in said.err
    assert repo.untouched()
    repo.git("switch", "--quiet", "main")
    assert repo.call("stop", "coder0").code == 0
    write_settings(settings_path(Path.home() / ".config"), Settings(source=str(repo.path), ref="refs/heads/main"))
    assert repo.call("start", "coder0").code == 0


@pytest.mark.parametrize("what", ["merge", "rebase", "cherry-pick", "revert"])
def test_in_the_middle_of_something(repo: Repository, what: str) -> None:
    repo.git("switch", "--quiet", "--create", "idea")
    (repo.path / "notes.txt").write_text("theirs\n")
    repo.git("commit", "--quiet", "-am", "theirs")
    repo.git("switch", "--quiet", "main")
    (repo.path / "notes.txt").write_text("ours\n")
    repo.git("commit", "--quiet", "-am", "ours")
    (repo.path / "notes.txt").write_text("later\n")
    repo.git("commit", "--quiet", "-am", "later")
    repo.git(what, {"revert": "HEAD~1"}.get(what, "idea"), ok=False)
    before = repo.git("status", "--porcelain")
    said = repo.call("stop", "coder0")
    assert said.code == 5
    assert f"a {what} is in progress" in said.err
    assert repo.git("status", "--porcelain") == before
    assert "UU notes.txt" in before


def test_git_does_not_know_who_it_is(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{name}_NAME")
        monkeypatch.delenv(f"GIT_{name}_EMAIL")
    repo.git("config", "user.useConfigOnly", "true")
    said = repo.call("stop", "coder0")
    assert said.code == 5
    assert "git does not know who you are" in said.err
    assert "git config --global user.name" in said.err
    assert repo.untouched()


def test_a_tree_that_cannot_be_written(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_args: object, **_words: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("reconciler.changes.commit.write_atomic", read_only)
    said = repo.call("stop", "coder0")
    assert said.code == 1
    assert f"{repo.path}/roster.yaml cannot be written: Read-only file system" in said.err
    assert repo.untouched()


def test_hooks_run_as_for_any_commit_of_theirs(repo: Repository) -> None:
    repo.hook("pre-commit", "git diff --cached --name-only >seen; env | grep -c ^GIT_LITERAL >>seen || true")
    repo.hook("commit-msg", 'echo "Signed-off-by: me" >>"$1"')
    assert repo.call("stop", "coder0").code == 0
    assert (repo.path / "seen").read_text() == "roster.yaml\n0\n"
    assert repo.git("show", "-s", "--format=%B").endswith("Signed-off-by: me")


def test_what_a_hook_puts_into_the_commit_is_no_edit_afterwards(repo: Repository) -> None:
    """A formatter, as a rule. Or the next change would be refused for the sake of edits that nobody made."""
    repo.hook("pre-commit", "echo '# formatted' >>roster.yaml; git add roster.yaml")
    (repo.path / "other").write_text("mine")
    repo.git("add", "other")
    for verb in ("stop", "start"):
        said = repo.call(verb, "coder0")
        assert said.code == 0, said.err
    assert repo.git("show", "HEAD:roster.yaml").count("# formatted") == 2
    assert repo.git("status", "--porcelain").split() == ["A", "other"]


def test_a_hook_that_refuses(repo: Repository) -> None:
    repo.hook("pre-commit", "echo 'lint: no stops on a Friday' >&2; exit 1")
    said = repo.call("stop", "coder0")
    assert said.code == 1
    assert "git did not commit, and nothing was changed" in said.err
    assert "  lint: no stops on a Friday" in said.err
    assert repo.untouched()
    assert repo.roster == ROSTER


def test_what_a_refusing_hook_has_changed_is_left(repo: Repository) -> None:
    repo.hook("pre-commit", "echo '# formatted' >>roster.yaml; exit 1")
    said = repo.call("stop", "coder0")
    assert said.code == 1
    assert "roster.yaml was changed meanwhile, by a hook perhaps, and is left as it is" in said.err
    assert repo.roster.endswith("# formatted\n")


def test_a_new_file_is_committed_or_not_there(tmp_path: Path) -> None:
    repo = Repository.make(tmp_path / "fleet", rules=None)
    repo.hook("pre-commit", "exit 1")
    said = repo.call("suspend", "coder0", "--reason", "pairing")
    assert said.code == 1
    assert repo.untouched()
    (repo.path / ".git" / "hooks" / "pre-commit").unlink()
    said = repo.call("suspend", "coder0", "--reason", "pairing", "--by", "ada")
    assert said.code == 0
    assert "fleet.yaml is new; `floor: none` is what held without it" in said.err
    assert repo.git("show", "HEAD:fleet.yaml").startswith("version: 1\nfloor: none\nsuspend:\n  - agent: coder0\n")
    assert repo.git("status", "--porcelain") == ""


def test_a_file_that_git_does_not_know_is_not_taken(tmp_path: Path) -> None:
    repo = Repository.make(tmp_path / "fleet", rules=None)
    (repo.path / "fleet.yaml").write_text("version: 1\nname: mine\n")
    said = repo.call("suspend", "coder0", "--reason", "pairing")
    assert said.code == 5
    assert (repo.path / "fleet.yaml").read_text() == "version: 1\nname: mine\n"


def test_other_places_that_git_knows(repo: Repository, tmp_path: Path) -> None:
    """A linked worktree; a roster that is a link; line ends that git converts."""
    other = Repository(tmp_path / "linked")
    repo.git("worktree", "add", "--quiet", "-b", "linked", str(other.path))
    assert other.call("stop", "coder0").code == 0
    assert (other.subjects[0], repo.roster) == ("Stop coder0", ROSTER)
    (repo.path / "sub").mkdir()
    (repo.path / "roster.yaml").rename(repo.path / "sub" / "real.yaml")
    (repo.path / "roster.yaml").symlink_to("sub/real.yaml")
    repo.git("add", ".")
    repo.git("commit", "--quiet", "-m", "move")
    assert repo.call("stop", "coder0").code == 0
    assert (repo.path / "roster.yaml").is_symlink()
    assert repo.git("show", "--name-only", "--format=") == "sub/real.yaml"
    (repo.path / "roster.yaml").unlink()
    (repo.path / "roster.yaml").symlink_to("/etc/hostname")
    assert repo.call("start", "coder0").code == 5


def test_line_ends_that_git_converts(tmp_path: Path) -> None:
    repo = Repository.make(tmp_path / "fleet")
    repo.git("config", "core.autocrlf", "true")
    (repo.path / "roster.yaml").unlink()
    repo.git("checkout", "roster.yaml")
    assert b"\r\n" in (repo.path / "roster.yaml").read_bytes()
    assert repo.call("stop", "coder0").code == 0
    assert repo.git("diff", "--stat", "HEAD~1").endswith("1 file changed, 1 insertion(+)")
    assert (repo.path / "roster.yaml").read_bytes().count(b"\r\n") == ROSTER.count("\n") + 1
    assert repo.git("status", "--porcelain") == ""


def test_two_at_once_both_come_through(repo: Repository) -> None:
    started = [_start(repo, "stop", name) for name in ("coder0", "helper", "lead")]
    for process in started:
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
    assert repo.roster.count("state: stopped") == 3
    assert sorted(repo.subjects) == ["Stop coder0", "Stop helper", "Stop lead", "first"]


def _start(repo: Repository, *words: str) -> subprocess.Popen[str]:
    code = "from reconciler.commands.mosaic import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "fleet", *words, "--fleet", str(repo.path)],
        cwd=repo.path,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _in_its_hook(repo: Repository) -> subprocess.Popen[str]:
    """A change whose pre-commit hook has begun, and goes on when somebody reads from the pipe `go`."""
    os.mkfifo(repo.path / ".git" / "go")
    repo.hook("pre-commit", "echo begun >.git/begun; echo on >.git/go")
    process = _start(repo, "stop", "coder0")
    eventually((repo.path / ".git" / "begun").exists, timeout=PATIENCE, what="the hook's begin")
    return process


def test_killed_in_the_middle_git_brings_it_to_its_end(repo: Repository) -> None:
    process = _in_its_hook(repo)
    process.kill()
    assert process.wait(timeout=PATIENCE) == -signal.SIGKILL
    (repo.path / ".git" / "go").read_text()
    eventually(lambda: repo.subjects == ["Stop coder0", "first"], timeout=PATIENCE, what="the commit")
    eventually(lambda: not list((repo.path / ".git").glob("*.lock")), timeout=PATIENCE, what="git's end")
    assert repo.git("status", "--porcelain") == ""
    process.communicate(timeout=PATIENCE)


def test_killed_before_the_commit_the_file_is_the_new_one_and_nothing_is_odd(repo: Repository) -> None:
    """As if git had never been called: the next change says what is there."""
    code = (
        "import os, signal, reconciler.changes.commit as c\n"
        "c._git = lambda *_a, **_k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from reconciler.commands.mosaic import main; main()"
    )
    argv = [sys.executable, "-c", code, "fleet", "stop", "coder0", "--fleet", str(repo.path)]
    done = subprocess.run(
        argv, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, capture_output=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == -signal.SIGKILL
    assert (repo.subjects, repo.git("status", "--porcelain")) == (["first"], "M roster.yaml")
    assert "    state: stopped\n" in repo.roster
    assert repo.call("stop", "coder0").code == 5
    said = repo.call("start", "coder0")
    assert (said.code, said.out) == (0, "nothing to change\n")
    assert "not committed stay as they are, and are not in force: roster.yaml" in said.err
    repo.git("checkout", "roster.yaml")
    assert repo.call("stop", "coder0").code == 0


def test_ended_politely_it_takes_everything_back(repo: Repository) -> None:
    process = _in_its_hook(repo)
    process.terminate()
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143, err
    assert repo.untouched()
    assert repo.roster == ROSTER


# --- pushing, and repositories without files ---


@pytest.fixture
def bare(tmp_path: Path, repo: Repository) -> Repository:
    """A bare repository that `repo` was pushed to."""
    path = tmp_path / "bare.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)], check=True, timeout=60)
    repo.git("remote", "add", "hub", str(path))
    repo.git("push", "--quiet", "--set-upstream", "hub", "main")
    return Repository(path)


def test_push(repo: Repository, bare: Repository) -> None:
    said = repo.call("stop", "coder0", "--push")
    assert said.code == 0, said.err
    assert "; pushed to hub/main\n" in said.out
    assert bare.git("rev-parse", "main") == repo.head


def test_a_push_that_is_not_taken_leaves_the_commit(repo: Repository, bare: Repository, tmp_path: Path) -> None:
    assert fleet("stop", "helper", "--fleet", str(bare.path)).code == 0
    said = repo.call("stop", "coder0", "--push")
    assert said.code == 69
    assert "the commit is made, and stays in" in said.err
    assert "pull --rebase" in said.err
    assert repo.subjects == ["Stop coder0", "first"]
    repo.git("branch", "--unset-upstream")
    said = repo.call("start", "coder0", "--push")
    assert said.code == 69
    assert "main has no branch to be pushed to" in said.err
    del tmp_path


def test_a_bare_repository_is_changed_by_way_of_a_clone(
    bare: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    for where in (str(bare.path), f"file://{bare.path}"):
        verb = "stop" if where.startswith("/") else "start"
        said = fleet(verb, "coder0", "--fleet", where)
        assert said.code == 0, said.err
        assert f"to main in {bare.path}: " in said.out
        assert f"; pushed to {bare.path}\n" in said.out
        assert list((tmp_path / "scratch").iterdir()) == []
    assert bare.git("log", "--format=%s", "main").splitlines() == ["Start coder0", "Stop coder0", "first"]
    assert "state: stopped" in bare.git("show", "main~1:roster.yaml")
    said = fleet("stop", "coder0", "--fleet", str(bare.path), "--no-commit")
    assert said.code == 64
    assert fleet("stop", "coder0", "--fleet", str(bare.path), "--dry-run").code == 0
    assert bare.git("log", "--format=%s", "main").splitlines()[0] == "Start coder0"


def test_a_bare_repository_that_takes_nothing(bare: Repository) -> None:
    hook = bare.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'closed on Sundays' >&2\nexit 1\n")
    hook.chmod(0o755)
    said = fleet("stop", "coder0", "--fleet", str(bare.path))
    assert said.code == 69
    assert "did not accept the commit, so nothing was changed:\n  remote: closed on Sundays\n" in said.err
    assert "! [remote rejected] main -> main (pre-receive hook declined)" in said.err
    assert bare.git("log", "--format=%s", "main") == "first"


def test_a_push_to_a_branch_that_is_checked_out_there(repo: Repository, tmp_path: Path) -> None:
    there = tmp_path / "there"
    subprocess.run(["git", "clone", "--quiet", str(repo.path), str(there)], check=True, timeout=60)
    repo.git("remote", "add", "hub", str(there))
    repo.git("fetch", "--quiet", "hub")
    repo.git("branch", "--set-upstream-to=hub/main")
    said = repo.call("stop", "coder0", "--push")
    assert said.code == 69
    assert "! [remote rejected] main -> main (branch is currently checked out)" in said.err
    assert "git config receive.denyCurrentBranch updateInstead" in said.err
    subprocess.run(["git", "config", "receive.denyCurrentBranch", "updateInstead"], cwd=there, check=True, timeout=60)
    assert repo.call("stop", "helper", "--push").code == 0
    assert (there / "roster.yaml").read_bytes() == (repo.path / "roster.yaml").read_bytes()


def test_somebody_else_was_quicker(bare: Repository, repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.changes.commit import push_back

    def late(*args: Any) -> None:
        assert repo.call("stop", "helper", "--push").code == 0
        push_back(*args)

    monkeypatch.setattr("reconciler.changes.make_change.push_back", late)
    said = fleet("stop", "coder0", "--fleet", str(bare.path))
    assert said.code == 5
    assert "somebody else has pushed" in said.err
    assert bare.git("log", "--format=%s", "main").splitlines()[0] == "Stop helper"


def test_a_tag_is_no_place_for_a_commit(bare: Repository) -> None:
    bare.git("tag", "v1", "main")
    write_settings(settings_path(Path.home() / ".config"), Settings(source=str(bare.path), ref="v1"))
    said = fleet("stop", "coder0")
    assert said.code == 5
    assert "is a tag, and a commit needs a branch" in said.err


def test_only_the_protocols_of_a_source(repo: Repository) -> None:
    said = fleet("stop", "coder0", "--fleet", "ext::sh -c true")
    assert said.code == 5
    assert "protocol 'ext' is not allowed" in said.err
    repo.git("config", "protocol.ext.allow", "always")
    repo.git("remote", "add", "odd", "ext::touch odd")
    repo.git("config", "branch.main.remote", "odd")
    repo.git("config", "branch.main.merge", "refs/heads/main")
    said = repo.call("stop", "coder0", "--push")
    assert said.code == 69
    assert not (repo.path / "odd").exists()
    assert RULES in (repo.path / "fleet.yaml").read_text()
