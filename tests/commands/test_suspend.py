"""`mosaic fleet suspend`, `unsuspend` and `resume`: by a commit where there is a repository, on this host where not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from providers.machine.facts import gather
from reconciler.context.bindings import read_bindings
from reconciler.git.location import parse_place
from reconciler.state.pause import read_pause
from reconciler.state.pause import suspend as put_down
from reconciler.state.store import Store
from specs.loading.load import load
from tests import builders as make
from tests.commands.calling import fleet
from tests.commands.repository import RULES, Repository
from tests.documents import read


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    made = Repository.make(tmp_path / "fleet")
    monkeypatch.setenv("MOSAIC_FLEET", str(made.path))
    return made


@pytest.fixture
def store(repo: Repository, isolated: Path) -> Store:
    """The fleet has run here."""
    facts = gather(os.environ)
    read_bindings(facts).bind(parse_place(str(repo.path)), "demo")
    made = Store.open(facts, "demo")
    made.save_status(make.status(plan=make.plan(held=(make.held(agent="coder0"),))))
    del isolated
    return made


def rules(repo: Repository) -> str:
    return (repo.path / "fleet.yaml").read_text()


def test_a_suspension_is_a_commit(repo: Repository) -> None:
    said = fleet("suspend", "coder0", "--reason", "pairing with it", "--by", "ada", "--until", "2099-01-31T09:00:00Z")
    assert said.code == 0, said.err
    assert repo.subjects == ["Suspend coder0: pairing with it", "first"]
    entry = "  - agent: coder0\n    reason: pairing with it\n    by: ada\n"
    assert rules(repo) == RULES + "suspend:\n" + entry + '    until: "2099-01-31T09:00:00Z"\n'
    assert fleet("suspend", "coder0", "--reason", "still", "--by", "ada").code == 0
    assert rules(repo) == RULES + "suspend:\n" + entry.replace("pairing with it", "still")
    assert fleet("unsuspend", "coder0").code == 0
    assert rules(repo) == RULES


def test_for_so_long(repo: Repository) -> None:
    assert fleet("suspend", "--all", "--reason", "moving", "--for", "2h").code == 0
    loaded = load({name: (repo.path / name).read_bytes() for name in ("roster.yaml", "fleet.yaml")})
    (one,) = loaded.fleet.suspend
    assert (one.agent, one.reason) == ("*", "moving")
    assert one.until is not None
    assert 7000 < one.until - time.time() < 7300
    assert repo.subjects[0] == "Suspend the whole fleet: moving"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["suspend", "codre0", "--reason", "x"], 4, "coder0"),
        (["suspend", "coder0", "--reason", " "], 78, "fleet.yaml:6:13"),
        (["suspend", "coder0", "--reason", "x", "--for", "1h", "--until", "2099-01-01T00:00:00Z"], 64, "--for"),
        (["suspend", "coder0", "--reason", "x", "--until", "2001-01-01T00:00:00Z"], 64, "2001-01-01"),
        (["suspend", "coder0", "--reason", "x", "--until", "soon"], 64, "--until"),
        (["suspend", "coder0", "--reason", "x", "--here", "--push"], 64, "--push"),
        (["unsuspend", "coder0"], 4, '"coder0"'),
        (["unsuspend", "codre0"], 4, "coder0"),
        (["resume", "coder0"], 4, '"coder0"'),
        (["unsuspend", "--all", "--here"], 4, ""),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_what_is_refused(repo: Repository, words: list[str], code: int, told: str) -> None:
    said = fleet(*words)
    assert (said.code, repo.untouched()) == (code, True)
    assert told in said.err


def test_on_this_host_only(repo: Repository, store: Store) -> None:
    said = fleet("suspend", "coder0", "--reason", "a crash", "--here", "--by", "ada")
    assert (said.code, repo.untouched()) == (0, True)
    assert set(store.load_suspensions()) == {"coder0"}
    document = read(fleet("suspend", "--all", "--reason", "x", "--here", "--by", "ada", "-o", "json").out)
    assert document["made"] == [{"agent": "*", "reason": "x", "by": "ada", "until": None}]
    assert fleet("unsuspend", "coder0", "--here").code == 0
    assert set(store.load_suspensions()) == {"*"}
    lifted = read(fleet("unsuspend", "--all", "--here", "-o", "json").out)["lifted"]
    assert [one["agent"] for one in lifted] == ["*"]
    assert repo.untouched()


def test_lifting_lifts_both(repo: Repository, store: Store) -> None:
    assert fleet("suspend", "coder0", "--reason", "in git", "--by", "ada", "--no-sync").code == 0
    put_down(store, "coder0", reason="here", by="bob", until=None, now=time.time())
    said = fleet("resume", "coder0", "--dry-run")
    assert said.code == 0
    assert (set(store.load_suspensions()), len(repo.subjects)) == ({"coder0"}, 2)
    said = fleet("resume", "coder0", "--no-sync")
    assert said.code == 0
    assert (store.load_suspensions(), rules(repo)) == ({}, RULES)


def test_lifting_all_in_one_commit(repo: Repository, store: Store) -> None:
    for who in ("coder0", "lead"):
        assert fleet("suspend", who, "--reason", "r", "--no-sync").code == 0
    said = fleet("unsuspend", "--all", "--no-sync")
    assert (said.code, repo.subjects[0]) == (0, "Unsuspend coder0, lead")
    assert rules(repo) == RULES
    assert (fleet("unsuspend", "--all").code, len(repo.subjects)) == (0, 4)
    del store


def test_what_is_only_here_is_lifted_even_if_git_has_nothing(repo: Repository, store: Store) -> None:
    put_down(store, "coder0", reason="here", by="bob", until=None, now=time.time())
    assert (fleet("unsuspend", "coder0").code, store.load_suspensions()) == (0, {})
    assert repo.untouched()


def test_a_slip_is_told_from_an_agent_that_is_not_suspended(repo: Repository, store: Store) -> None:
    assert fleet("unsuspend", "codre0", "--here").code == 4
    assert fleet("unsuspend", "coder0", "--here").code == 4
    put_down(store, "gone", reason="was removed since", by="bob", until=None, now=time.time())
    assert fleet("unsuspend", "gone", "--here").code == 0
    assert repo.untouched()


def test_what_was_lifted_is_one_document(store: Store) -> None:
    put_down(store, "coder0", reason="here", by="bob", until=None, now=time.time())
    document = read(fleet("unsuspend", "coder0", "-o", "json").out)
    assert (document["kind"], document["fleet"], document["made"]) == ("Suspensions", "demo", [])
    assert document["lifted"] == [{"agent": "coder0", "reason": "here", "by": "bob", "until": None}]
    assert fleet("suspend", "coder0", "--reason", "in git", "--no-sync").code == 0
    put_down(store, "coder0", reason="here", by="bob", until=None, now=time.time())
    assert read(fleet("unsuspend", "coder0", "--no-sync", "-o", "json").out)["kind"] == "Change"
    assert store.load_suspensions() == {}


@pytest.mark.parametrize("option", [["--dry-run"], ["--here"], ["-o", "json"], ["--message", "x"], ["--push"]])
def test_options_of_resume_without_an_agent_do_not_let_go_of_the_kill_switch(store: Store, option: list[str]) -> None:
    assert fleet("pause", "--reason", "storm").code == 0
    said = fleet("resume", *option)
    assert (said.code, read_pause(gather(os.environ)) is not None) == (64, True)
    assert "AGENT" in said.err
    assert fleet("resume").code == 0
    assert read_pause(gather(os.environ)) is None
    del store


def test_what_is_here_is_lifted_even_if_git_refuses(repo: Repository, store: Store) -> None:
    put_down(store, "coder0", reason="here", by="bob", until=None, now=time.time())
    repo.git("checkout", "--quiet", "--detach")
    assert fleet("unsuspend", "coder0").code == 5
    assert store.load_suspensions() == {}


def test_a_suspension_of_the_whole_fleet_is_named(repo: Repository) -> None:
    assert fleet("suspend", "--all", "--reason", "moving").code == 0
    said = fleet("unsuspend", "coder0")
    assert said.code == 4
    assert "mosaic fleet unsuspend --all" in said.err
    assert len(repo.subjects) == 2
