"""`mosaic fleet provision`: where a fleet begins, where one is, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from specs.editing.edit import entries
from specs.fleet_files import FILES
from specs.loading.load import load
from tests.commands.calling import Said, fleet
from tests.commands.repository import ROSTER, RULES, Repository
from tests.commands.typist import Typist
from tests.hosts.namespace import CHECKOUT
from tests.types.test_types import BAKER, OWN


def provision(path: Path, *args: str) -> Said:
    return fleet("provision", "--fleet", str(path), *args)


def loaded_names(path: Path) -> list[str]:
    files = {name: (path / name).read_bytes() for name in FILES if (path / name).exists()}
    assert load(files).problems == ()
    return list(entries(files["roster.yaml"]))


def git(path: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=path, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


@pytest.mark.parametrize("kind", ["nothing", "folder", "repository"])
def test_a_fleet_begins(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "fleet"
    if kind != "nothing":
        path.mkdir()
        (path / "notes.txt").write_text("mine\n")
    if kind == "repository":
        git(path, "init", "--quiet", "--initial-branch=main")
    said = provision(path, "--type", "research", "--runtime", "researcher=pi", "--default-runtime", "stub")
    assert said.code == 0, said.err
    assert "+++ b/roster.yaml\n" in said.out
    assert f"reconcile {path}\n" in said.err
    assert git(path, "show", "--name-only", "--format=").split() == [
        "NORTH_STAR.yaml", "fleet.yaml", "roster.yaml", "schemas/fleet.schema.json", "schemas/north-star.schema.json",
        "schemas/roster.schema.json",
    ]  # fmt: skip
    assert git(path, "status", "--porcelain") == ("" if kind == "nothing" else "?? notes.txt")
    assert loaded_names(path)[:2] == ["lead-researcher", "orchestrator"]
    assert {one["runtime"] for one in entries((path / "roster.yaml").read_bytes()).values()} == {"pi", "stub"}
    before = git(path, "rev-parse", "HEAD")
    assert (provision(path).code, git(path, "rev-parse", "HEAD")) == (0, before)


@pytest.mark.parametrize("kind", ["nothing", "folder"])
def test_a_dry_run_leaves_nothing(tmp_path: Path, kind: str) -> None:
    if kind == "folder":
        (tmp_path / "fleet").mkdir()
    assert provision(tmp_path / "fleet", "--type", "business", "--dry-run").code == 0
    assert [path.name for path in tmp_path.rglob("*")] == (["fleet"] if kind == "folder" else [])


def test_without_a_commit(tmp_path: Path) -> None:
    path = tmp_path / "fleet"
    said = provision(path, "--type", "marketing", "--no-commit", "--name", "ours", "--mission", "Sell soap.")
    assert said.code == 0, said.err
    assert f"git -C {path} init; git -C {path} add roster.yaml fleet.yaml NORTH_STAR.yaml" in said.err
    assert not (path / ".git").exists()
    read = load({name: (path / name).read_bytes() for name in FILES})
    assert read.north_star is not None
    assert (read.fleet.name, read.north_star.mission) == ("ours", "Sell soap.")


def test_a_push_needs_somewhere_to_push_to(tmp_path: Path) -> None:
    assert provision(tmp_path / "fleet", "--type", "research", "--push").code == 64
    assert not (tmp_path / "fleet").exists()


def test_a_repository_that_begins_is_pushed(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin")
    git(tmp_path, "clone", "--quiet", "origin", "fleet")
    git(tmp_path / "fleet", "checkout", "--quiet", "-B", "main")
    git(tmp_path / "fleet", "config", "branch.main.remote", "origin")
    git(tmp_path / "fleet", "config", "branch.main.merge", "refs/heads/main")
    said = provision(tmp_path / "fleet", "--type", "research", "--push", "-m", "Begin")
    assert said.code == 0, said.err
    assert git(tmp_path / "origin", "log", "--format=%s", "main") == "Begin"


def test_one_document(tmp_path: Path) -> None:
    said = provision(tmp_path / "fleet", "--type", "research", "-o", "json")
    document = json.loads(said.out)
    assert (document["kind"], document["written"], document["branch"]) == ("Change", True, "main")
    assert [one["path"] for one in document["files"]] == ["roster.yaml", "fleet.yaml", "NORTH_STAR.yaml"]


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return Repository.make(tmp_path / "fleet")


def test_a_fleet_that_is_there_keeps_all_it_has(repo: Repository) -> None:
    said = repo.call("provision", "--type", "software-delivery", "--runtime", "implementer=pi")
    assert said.code == 0, said.err
    assert repo.roster.startswith(ROSTER)
    assert (repo.path / "fleet.yaml").read_text() == RULES.replace("demo\n", "demo\ntype: software-delivery\n")
    assert repo.subjects == ["Provision software-delivery: 11 agents", "first"]
    assert "coder0" in said.err  # it has another runtime, and keeps it
    made = entries(repo.roster.encode())
    assert (made["coder1"]["runtime"], made["coder1"]["depends_on"]) == ("pi", ("lead",))
    assert "orchestrator" not in made
    assert repo.git("status", "--porcelain") == ""


def test_a_bare_repository(repo: Repository, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(bare))
    said = provision(bare, "--type", "personal-assistant")
    assert said.code == 0, said.err
    assert git(bare, "log", "-1", "--format=%s") == "Provision personal-assistant: 5 agents"


def test_a_fleet_is_of_one_type(repo: Repository) -> None:
    repo.call("provision", "--type", "research")
    assert repo.call("provision", "--type", "business").code == 5
    (repo.path / "fleet.yaml").write_text(RULES + "type: business\n")
    repo.git("commit", "-qam", "Become a business")
    assert repo.call("provision").code == 0
    assert repo.subjects[0] == "Provision business: 8 agents"


def test_a_type_of_ones_own_that_is_committed(repo: Repository) -> None:
    for folder, name, text in (("roles", "baker.md", BAKER), ("profiles", "bakery.yaml", OWN.encode())):
        (repo.path / folder).mkdir()
        (repo.path / folder / name).write_bytes(text)
    said = repo.call("provision", "--type", "bakery")
    assert said.code == 4, "what is not committed is not seen by any host"
    assert "profiles/bakery.yaml" in said.err
    assert repo.call("provision", "--type", "bakery", "--dry-run", "--no-commit").code == 0
    repo.git("add", ".")
    repo.git("commit", "-qm", "A bakery")
    said = repo.call("provision", "--type", "bakery")
    assert said.code == 0, said.err
    assert set(entries(repo.roster.encode())) >= {"baker", "researcher0", "researcher2"}


def test_a_folder_with_a_type_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "fleet"
    for folder, name, text in (("roles", "baker.md", BAKER), ("profiles", "bakery.yaml", OWN.encode())):
        (path / folder).mkdir(parents=True)
        (path / folder / name).write_bytes(text)
    said = provision(path, "--type", "bakery")
    assert said.code == 0, said.err
    assert "profiles/bakery.yaml, roles/baker.md" in said.err


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        ([], 64, "--type"),
        (["--type", "reserch"], 4, "profiles/reserch.yaml"),
        (["--type", "x"], 4, "business, marketing, personal-assistant, research, software-delivery"),
        (["--type", "research", "--runtime", "pi"], 64, "CLASS=NAME"),
        (["--type", "research", "--runtime", "review=pi", "--runtime", "review=stub"], 64, "review"),
        (["--type", "research", "--runtime", "cto=pi"], 4, '"cto"'),
        (["--type", "research", "--runtime", "reviewe=pi"], 4, "review?"),
        (["--type", "research", "--default-runtime", "cluade"], 78, '"claude"'),
        (["--type", "research", "--name", "other"], 5, "demo"),
        (["--type", "research", "--no-commit", "--push"], 64, "--no-commit"),
    ],
)
def test_what_it_refuses(repo: Repository, args: list[str], code: int, told: str) -> None:
    said = repo.call("provision", *args)
    assert (said.code, said.out) == (code, "")
    assert told in said.err
    assert repo.untouched()


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("profiles/research.yaml", b"id: research\nlead: nobody\n", "--> profiles/research.yaml:2:7"),
        ("roles/researcher.md", b"no front matter\n", "--> roles/researcher.md:1:1"),
    ],
)
def test_what_is_wrong_is_shown_and_nothing_is_done(repo: Repository, name: str, text: bytes, told: str) -> None:
    (repo.path / name).parent.mkdir()
    (repo.path / name).write_bytes(text)
    repo.git("add", ".")
    repo.git("commit", "-qm", "second")
    said = repo.call("provision", "--type", "research")
    assert (said.code, said.out) == (78, "")
    assert told in said.err
    assert repo.subjects[0] == "second"


def test_no_fleet_was_named() -> None:
    said = fleet("provision", "--type", "research")
    assert said.code == 64
    assert "help: name it, also one that begins" in said.err


@pytest.mark.parametrize("name", ["roster.yaml", "roles/code.md", "NORTH_STAR.yaml"])
@pytest.mark.parametrize("args", [("org",), ("validate",), ("north-star", "validate")])
def test_what_is_no_file_is_told_and_not_waited_for(tmp_path: Path, name: str, args: tuple[str, ...]) -> None:
    (tmp_path / "roles").mkdir()
    (tmp_path / "NORTH_STAR.yaml").write_text("version: 1\nmission: Work.\n")
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    said = fleet(*args, str(tmp_path))
    if args[0] == "north-star" and name != "NORTH_STAR.yaml":
        assert said.code == 0, "it reads no other file"
    else:
        assert (said.code, said.out) == (1, "")
        assert f"{tmp_path / name} cannot be read: a FIFO is there, not a regular file" in said.err


@pytest.mark.parametrize(("answer", "begun"), [("n", False), ("", True)])
def test_a_person_is_asked_before_a_fleet_begins(tmp_path: Path, answer: str, begun: bool) -> None:
    code = "from reconciler.commands.mosaic import main; main()"
    argv = [sys.executable, "-c", code, "fleet", "provision", "fleet", "--type", "research"]
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT), "TERM": "xterm"}
    with Typist(argv, env, cwd=str(tmp_path)) as someone:
        someone.answers("Write this, and commit it? [Y/n]: ", answer)
        assert someone.ends() == 0
        assert ("nothing was written" in someone.screen) != begun
    assert (tmp_path / "fleet").exists() == begun
    with Typist([*argv, "--yes"], env, cwd=str(tmp_path)) as someone:
        assert someone.ends() == 0
        assert "[Y/n]" not in someone.screen
    assert (tmp_path / "fleet/roster.yaml").exists()
