"""`mosaic fleet north-star ...`, as it is typed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.schemas.registry import schema_of
from specs.mission.projection import MARK
from tests.commands.calling import Said, fleet
from tests.commands.repository import Repository
from tests.mission.stars import OLDER, TEXT

STAR = "NORTH_STAR.yaml"
SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
DOCUMENTS = ("validation", "projection", "next", "graph", "diff")


@pytest.fixture
def repo(isolated: Path, tmp_path: Path) -> Repository:
    """A fleet with a mission, committed."""
    del isolated
    made = Repository.make(tmp_path / "fleet")
    (made.path / STAR).write_text(TEXT)
    made.git("add", STAR)
    made.git("commit", "--quiet", "-m", "a mission")
    return made


def star(*args: str | Path) -> Said:
    return fleet("north-star", *map(str, args))


def document(which: str, *args: str | Path) -> Mapping[str, Any]:
    said = star(*args, "-o", "json")
    found: dict[str, Any] = json.loads(said.out)
    jsonschema.Draft202012Validator(schema_of(f"north-star-{which}")).validate(found)
    return found


@pytest.mark.parametrize("which", DOCUMENTS)
def test_the_schema_is_a_file_too(which: str) -> None:
    """If this fails: mosaic fleet schema north-star-WHICH > docs/schemas/north-star-WHICH.schema.json"""
    path = SCHEMAS / f"north-star-{which}.schema.json"
    assert json.loads(path.read_text()) == schema_of(f"north-star-{which}")
    assert json.loads(fleet("schema", f"north-star-{which}").out) == schema_of(f"north-star-{which}")


def test_validate(repo: Repository) -> None:
    assert star("validate", repo.path).code == 0
    (repo.path / STAR).write_text(OLDER)
    said = star("validate", repo.path / STAR)
    assert said.code == 0
    assert "NORTH_STAR.yaml:32:9" in said.err
    found = document("validation", "validate", repo.path)
    assert (found["valid"], found["goals"], len(found["problems"])) == (True, 3, 1)
    (repo.path / STAR).write_text(TEXT.replace("depends_on: [A2, core-1, core-2]", "depends_on: [A2, core-9]"))
    assert star("validate", repo.path).code == 78
    assert document("validation", "validate", repo.path)["valid"] is False


def test_what_is_not_valid_is_neither_rendered_nor_drawn(repo: Repository) -> None:
    (repo.path / STAR).write_text(TEXT.replace("title: Ask,", "titel: Ask,"))
    for command in ("render", "next", "graph"):
        said = star(command, repo.path)
        assert (said.code, said.out) == (78, "")
        assert "NORTH_STAR.yaml:10:14" in said.err
    assert star("diff", "HEAD", repo.path).code == 78
    assert not (repo.path / "NORTH_STAR.md").exists()


def test_render_and_check(repo: Repository) -> None:
    path = repo.path / "NORTH_STAR.md"
    said = star("render", "--check", repo.path)
    assert said.code == 3
    assert f"+{MARK}" in said.out
    (repo.path / STAR).chmod(0o640)
    assert star("render", repo.path).code == 0
    assert path.read_text().startswith(MARK)
    assert "| A2 | Ask again | 2 | - | A1 | A | SC-2 | open |" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640
    before = path.stat()
    assert star("render", repo.path).code == 0
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert star("render", "--check", repo.path).code == 0
    found = document("projection", "render", "--check", repo.path)
    assert (found["state"], found["written"], found["diff"]) == ("current", False, "")
    # The order of keys is nothing; a word is.
    (repo.path / STAR).write_text(TEXT.replace("id: A1, title: Ask,", "title: Ask, id: A1,"))
    assert star("render", "--check", repo.path).code == 0
    (repo.path / STAR).write_text(TEXT.replace("title: Asking", "title: To ask"))
    said = star("render", "--check", repo.path)
    assert said.code == 3
    assert "-| A | Asking |\n+| A | To ask |\n" in said.out
    assert document("projection", "render", repo.path)["state"] == "outdated"
    assert star("render", "--check", repo.path).code == 0
    assert list(repo.path.glob(".NORTH*")) == []


def test_an_edit_by_hand_is_told(repo: Repository) -> None:
    path = repo.path / "NORTH_STAR.md"
    star("render", repo.path)
    path.write_text(path.read_text() + "\nMine.\n")
    said = star("render", "--check", repo.path)
    assert said.code == 3
    assert "-Mine." in said.out
    assert star("render", repo.path).code == 0
    assert "Mine." not in path.read_text()


def test_what_was_not_generated_is_left_alone(repo: Repository) -> None:
    path = repo.path / "NORTH_STAR.md"
    path.write_text("# Ours\n")
    said = star("render", repo.path)
    assert said.code == 5
    assert "--overwrite" in said.err
    assert star("render", "--check", repo.path).code == 3
    assert path.read_text() == "# Ours\n"
    assert star("render", "--overwrite", repo.path).code == 0
    assert path.read_text().startswith(MARK)


def test_a_link_is_not_followed(repo: Repository) -> None:
    path, elsewhere = repo.path / "NORTH_STAR.md", repo.path / "notes.txt"
    path.symlink_to(elsewhere)
    said = star("render", repo.path)
    assert said.code == 5
    assert "symbolic link" in said.err
    assert star("render", "--overwrite", repo.path).code == 0
    assert not path.is_symlink()
    assert elsewhere.read_text() == "mine\n"


def test_a_folder_in_its_place(repo: Repository) -> None:
    (repo.path / "NORTH_STAR.md").mkdir()
    assert star("render", repo.path).code == 5
    assert star("render", "--overwrite", repo.path).code == 1


def test_next(repo: Repository) -> None:
    assert star("next", repo.path).code == 0
    found = document("next", "next", repo.path)
    assert [one["id"] for one in found["ready"]] == ["core-2", "core-1", "A2"]
    assert [one["waits_for"] for one in found["waiting"]] == [["A2", "core-1", "core-2"]]
    assert [one["id"] for one in found["done"]] == ["A1"]


def test_graph(repo: Repository) -> None:
    assert star("graph", "-o", "svg", repo.path).out.startswith("<svg ")
    found = document("graph", "graph", repo.path)
    assert {"from": "core-2", "to": "core-3"} in found["edges"]
    assert len(found["edges"]) == 6
    goals = "".join(f"  - {{id: g{at}, title: x}}\n" for at in range(501))
    (repo.path / STAR).write_text(f"version: 1\nmission: x\ngoals:\n{goals}")
    assert star("graph", repo.path).code == 0
    assert star("graph", "-o", "svg", repo.path).code == 5


def test_diff(repo: Repository) -> None:
    assert star("diff", "HEAD", repo.path).out == "the mission is the same\n"
    (repo.path / STAR).write_text(
        TEXT.replace("state: done}", "state: open}").replace("priority: should have", "priority: must-have")
    )
    said = star("diff", "HEAD", repo.path)
    assert said.out.splitlines()[2:] == ["goal A1: open again", "goal core-1: priority should have -> must-have"]
    assert star("diff", "HEAD", "--to", "HEAD", repo.path).out == "the mission is the same\n"
    found = document("diff", "diff", "HEAD", repo.path)
    assert found["from"] == {"revision": repo.head, "there": True}
    assert found["to"] == {"revision": None, "there": True}
    assert found["changes"][1]["fields"] == [{"name": "priority", "before": "should have", "after": "must-have"}]
    # Before the mission there was none; and it may go again.
    assert star("diff", "HEAD~1", "--to", "HEAD", repo.path).out.splitlines()[2].startswith("mission added: Find out")
    (repo.path / STAR).unlink()
    assert star("diff", "HEAD", repo.path).out.splitlines()[2].startswith("mission removed: Find out")
    assert star("diff", "HEAD~1", repo.path).code == 4


@pytest.mark.parametrize("revision", ["nothing", "HEAD:roster.yaml", "HEAD^{tree}"])
def test_diff_with_what_is_no_commit(repo: Repository, revision: str) -> None:
    said = star("diff", revision, repo.path)
    assert (said.code, said.out) == (4, "")
    assert "is not a commit" in said.err


def test_diff_with_a_link_or_something_wrong_in_its_place(repo: Repository) -> None:
    (repo.path / STAR).unlink()
    (repo.path / STAR).symlink_to("notes.txt")
    repo.git("commit", "--quiet", "-am", "a link")
    (repo.path / STAR).unlink()
    (repo.path / STAR).write_text("mission: x\n")
    repo.git("commit", "--quiet", "-am", "no version")
    (repo.path / STAR).write_text(TEXT)
    said = star("diff", "HEAD", repo.path)
    assert said.code == 78
    assert 'missing key "version"' in said.err
    assert "is not a regular file" in star("diff", "HEAD~1", repo.path).err


def test_diff_outside_of_a_repository(isolated: Path, tmp_path: Path) -> None:
    del isolated
    (tmp_path / STAR).write_text(TEXT)
    assert star("diff", "HEAD", tmp_path).code == 4


def test_without_a_mission(repo: Repository) -> None:
    (repo.path / STAR).unlink()
    for command in ("validate", "render", "next", "graph"):
        assert star(command, repo.path).code == 4
    assert star("next", repo.path / "nowhere").code == 4


def test_where_the_mission_is_found(repo: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """This folder, or the fleet that this host or an agent's environment names; not two at once."""
    first = star("next", repo.path).out
    monkeypatch.chdir(tmp_path)
    assert star("next").code == 64
    assert star("next", repo.path, "--fleet", repo.path).code == 64
    assert star("next", "--fleet", repo.path).out == first
    monkeypatch.setenv("MOSAIC_FLEET", str(repo.path))
    assert star("next").out == first
    assert star("render").code == 0
    assert (repo.path / "NORTH_STAR.md").exists()
    monkeypatch.delenv("MOSAIC_FLEET")
    monkeypatch.chdir(repo.path)
    assert star("next").out == first


def test_a_repository_without_a_working_tree(repo: Repository, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    repo.git("clone", "--quiet", "--bare", ".", str(bare))
    (repo.path / STAR).unlink()
    assert star("next", "--fleet", bare).out.startswith("5 goals")
    assert star("diff", "HEAD~1", "--fleet", bare).code == 0
    assert star("render", "--check", "--fleet", bare).code == 3
    assert star("render", "--fleet", bare).code == 5
