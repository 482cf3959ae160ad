"""Contracts and profiles of a commit: `roles/*.md` and `profiles/*.yaml`, read like the files of the root."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import InvalidConfig, Refused
from tests.source.conftest import ROSTER, Look, Repo

Calls = Callable[[], list[str]]


def put(repo: Repo, name: str, text: str = "x\n") -> None:
    path = repo.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_they_are_read_with_the_others(repo: Repo, look: Look) -> None:
    for name in ("roles/code.md", "profiles/research.yaml", "roles/README.md", "roles/notes.txt", "roles/deep/x.md"):
        put(repo, name, name)
    repo.commit("contracts")
    source = look(repo.path)
    assert dict(source.files) == {
        "roster.yaml": ROSTER.encode(), "roles/code.md": b"roles/code.md",
        "profiles/research.yaml": b"profiles/research.yaml",
    }  # fmt: skip
    assert source.dirty == ()


def test_they_cost_one_process_however_many_there_are(repo: Repo, look: Look, calls: Calls) -> None:
    counted = []
    for count in (0, 1, 150):
        for at in range(count):
            put(repo, f"roles/class{at}.md")
            put(repo, f"profiles/type{at}.yaml")
        repo.commit(f"with {count}")
        calls()
        assert len(look(repo.path).files) == 1 + 2 * count
        counted.append(len([line for line in calls() if "cat-file" in line]))
    assert counted == [3, 4, 4]
    assert look(repo.path).dirty == ()
    assert calls() == [], "a commit that is known costs no process"


def test_edits_that_are_not_committed_are_told(repo: Repo, look: Look) -> None:
    put(repo, "roles/code.md")
    put(repo, "roles/review.md")
    repo.commit("contracts")
    put(repo, "roles/code.md", "edited\n")
    put(repo, "roles/new.md")
    put(repo, "roles/README.md")
    (repo.path / "roles" / "review.md").unlink()
    assert look(repo.path).dirty == ("roles/code.md", "roles/new.md", "roles/review.md")


def test_a_link_that_leaves_the_repository(repo: Repo, look: Look) -> None:
    put(repo, "roles/code.md")
    (repo.path / "roles" / "review.md").symlink_to("/etc/passwd")
    repo.commit("link")
    with pytest.raises(Refused, match=r"roles/review\.md is a symlink that leaves the repository"):
        _ = look(repo.path).files


def test_a_folder_that_leaves_the_repository(repo: Repo, look: Look, tmp_path: Path) -> None:
    (repo.path / "roles").symlink_to(tmp_path)
    repo.commit("link")
    with pytest.raises(Refused, match="roles is a symlink that leaves the repository"):
        _ = look(repo.path).files


def test_links_inside_are_followed(repo: Repo, look: Look) -> None:
    put(repo, "shared/code.md", "shared\n")
    (repo.path / "roles").symlink_to("shared")
    (repo.path / "shared" / "review.md").symlink_to("code.md")
    repo.commit("link")
    files = look(repo.path).files
    assert files["roles/code.md"] == files["roles/review.md"] == b"shared\n"


@pytest.mark.parametrize("name", ["roles", "roles/code.md"])
def test_a_submodule_in_its_place(repo: Repo, look: Look, name: str) -> None:
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head()},{name}")
    repo.git("commit", "--quiet", "-m", "submodule")
    with pytest.raises(InvalidConfig, match=f"{name} is not a .* but a submodule"):
        _ = look(repo.path).files


def test_what_is_too_much(repo: Repo, look: Look) -> None:
    put(repo, "roles/code.md", "x" * (64 * 1024 + 1))
    repo.commit("large")
    with pytest.raises(InvalidConfig, match="larger than 64 KiB"):
        _ = look(repo.path).files
    put(repo, "roles/code.md")
    for at in range(200):
        put(repo, f"roles/class{at}.md")
    repo.commit("many")
    with pytest.raises(InvalidConfig, match="roles has 201 files"):
        _ = look(repo.path).files


def test_a_file_that_is_called_like_the_folder_is_nothing_of_ours(repo: Repo, look: Look) -> None:
    put(repo, "roles", "a list\n")
    repo.commit("file")
    source = look(repo.path)
    assert dict(source.files) == {"roster.yaml": ROSTER.encode()}
    assert source.dirty == ()


def test_a_name_that_git_cannot_be_asked_for(repo: Repo, look: Look) -> None:
    put(repo, "roles/a\nb.md")
    put(repo, "roles/code.md")
    repo.commit("odd name")
    assert sorted(look(repo.path).files) == ["roles/code.md", "roster.yaml"]


def test_what_an_older_version_remembers_of_a_commit_is_looked_at_again(
    repo: Repo, look: Look, state_dir: Path
) -> None:
    put(repo, "roles/code.md")
    repo.commit("contract")
    look(repo.path)
    path = state_dir / "source.json"
    known = json.loads(path.read_text())
    del known["commit"]["blobs"]["roles/code.md"]
    path.write_text(json.dumps({**known, "version": 1}))
    assert look(repo.path, fetch=False).revision == repo.head(), "nothing is lost where the source cannot be asked"
    assert "roles/code.md" in look(repo.path).files
