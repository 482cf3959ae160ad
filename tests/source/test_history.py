"""The commits that a preview is about."""

from __future__ import annotations

from pathlib import Path

from reconciler.git.log import history
from tests.source.conftest import ROSTER, Look, Repo


def test_commits_are_told_newest_first(repo: Repo, look: Look) -> None:
    first = look(repo.path).revision
    repo.commit("add \x1b[31ma fleet file", fleet="name: x\n")
    repo.commit("notes only")
    repo.commit("both", roster=ROSTER + "#\n", NORTH_STAR="version: 1\n")
    source = look(repo.path)
    lines = history(source.checkout, first, source.revision)
    assert [line.subject for line in lines] == ["both", "notes only", "add  [31ma fleet file"]
    assert [line.files for line in lines] == [("roster.yaml", "NORTH_STAR.yaml"), (), ("fleet.yaml",)]
    assert lines[0].author == "Ada <ada@example.org>"
    assert lines[0].when.endswith("Z")
    assert len(history(source.checkout, first, source.revision, limit=1)) == 1
    assert history(source.checkout, source.revision, source.revision) == ()


def test_it_works_in_a_preview(repo: Repo, look: Look) -> None:
    first = look(repo.path).revision
    repo.commit("second", roster=ROSTER + "#\n")
    with look(repo.path, preview=True) as source:
        (line,) = history(source.checkout, first, source.revision)
    assert (line.subject, line.files) == ("second", ("roster.yaml",))


def test_ids_of_another_length_are_still_listed(look: Look, tmp_path: Path) -> None:
    repo = Repo(tmp_path / "sha256", "--object-format=sha256")
    first = repo.commit("first", roster=ROSTER)
    look(repo.path)
    second = repo.commit("second")
    (line,) = history(look(repo.path).checkout, first, second)
    assert (line.sha, line.subject) == (second, "")
