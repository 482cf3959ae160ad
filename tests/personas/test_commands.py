"""`mosaic fleet persona ...`, as it is typed, over real repositories."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.commands import mosaic
from reconciler.schemas.registry import schema_of
from specs.personas.files import base_path, role_path, shipped_file
from specs.personas.persona import ALIASES, shipped
from tests.commands.calling import Said, fleet, help_of
from tests.commands.repository import Repository
from tests.documents import read
from tests.hosts.namespace import CHECKOUT

OWN = """\
---
class: gardener
domain: gardening
persistent_persona: semi
purpose: Waters what grows.
---
# Gardener

## Mandate

Water it.

## Boundaries

No saw.

## Persona

Patient.
"""
OLD = shipped_file("code").replace("Does not merge", "Does never merge").replace("careful craftsperson", "carpenter")


@pytest.fixture
def repo(isolated: Path, tmp_path: Path) -> Repository:
    del isolated
    return Repository.make(tmp_path / "fleet")


def persona(repo: Repository | None, *args: str) -> Said:
    return fleet("persona", *args, *(["--fleet", str(repo.path)] if repo is not None else []))


def document(repo: Repository | None, *args: str) -> Mapping[str, Any]:
    said = persona(repo, *args, "-o", "json")
    assert said.code == 0, said.err
    found: Mapping[str, Any] = read(said.out)
    return found


def begin_over_an_older_one(repo: Repository) -> None:
    """As an upgrade leaves it: the operator's own contract was begun over what shipped then."""
    from specs.personas.persona import read_persona

    then = read_persona(base_path("code"), OLD.encode(), [], whole=True)
    assert then is not None
    (repo.path / "roles" / ".base").mkdir(parents=True)
    (repo.path / base_path("code")).write_text(OLD)
    head = f'---\nclass: code\nbase: "{then.digest}"  # begun in spring\n---\n'
    (repo.path / role_path("code")).write_text(head + "## Boundaries\n\n- Ours.\n\n## Tools\n\nA saw.\n")
    repo.git("add", ".")
    repo.git("commit", "--quiet", "-m", "own")


@pytest.mark.parametrize("which", ["personas", "persona", "persona-diff"])
def test_the_schema_is_a_file_too(which: str) -> None:
    """If this fails: mosaic fleet schema WHICH > docs/schemas/WHICH.schema.json"""
    assert json.loads((CHECKOUT / "docs/schemas" / f"{which}.schema.json").read_text()) == schema_of(which)
    assert json.loads(fleet("schema", which).out) == schema_of(which)


@pytest.mark.parametrize("name", mosaic.PERSONA)
def test_every_command_has_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(mosaic.command, capsys, "fleet", "persona", name)
    assert f"mosaic fleet persona {name}" in text.partition("Example:")[2]


def test_the_shipped_ones_without_a_fleet(isolated: Path) -> None:
    del isolated
    found = document(None, "list")
    assert {one["class"] for one in found["classes"]} == set(shipped())
    assert {one["source"] for one in found["classes"]} == {"shipped"}
    assert found["without_contract"] == []
    assert persona(None, "show", "code").out == persona(None, "show", "code", "--shipped").out


def test_the_list_of_a_fleet(repo: Repository) -> None:
    (repo.path / "roles").mkdir()
    (repo.path / "roles" / "gardener.md").write_text(OWN)
    (repo.path / "roles" / "review.md").write_text("---\nclass: review\n---\n## Persona\n\nMild.\n")
    (repo.path / "roles" / "editor.md").write_text("nothing\n")
    entry = "\n  - {name: digger, runtime: stub, class: gardener}\n  - {name: fox, runtime: stub, class: florist}\n"
    (repo.path / "roster.yaml").write_text(repo.roster + entry)
    rows = {one["class"]: one for one in document(repo, "list")["classes"]}
    assert {name: rows[name]["source"] for name in ("code", "gardener", "review", "editor")} == {
        "code": "shipped", "gardener": "own", "review": "overlaid", "editor": "invalid",
    }  # fmt: skip
    assert (rows["code"]["agents"], rows["code"]["aliases"]) == (["coder0"], ["implementer", "worker"])
    assert (rows["gardener"]["domain"], rows["gardener"]["persistent"]) == ("gardening", "semi")
    assert document(repo, "list")["without_contract"] == [{"class": "florist", "agents": ["fox"]}]
    said = persona(repo, "list")
    assert "editor.md:1:1" in said.err
    assert said.out.isascii()
    assert "gardener: digger\n" in said.out
    assert "florist (no contract): fox\n" in said.out
    assert [line.split()[:4] for line in persona(repo, "list", "--domain", "gardening").out.splitlines()[1:2]] == [
        ["gardener", "gardening", "semi", "own"]
    ]
    near = persona(repo, "list", "--domain", "gardning")
    assert (near.code, "gardening" in near.err) == (4, True)


