"""`mosaic fleet add`, `remove`, `start`, `stop` and `restart`: what they commit, and what they refuse."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.machine.facts import gather
from reconciler.context.bindings import read_bindings
from reconciler.context.settings import Settings, settings_path, write_settings
from reconciler.git.location import parse_place
from reconciler.loop.result import RunOptions
from reconciler.state.store import Store
from tests.commands.calling import fleet
from tests.commands.repository import ROSTER, RULES, Repository
from tests.documents import read


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return Repository.make(tmp_path / "fleet")


def test_add_commits_one_more_entry(repo: Repository) -> None:
    said = repo.call("add", "coder1", "--runtime", "stub", "--class", "implementer", "--depends-on", "lead")
    assert (said.code, repo.subjects) == (0, ["Add coder1", "first"])
    entry = "\n  - name: coder1\n    runtime: stub\n    class: implementer\n    depends_on: [lead]\n"
    assert repo.roster == ROSTER + entry
    assert said.out.startswith("--- a/roster.yaml\n+++ b/roster.yaml\n@@ ")
    assert "\n+  - name: coder1\n+    runtime: stub\n" in said.out
    assert repo.head[:12] in said.out
    assert f"reconcile {repo.path}\n" in said.err
    assert repo.git("show", "-s", "--format=%an <%ae> %cn", "HEAD") == "Test <test@example.invalid> Test"
    assert repo.git("status", "--porcelain") == ""


def test_every_option_of_add(repo: Repository) -> None:
    words = (
        "add", "b.1", "--runtime", "claude", "--class", "reviewer", "--working-directory", "~/work", "--model", "opus",
        "--host", "build-1", "--alias", "Bea", "--state", "stopped", "--depends-on", "lead", "--depends-on", "helper",
        "--args", "--effort high",
    )  # fmt: skip
    said = repo.call(*words, "-m", "Add Bea\n\nShe reviews.", "--no-sync")
    assert said.code == 0
    assert repo.roster.endswith(
        "  - name: b.1\n    alias: Bea\n    runtime: claude\n    class: reviewer\n    state: stopped\n"
        '    working_directory: ~/work\n    model_hint: opus\n    args: "--effort high"\n    host: build-1\n'
        "    depends_on: [lead, helper]\n"
    )
    assert repo.git("show", "-s", "--format=%B") == "Add Bea\n\nShe reviews."
    assert "mosaic fleet start b.1" in said.err


def test_what_is_theirs_is_neither_committed_nor_touched(repo: Repository) -> None:
    (repo.path / "notes.txt").write_text("staged\n")
    repo.git("add", "notes.txt")
    (repo.path / "notes.txt").write_text("and edited\n")
    (repo.path / "new.txt").write_text("new\n")
    repo.git("add", "new.txt")
    before = repo.git("status", "--porcelain"), repo.git("diff", "--cached")
    assert repo.call("stop", "coder0").code == 0
    assert repo.git("show", "--name-only", "--format=") == "roster.yaml"
    assert (repo.git("status", "--porcelain"), repo.git("diff", "--cached")) == before
    assert (repo.path / "notes.txt").read_text() == "and edited\n"


def test_whoever_stops_the_last_of_a_role_is_told(repo: Repository) -> None:
    """It is done all the same: a fleet may rest."""
    assert "warning" not in repo.call("stop", "coder0").err
    said = repo.call("stop", "lead", "helper", "--dry-run", "-o", "json")
    (told,) = (note for note in read(said.out)["notes"] if "mosaic fleet start lead" in note)
    assert (said.code, f"warning: {told}\n" in said.err) == (0, True)
    assert f"warning: {told}\n" in repo.call("stop", "lead").err
    assert repo.subjects[0] == "Stop lead"
    assert "warning" not in repo.call("stop", "lead").err  # it is stopped already
    assert "warning" not in repo.call("start", "lead").err


def test_stop_and_start_several_in_one_commit(repo: Repository) -> None:
    said = repo.call("stop", "coder0", "helper", "coder0")
    assert (said.code, repo.subjects[0]) == (0, "Stop coder0, helper")
    assert repo.roster.count("    state: stopped\n") == 2
    again = repo.call("stop", "helper")
    assert (again.code, repo.subjects[0]) == (0, "Stop coder0, helper")
    assert repo.call("start", "coder0", "lead").code == 0
    assert repo.subjects[:2] == ["Start coder0", "Stop coder0, helper"]


def test_restart_raises_the_generation(repo: Repository) -> None:
    assert repo.call("restart", "coder0").code == 0
    assert repo.subjects[0] == "Restart coder0 (generation 1)"
    assert repo.call("restart", "coder0", "lead").code == 0
    assert repo.subjects[0] == "Restart coder0 (generation 2), lead (generation 1)"
    assert repo.roster.count("generation:") == 2
    repo.call("stop", "lead")
    assert repo.call("restart", "lead").code == 5


def test_remove(repo: Repository) -> None:
    assert repo.call("remove", "coder0").code == 0
    assert repo.roster == ROSTER.partition("\n  - name: coder0")[0]
    assert repo.subjects[0] == "Remove coder0"


def test_the_suspension_of_a_removed_agent_goes_with_it(repo: Repository) -> None:
    assert repo.call("suspend", "coder0", "--reason", "pairing").code == 0
    said = repo.call("remove", "coder0")
    assert said.code == 0, said.err
    assert (repo.path / "fleet.yaml").read_text() == RULES
    assert repo.git("show", "--name-only", "--format=").split() == ["fleet.yaml", "roster.yaml"]


def test_a_tombstone_and_back(repo: Repository) -> None:
    assert repo.call("remove", "coder0", "--tombstone").code == 0
    assert "    class: implementer\n    state: absent\n" in repo.roster
    assert repo.call("start", "coder0").code == 5
    assert repo.call("add", "coder0", "--runtime", "pi").code == 0
    assert "    runtime: pi\n    class: implementer\n    state: running\n    depends_on: [lead]\n" in repo.roster
    assert repo.subjects[0] == "Add coder0 again"


@pytest.mark.parametrize(
    ("words", "state"), [(["start", "coder0"], "running"), (["stop", "coder0"], "stopped")], ids=["running", "stopped"]
)
def test_add_tells_of_an_agent_that_is_there(repo: Repository, words: list[str], state: str) -> None:
    repo.call(*words)
    before = repo.head
    said = repo.call("add", "coder0", "--runtime", "stub")
    assert (said.code, state in said.err) == (5, True)
    assert repo.head == before


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["remove", "helper"], 5, "roster.yaml:3:1"),
        (["remove", "lead", "--tombstone"], 5, "roster.yaml:3:1"),
        (["add", "x", "--runtime", "stub", "--class", "orchestrator"], 5, "roster.yaml:19:12"),
        (["remove", "lead"], 5, "roster.yaml:11:18"),
        (["add", "x", "--runtime", "stbu"], 78, "roster.yaml:18:14"),
        (["add", "x/y", "--runtime", "stub"], 78, "roster.yaml:17:11"),
        (["add", "x", "--runtime", "stub", "--depends-on", "leda"], 78, '"lead"'),
        (["add", "x", "--runtime", "stub", "--working-directory", "work"], 78, "roster.yaml:19:24"),
        (["stop", "codre0"], 4, "coder0"),
        (["restart", "nobody"], 4, "coder0, helper, lead"),
        (["remove", "coder0", "codre1"], 4, '"codre1"'),
        (["stop"], 64, "NAME"),
        (["add", "x"], 64, "--runtime"),
        (["stop", "coder0", "--no-commit", "--push"], 64, "--no-commit"),
        (["stop", "coder0", "-m", " "], 64, "--message"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_what_is_refused_leaves_everything_as_it_was(repo: Repository, words: list[str], code: int, told: str) -> None:
    said = repo.call(*words)
    assert said.code == code
    assert told in said.err
    assert said.out == ""
    assert repo.untouched()


def test_what_was_wrong_before_does_not_keep_anybody_from_mending_it(tmp_path: Path) -> None:
    broken = ROSTER.replace("class: enhancer", "class: worker").replace(
        "runtime: stub\n    class: impl", "runtime: x\n    class: impl"
    )
    repo = Repository.make(tmp_path / "fleet", roster=broken)
    assert repo.call("stop", "coder0").code == 0
    assert repo.call("add", "helper2", "--runtime", "stub", "--class", "enhancer").code == 0
    assert repo.subjects[:2] == ["Add helper2", "Stop coder0"]


def test_a_warning_is_shown_and_keeps_nobody(repo: Repository) -> None:
    said = repo.call("add", "x", "--runtime", "stub", "--class", "implementor")
    assert said.code == 0
    assert '"implementer"' in said.err


def test_a_dry_run_shows_the_diff_only(repo: Repository) -> None:
    said = repo.call("remove", "coder0", "--dry-run")
    assert said.code == 0
    assert "-  - name: coder0\n" in said.out
    assert repo.untouched()
    assert repo.roster == ROSTER


def test_without_a_commit_the_file_is_edited(repo: Repository) -> None:
    said = repo.call("stop", "coder0", "--no-commit")
    assert said.code == 0
    assert f"next: git -C {repo.path} add roster.yaml && git -C {repo.path} commit -- roster.yaml" in said.err
    assert repo.call("stop", "helper", "--no-commit").code == 0
    assert (repo.subjects, repo.git("status", "--porcelain")) == (["first"], "M roster.yaml")
    assert repo.roster.count("state: stopped") == 2


def test_json_is_one_document(repo: Repository) -> None:
    document = read(repo.call("stop", "coder0", "-o", "json").out)
    assert (document["apiVersion"], document["kind"]) == ("mosaic.fleet/v1", "Change")
    assert (document["commit"], document["message"], document["branch"]) == (repo.head, "Stop coder0", "main")
    assert [one["path"] for one in document["files"]] == ["roster.yaml"]
    assert "+    state: stopped" in document["files"][0]["diff"]
    assert (document["pushed"], document["written"]) == (None, True)
    nothing = read(repo.call("stop", "coder0", "-o", "json").out)
    assert (nothing["commit"], nothing["files"], len(nothing["notes"])) == (None, [], 1)


def test_a_secret_next_to_the_change_is_not_shown(tmp_path: Path) -> None:
    roster = ROSTER.replace("depends_on: [lead]", "env: {API_TOKEN: hunter2hunter2}")
    repo = Repository.make(tmp_path / "fleet", roster=roster)
    for form in ("text", "json"):
        said = repo.call("stop", "coder0", "--dry-run", "-o", form)
        assert said.code == 0
        assert "API_TOKEN" in said.out
        assert "hunter2" not in said.out + said.err


def test_the_repository_comes_from_the_environment_or_the_settings(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fleet("stop", "coder0").code == 64
    facts = gather({})
    write_settings(settings_path(Path.home() / ".config"), Settings(source=str(repo.path)))
    assert fleet("stop", "coder0").code == 0
    monkeypatch.setenv("MOSAIC_FLEET", str(repo.path))
    assert fleet("start", "coder0").code == 0
    del facts
    assert repo.subjects == ["Start coder0", "Stop coder0", "first"]


@pytest.fixture
def known(repo: Repository, isolated: Path) -> Store:
    """The fleet has run on this host."""
    import os

    facts = gather(os.environ)
    read_bindings(facts).bind(parse_place(str(repo.path)), "demo")
    del isolated
    return Store.open(facts, "demo")


@pytest.fixture
def resident(known: Store) -> Iterator[socket.socket]:
    known.guard(known.runtime / "trigger.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(known.runtime / "trigger.sock"))
        listener.settimeout(5)
        yield listener


def test_the_resident_reconciler_is_asked(repo: Repository, resident: socket.socket) -> None:
    assert repo.call("stop", "coder0").code == 0
    assert resident.recv(64) == b"look"
    document = json.loads(repo.call("start", "coder0", "-o", "json").out)
    assert document["sync"] == {"asked": True, "report": None}
    assert resident.recv(64) == b"look"
    resident.setblocking(False)
    for words in (["--no-sync"], ["--dry-run"], ["--no-commit"]):
        assert repo.call("stop", "helper", *words).code == 0
    with pytest.raises(BlockingIOError):
        resident.recv(64)


def test_by_its_name_if_anything_says_where_it_is(repo: Repository, known: Store) -> None:
    index = known.state.parent / "sources.json"
    bound = index.read_text()
    index.write_text(json.dumps(json.loads(bound)["names"]))  # as an older version wrote it
    assert fleet("stop", "coder0", "--fleet", "demo").code == 4
    write_settings(settings_path(Path.home() / ".config"), Settings(source=str(repo.path)))
    assert fleet("stop", "coder0", "--fleet", "demo", "--no-sync").code == 0
    settings_path(Path.home() / ".config").unlink()
    index.write_text(bound)
    assert fleet("start", "coder0", "--fleet", "demo", "--no-sync").code == 0


def test_without_a_resident_reconciler_one_run_is_made(
    repo: Repository, known: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    import reconciler.run.run
    from reconciler.errors import Locked

    asked: list[RunOptions] = []

    def once(options: RunOptions, **_more: object) -> None:
        asked.append(options)
        raise Locked("busy")

    monkeypatch.setattr(reconciler.run.run, "run", once)
    assert repo.call("stop", "coder0").code == 0
    assert asked == [RunOptions(fleet=str(repo.path), trigger="sync")]
    del known
