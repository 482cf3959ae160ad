"""What is read, from where, and what it costs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.context.settings import Settings
from reconciler.errors import InvalidConfig, NotFound, Usage
from reconciler.source.fetch import open_source
from tests.source.conftest import NOW, ROSTER, Look, Repo, snapshot

Calls = Callable[[], list[str]]


def test_a_working_tree(repo: Repo, look: Look) -> None:
    source = look(repo.path)
    assert source.revision == repo.head()
    assert source.ref == "refs/heads/main"
    assert dict(source.files) == {"roster.yaml": ROSTER.encode()}
    assert (source.subject, source.author) == ("first", "Ada <ada@example.org>")
    assert source.fetched_at == NOW
    assert source.stale_error is None
    assert source.dirty == ()


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_bare_repository(repo: Repo, look: Look, tmp_path: Path, form: str) -> None:
    bare = repo.bare(tmp_path / "with space.git")
    source = look(form.format(bare).replace(" ", "%20" if "file" in form else " "))
    assert source.revision == repo.head()
    assert source.dirty == ()


def test_a_url(repo: Repo, look: Look, remote: str) -> None:
    source = look(remote)
    assert (source.revision, source.ref) == (repo.head(), "refs/heads/main")
    assert source.files["roster.yaml"] == ROSTER.encode()


def test_an_unchanged_local_source_costs_no_process(repo: Repo, look: Look, calls: Calls) -> None:
    look(repo.path)
    assert calls()
    again = look(repo.path, now=NOW + 60)
    assert again.revision == repo.head()
    assert again.dirty == ()
    assert again.fetched_at == NOW + 60
    assert calls() == []


def test_an_unchanged_remote_costs_one_process(repo: Repo, look: Look, remote: str, calls: Calls) -> None:
    look(remote)
    calls()
    assert look(remote).revision == repo.head()
    assert [line.split()[0] for line in calls()] == ["ls-remote"]


def test_a_look_imports_neither_gitpython_nor_pydantic(repo: Repo, state_dir: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from reconciler.context.settings import Settings;"
        "from reconciler.source.fetch import open_source;"
        f"s = open_source({str(repo.path)!r}, settings=Settings(), state_dir=Path({str(state_dir)!r}), now=1.0);"
        "s.files, s.dirty; print(sorted({'git', 'pydantic', 'ruamel', 'deepdiff', 'watchdog'} & set(sys.modules)))"
    )
    for _run in range(2):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"


def test_a_new_commit_is_taken(repo: Repo, look: Look) -> None:
    first = look(repo.path)
    second = repo.commit("second", roster=ROSTER + "# two\n", fleet="name: x\n", NORTH_STAR="version: 1\n")
    source = look(repo.path)
    assert source.revision == second
    assert set(source.files) == {"roster.yaml", "fleet.yaml", "NORTH_STAR.yaml"}
    assert source.descends_from(first.revision)
    assert not first.descends_from(second)
    assert source.at(first.revision).files == {"roster.yaml": ROSTER.encode()}


def test_a_commit_that_is_not_in_our_copy_has_no_files(repo: Repo, look: Look) -> None:
    source = look(repo.path).at("0" * 40)
    assert source.revision == "0" * 40
    with pytest.raises(InvalidConfig, match="cannot be read"):
        _ = source.files


def test_only_committed_state_counts_and_dirt_is_named(repo: Repo, look: Look) -> None:
    (repo.path / "roster.yaml").write_text("version: 2\n")
    (repo.path / "fleet.yaml").write_text("name: new\n")
    (repo.path / "notes.txt").write_text("no spec file\n")
    before = snapshot(repo.path)
    source = look(repo.path)
    assert source.files["roster.yaml"] == ROSTER.encode()
    assert source.dirty == ("fleet.yaml", "roster.yaml")
    assert snapshot(repo.path) == before, "the operator's own tree is never touched"
    (repo.path / "roster.yaml").unlink()
    assert "roster.yaml" in look(repo.path).dirty
    os.mkfifo(repo.path / "roster.yaml")
    assert "roster.yaml" in look(repo.path).dirty, "a named pipe does not block"


def test_a_staged_change_is_dirt_too(repo: Repo, look: Look) -> None:
    (repo.path / "roster.yaml").write_text("version: 2\n")
    repo.git("add", "roster.yaml")
    assert look(repo.path).dirty == ("roster.yaml",)


def test_another_branch_has_no_dirt(repo: Repo, look: Look) -> None:
    repo.git("branch", "stable")
    (repo.path / "roster.yaml").write_text("version: 2\n")
    assert look(repo.path, settings=Settings(ref="stable")).dirty == ()
    assert look(repo.path, settings=Settings(ref="main")).dirty == ("roster.yaml",)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("remote_", [False, True])
def test_branches_and_tags(repo: Repo, look: Look, remote: str, calls: Calls, packed: bool, remote_: bool) -> None:
    first = repo.head()
    repo.git("tag", "light")
    repo.git("tag", "-a", "-m", "annotated", "v1")
    repo.git("branch", "team/stable")
    repo.commit("second", roster=ROSTER + "#\n")
    repo.git("push", "--quiet", "--tags", "origin", "main", "team/stable")
    if packed:
        repo.git("pack-refs", "--all")
    spec = remote if remote_ else str(repo.path)
    for ref in ("light", "v1", "team/stable", "refs/tags/v1", "refs/heads/team/stable"):
        settings = Settings(ref=ref)
        assert look(spec, settings=settings).revision == first, ref
        calls()
        assert look(spec, settings=settings).revision == first
        assert len(calls()) == (1 if remote_ else 0), ref
    assert look(spec).revision == repo.head()


@pytest.mark.parametrize("ref", ["gone", "refs/heads/gone"])
def test_a_ref_that_is_not_there(repo: Repo, look: Look, remote: str, ref: str) -> None:
    for spec in (str(repo.path), remote):
        with pytest.raises(NotFound, match="no branch or tag"):
            look(spec, settings=Settings(ref=ref))


@pytest.mark.parametrize("ref", ["-x", "a..b", "a b", "a:b", "@", "x@{1}", "*", "a\nb", "a.lock", "../x", "/etc"])
def test_a_ref_that_cannot_be(repo: Repo, look: Look, ref: str) -> None:
    with pytest.raises(InvalidConfig):
        look(repo.path, settings=Settings(ref=ref))


def test_a_name_that_is_a_branch_and_a_tag(repo: Repo, look: Look, remote: str) -> None:
    repo.git("tag", "both")
    repo.git("branch", "both")
    repo.git("push", "--quiet", "origin", "refs/tags/both", "refs/heads/both")
    for spec in (str(repo.path), remote):
        with pytest.raises(InvalidConfig, match="both a branch and a tag"):
            look(spec, settings=Settings(ref="both"))


def test_a_detached_head_and_a_switched_branch(repo: Repo, look: Look) -> None:
    first = repo.head()
    second = repo.commit("second")
    repo.git("checkout", "--quiet", "--detach", first)
    assert (look(repo.path).ref, look(repo.path).revision) == ("HEAD", first)
    repo.git("checkout", "--quiet", "-b", "other", second)
    assert (look(repo.path).ref, look(repo.path).revision) == ("refs/heads/other", second)


def test_a_linked_worktree(repo: Repo, look: Look, tmp_path: Path, calls: Calls) -> None:
    repo.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    side = tmp_path / "side"
    (side / "roster.yaml").write_text("version: 2\n")
    source = look(side)
    assert (source.ref, source.dirty) == ("refs/heads/side", ("roster.yaml",))
    calls()
    look(side)
    assert calls() == []


def test_a_repository_with_sha256_ids(look: Look, tmp_path: Path) -> None:
    repo = Repo(tmp_path / "sha256", "--object-format=sha256")
    first = repo.commit("first", roster=ROSTER)
    source = look(repo.path)
    assert len(source.revision) == 64
    assert source.dirty == ()
    repo.commit("second", roster=ROSTER + "#\n")
    preview = look(repo.path, preview=True)
    assert preview.files["roster.yaml"].endswith(b"#\n")
    assert preview.descends_from(first)


def test_ref_storage_that_only_git_can_read(repo: Repo, look: Look, calls: Calls) -> None:
    (repo.path / ".git" / "reftable").mkdir()
    assert look(repo.path).revision == repo.head()
    calls()
    look(repo.path)
    assert len(calls()) == 1


def test_what_is_no_repository(repo: Repo, look: Look, tmp_path: Path) -> None:
    (repo.path / "sub").mkdir()
    with pytest.raises(NotFound, match="not a git repository") as inside:
        look(repo.path / "sub")
    assert str(repo.path) in inside.value.help
    with pytest.raises(NotFound, match="does not exist"):
        look(tmp_path / "nowhere")
    empty = Repo(tmp_path / "empty")
    with pytest.raises(NotFound, match="no commits"):
        look(empty.path)


@pytest.mark.parametrize("form", ["path", "url", "packed", "reftable"])
def test_a_head_without_its_branch(repo: Repo, look: Look, remote: str, tmp_path: Path, form: str) -> None:
    bare = tmp_path / "remote.git"
    repo.git("push", "--quiet", "origin", "main:other/one")
    repo.git("-C", str(bare), "symbolic-ref", "HEAD", "refs/heads/master")
    if form == "packed":
        repo.git("-C", str(bare), "pack-refs", "--all")
    if form == "reftable":
        (bare / "reftable").mkdir()
    spec = remote if form == "url" else str(bare)
    with pytest.raises(NotFound, match=r"no commits on .*, where its HEAD points; .*: main, other/one$") as caught:
        look(spec)
    assert "`ref` in reconcile.toml" in caught.value.help
    assert "git symbolic-ref HEAD refs/heads/main" in caught.value.help
    assert look(spec, settings=Settings(ref="other/one"), force=True).revision == repo.head()
    repo.git("-C", str(bare), "symbolic-ref", "HEAD", "refs/heads/main")
    assert look(spec).revision == repo.head()


def test_a_working_tree_whose_branch_is_new(repo: Repo, look: Look) -> None:
    repo.git("symbolic-ref", "HEAD", "refs/heads/new")
    with pytest.raises(NotFound, match=r"no commits on new, .*: main$") as caught:
        look(repo.path)
    assert "git switch main" in caught.value.help
    for number in range(9):
        repo.git("branch", f"b{number}", "main")
    with pytest.raises(NotFound, match=r"b0, b1, b2, b3, b4 and 5 more$") as caught:
        look(repo.path)
    assert "git switch main" in caught.value.help


def test_no_fetch_uses_what_is_there(repo: Repo, look: Look, calls: Calls) -> None:
    with pytest.raises(NotFound, match="fetched yet"):
        look(repo.path, fetch=False)
    first = look(repo.path).revision
    repo.commit("second")
    calls()
    source = look(repo.path, fetch=False, now=NOW + 99)
    assert (source.revision, source.fetched_at, source.stale_error) == (first, NOW, None)
    assert calls() == []
    with pytest.raises(NotFound, match="fetched yet"):
        look(repo.path / ".git", fetch=False)


@pytest.mark.parametrize("remote_", [False, True])
def test_a_preview_writes_nothing(repo: Repo, look: Look, remote: str, state_dir: Path, remote_: bool) -> None:
    spec = remote if remote_ else str(repo.path)
    with look(spec, preview=True) as source:
        assert source.files
        scratch = source.checkout.path
        assert scratch.is_dir()
    assert not scratch.exists()
    assert not state_dir.exists()
    first = look(spec).revision
    second = repo.commit("second", roster=ROSTER + "#\n")
    repo.git("push", "--quiet", "origin", "main")
    before = snapshot(state_dir)
    with look(spec, preview=True, now=NOW + 5) as source:
        assert source.revision == second
        assert source.files["roster.yaml"].endswith(b"#\n")
        assert source.descends_from(first)
        assert source.at(first).files["roster.yaml"] == ROSTER.encode()
    look(spec, preview=True).close()
    assert snapshot(state_dir) == before


def test_a_git_environment_around_us_does_not_matter(
    repo: Repo, look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repo(tmp_path / "other")
    other.commit("other", roster="version: 9\n")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert look(repo.path).files["roster.yaml"] == ROSTER.encode()


def test_a_relative_path_is_made_absolute(repo: Repo, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.path.parent)
    assert look(repo.path.name).spec == str(repo.path)


@pytest.mark.parametrize(
    "spec", ["", "-oProxyCommand=x", "--upload-pack=x", "a\nb", "-x:y", "ssh://-oProxyCommand=x/y"]
)
def test_a_spec_that_git_would_misread(look: Look, spec: str) -> None:
    with pytest.raises(Usage):
        look(spec)


def test_credentials_are_not_shown(look: Look, state_dir: Path) -> None:
    with pytest.raises(Exception, match="ls-remote") as caught:
        look("https://ada:s3cr3t@127.0.0.1:1/x", settings=Settings(fetch_timeout=20))
    assert "s3cr3t" not in str(caught.value)
    assert "s3cr3t" not in (state_dir / "source.json").read_text()


def test_changing_the_source_forgets_the_old_revision(repo: Repo, look: Look, tmp_path: Path) -> None:
    look(repo.path)
    other = Repo(tmp_path / "other")
    sha = other.commit("other", roster="version: 9\n")
    assert look(other.path).revision == sha
    with pytest.raises(NotFound):
        open_source(str(repo.path), settings=Settings(), state_dir=tmp_path / "state", now=NOW, fetch=False)