@pytest.mark.parametrize("alias", sorted(ALIASES))
def test_older_names_lead_to_the_contract(repo: Repository, alias: str) -> None:
    assert persona(repo, "show", alias).out == persona(repo, "show", ALIASES[alias]).out
    assert document(repo, "show", alias)["class"] == ALIASES[alias]


def test_the_resolved_contract(repo: Repository) -> None:
    begin_over_an_older_one(repo)
    found = document(repo, "show", "implementer")
    assert (found["source"], found["outdated"], found["agents"]) == ("overlaid", True, ["coder0"])
    assert "- Ours." in found["text"]
    assert "## Tools" in found["text"]
    assert "Does not merge" not in found["text"]
    plain = document(repo, "show", "code", "--shipped")
    assert (plain["source"], plain["text"]) == ("shipped", shipped()["code"].text)
    said = persona(repo, "show", "code")
    assert said.out.startswith("---\nclass: code\n")
    assert said.out.endswith("## Tools\n\nA saw.\n")


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["show", "reviw"], 4, "review"),
        (["show", "../x"], 4, "../x"),
        (["diff", "code"], 4, "roles/code.md"),
        (["diff", "cod"], 4, "code"),
        (["accept", "code"], 4, "roles/code.md"),
        (["customise", "cod"], 4, "code"),
        (["customise", "../../x"], 4, "../../x"),
        (["customise", "code", "--section", "Bounds"], 64, "Mandate, Boundaries, Persona"),
        (["customise", "code", "--no-commit", "--push"], 64, "--no-commit"),
    ],
)
def test_what_it_refuses(repo: Repository, args: list[str], code: int, told: str) -> None:
    said = persona(repo, *args)
    assert (said.code, said.out) == (code, "")
    assert told in said.err
    assert repo.untouched()


def test_an_own_contract_begins_with_a_commit(repo: Repository) -> None:
    said = persona(repo, "customise", "worker", "--section", "boundaries", "--section", "Persona")
    assert said.code == 0, said.err
    assert "worker" in said.err  # an older name of the class
    assert repo.subjects[0] == "Begin an own contract of code"
    assert repo.git("show", "--format=", "--name-only").splitlines() == ["roles/.base/code.md", "roles/code.md"]
    assert (repo.path / base_path("code")).read_text() == shipped_file("code")
    assert document(repo, "show", "code")["text"] == shipped()["code"].text
    assert repo.git("status", "--porcelain") == ""
    found = document(repo, "diff", "code")
    assert (found["outdated"], found["conflicts"]) == (False, [])
    assert {one["name"]: one["state"] for one in found["parts"] if one["own"] is not None} == {
        "Boundaries": "same", "Persona": "same",
    }  # fmt: skip
    assert fleet("validate", str(repo.path)).out.endswith("0 errors, 0 warnings\n")
    again = persona(repo, "customise", "code")
    assert again.code == 5


@pytest.mark.parametrize("way", ["--dry-run", "--no-commit", "--push"])
def test_the_ways_of_a_change(repo: Repository, tmp_path: Path, way: str) -> None:
    bare = tmp_path / "bare"
    repo.git("init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    repo.git("remote", "add", "origin", str(bare))
    repo.git("push", "--quiet", "--set-upstream", "origin", "main")
    said = persona(
        repo, "customise", "code", way, "-m" if way == "--push" else "--no-sync", *(["x"] * (way == "--push"))
    )
    assert said.code == 0, said.err
    assert (repo.path / role_path("code")).exists() is (way != "--dry-run")
    assert repo.subjects == (["x", "first"] if way == "--push" else ["first"])
    pushed = subprocess.run(["git", "log", "--format=%s"], cwd=bare, capture_output=True, text=True, check=True).stdout
    assert pushed.splitlines() == repo.subjects
    assert "+++ b/roles/code.md" in said.out


def test_what_comes_next_without_a_commit_can_be_typed(repo: Repository) -> None:
    """The files are new to git, which commits nothing that it has not heard of."""
    said = persona(repo, "customise", "code", "--no-commit")
    (line,) = (one.removeprefix("next: ") for one in said.err.splitlines() if one.startswith("next: "))
    line = line.replace(" commit ", " commit --quiet -m typed ")  # or it would open an editor
    subprocess.run(["sh", "-c", line], check=True, timeout=60)
    assert (repo.subjects, repo.git("status", "--porcelain")) == (["typed", "first"], "")


def test_what_is_not_committed_is_not_lost(repo: Repository) -> None:
    (repo.path / "roles").mkdir()
    (repo.path / role_path("code")).write_text("mine\n")
    for extra in ([], ["--no-commit"]):
        assert persona(repo, "customise", "code", *extra).code == 5
    assert (repo.path / role_path("code")).read_text() == "mine\n"
    assert repo.subjects == ["first"]


def test_a_hook_that_says_no_leaves_nothing_behind(repo: Repository) -> None:
    repo.hook("pre-commit", "exit 1")
    assert persona(repo, "customise", "code").code == 1
    assert repo.untouched()
    assert not (repo.path / "roles").exists()


def test_a_bare_repository(repo: Repository, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(bare))
    there = Repository(bare)
    assert persona(there, "customise", "code").code == 0
    assert there.git("show", f"HEAD:{base_path('code')}") == shipped_file("code").strip()
    assert document(there, "diff", "code")["base"]["known"] is True


def test_the_three_ways(repo: Repository) -> None:
    begin_over_an_older_one(repo)
    found = document(repo, "diff", "implementer")
    assert (found["outdated"], found["base"]["known"], found["conflicts"]) == (True, True, ["Boundaries"])
    assert {one["name"]: one["state"] for one in found["parts"] if one["state"] != "as-shipped"} == {
        "Boundaries": "conflict", "Persona": "shipped-changed", "Tools": "added",
    }  # fmt: skip
    said = persona(repo, "diff", "code")
    assert said.code == 0
    for line in ("--- Boundaries, shipped then", "+++ Boundaries, shipped now", "+++ Boundaries, yours", "+- Ours."):
        assert f"\n{line}\n" in said.out
    assert "-A carpenter who would rather" in said.out
    assert "1 conflict: yours is in force until you change it" in said.out
    assert "mosaic fleet persona accept code" in said.err


def test_a_base_that_was_lost(repo: Repository) -> None:
    begin_over_an_older_one(repo)
    for damage in ("nothing", OLD + "More.\n", None):
        kept = repo.path / base_path("code")
        kept.unlink() if damage is None else kept.write_text(damage)
        found = document(repo, "diff", "code")
        assert (found["outdated"], found["base"]["known"], found["conflicts"]) == (True, False, [])
        assert "cannot be shown" in persona(repo, "diff", "code").out


def test_a_file_that_is_wrong_is_shown(repo: Repository) -> None:
    (repo.path / "roles").mkdir()
    (repo.path / role_path("code")).write_text("nothing\n")
    repo.git("add", ".")
    repo.git("commit", "--quiet", "-m", "second")
    for verb in ("show", "diff", "accept"):
        said = persona(repo, verb, "code")
        assert (said.code, said.out) == (78, "")
        assert "--> roles/code.md:1:1" in said.err


def test_having_seen_it_is_a_commit(repo: Repository) -> None:
    begin_over_an_older_one(repo)
    assert "has changed since" in fleet("validate", str(repo.path)).err
    before = (repo.path / role_path("code")).read_text()
    said = persona(repo, "accept", "implementer")
    assert said.code == 0, said.err
    assert (repo.path / base_path("code")).read_text() == shipped_file("code")
    after = (repo.path / role_path("code")).read_text()
    changed = [(a, b) for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b]
    assert [b for _, b in changed] == [f'base: "{shipped()["code"].digest}"  # begun in spring']
    assert "has changed since" not in fleet("validate", str(repo.path)).err
    assert document(repo, "diff", "code")["conflicts"] == []
    assert repo.git("status", "--porcelain") == ""
    assert persona(repo, "accept", "code").out == "nothing to change\n"


def test_a_contract_of_a_class_of_ones_own(repo: Repository) -> None:
    (repo.path / "roles").mkdir()
    (repo.path / "roles" / "gardener.md").write_text(OWN)
    repo.git("add", ".")
    repo.git("commit", "--quiet", "-m", "second")
    assert persona(repo, "show", "gardener").out == OWN
    assert persona(repo, "show", "gardener", "--shipped").code == 4
    assert persona(repo, "diff", "gardener").code == 4
    assert (persona(repo, "customise", "gardener").code, persona(repo, "accept", "gardener").code) == (5, 5)
