"""On which host an agent was before, by real histories."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.context.settings import Settings
from reconciler.git.mirror import Checkout
from reconciler.source.fetch import open_source
from reconciler.source.moves import MOST, Origin, RosterVersion, origins, versions
from reconciler.source.old_host import load, with_moves
from reconciler.state.store import Store
from specs.compiled import Fleet, Moving
from tests.source.conftest import Repo
from tests.strategies import make_agent, make_fleet


def roster(host: str | None, *, state: str = "running", more: str = "") -> str:
    x = {"name": "x", "runtime": "stub", "class": "worker", "state": state, **({"host": host} if host else {})}
    y = {"name": "y", "runtime": "stub", "class": "worker", "host": "alpha", "ssh": "ada@alpha.example"}
    z = {"name": "z", "runtime": "stub", "class": more or "worker", "host": "beta"}
    return json.dumps({"version": 1, "agents": [x, y, z]})


WITHOUT = json.dumps({"version": 1, "agents": [{"name": "xx", "runtime": "stub", "class": "worker", "host": "alpha"}]})


def came_from(repo: Repo, name: str = "x") -> Origin | None:
    copy = Checkout(repo.path / ".git")
    return origins(versions(copy, repo.head(), [name], "beta"), [name], "beta")[0].get(name)


def test_the_last_other_host_and_the_way_there(repo: Repo) -> None:
    at = repo.commit(roster=roster("alpha"))
    repo.commit(roster=roster("beta"))
    repo.commit(other="a: 1")
    repo.commit(roster=roster("beta", more="orchestrator"))
    assert came_from(repo) == Origin(host="alpha", ssh="ada@alpha.example", commit=at)
    assert came_from(repo, "z") is None


@pytest.mark.parametrize(
    "between", [WITHOUT, roster("alpha", state="absent"), roster("beta", state="absent"), roster(None)]
)
def test_what_was_removed_in_between_is_a_new_one(repo: Repo, between: str) -> None:
    repo.commit(roster=roster("alpha"))
    repo.commit(roster=between)
    repo.commit(roster=roster("beta"))
    assert came_from(repo) is None


def test_a_commit_that_no_host_takes_says_nothing(repo: Repo) -> None:
    repo.commit(roster=roster("alpha"))
    repo.commit(roster="agents: [")
    repo.commit(roster=roster("beta"))
    assert came_from(repo) is not None


def test_a_branch_that_was_merged_in_is_not_where_it_was(repo: Repo) -> None:
    repo.commit(roster=roster("beta"))
    repo.git("checkout", "--quiet", "-b", "side")
    repo.commit(roster=roster("alpha"))
    repo.commit(roster=roster("beta", more="planner"))
    repo.git("checkout", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-ff", "-m", "merge", "side")
    assert came_from(repo) is None


class Bench:
    """A host that takes the repository in for the first time: its copy has one commit."""

    def __init__(self, repo: Repo, folder: Path) -> None:
        self.repo, self.store = repo, Store(folder / "state", folder / "run")
        self.notes: tuple[str, ...] = ()

    def look(self, *, fetch: bool = True, machine: str = "beta", host: str = "beta") -> Fleet:
        agents = [replace(make_agent(name), placed=True) for name in ("x", "z")]
        with open_source(
            str(self.repo.path), settings=Settings(), state_dir=self.store.state, fetch=fetch, now=1.0
        ) as source:
            fleet = replace(make_fleet(*agents, revision=source.revision), host=host)
            found = with_moves(fleet, source, self.store, machine)
            self.notes = tuple(source.notes)
        return found


@pytest.fixture
def bench(repo: Repo, tmp_path: Path) -> Bench:
    return Bench(repo, tmp_path / "beta")


def test_a_copy_without_history_gets_it_once(bench: Bench) -> None:
    at = bench.repo.commit(roster=roster("alpha"))
    bench.repo.commit(roster=roster("beta"))
    found = bench.look().moving
    assert {name: (one.host, one.ssh, one.commit) for name, one in found.items()} == {
        "x": ("alpha", "ada@alpha.example", at)
    }
    assert bench.notes == ()
    assert load(bench.store)["z"] == Moving(revision=bench.repo.head())  # nothing is read of it again
    bench.repo.commit(roster=roster("beta", more="planner"))
    assert bench.look().moving["x"].commit == at


def test_an_answer_stays_with_its_move(bench: Bench) -> None:
    from reconciler.source.old_host import release, save

    bench.repo.commit(roster=roster("alpha"))
    bench.repo.commit(roster=roster("beta"))
    bench.look()
    assert release(bench.store, "x")
    bench.repo.commit(roster=roster("beta", more="planner"))
    assert bench.look().moving["x"].released
    bench.repo.commit(roster=roster("alpha"))
    bench.repo.commit(roster=roster("beta"))
    assert not bench.look().moving["x"].released  # that is another move
    save(bench.store, {})
    assert bench.look().moving["x"].host == "alpha"


def test_a_name_of_this_very_machine_is_no_other_host(bench: Bench) -> None:
    bench.repo.commit(roster=roster("alpha"))
    bench.repo.commit(roster=roster("beta"))
    assert bench.look(machine="alpha.example").moving == {}


def test_a_source_that_has_cut_its_history_is_said(bench: Bench, tmp_path: Path) -> None:
    bench.repo.commit(roster=roster("alpha"))
    bench.repo.commit(roster=roster("beta"))
    bench.repo.git("clone", "--quiet", "--depth=1", f"file://{bench.repo.path}", str(tmp_path / "cut"))
    cut = Bench(bench.repo, tmp_path / "gamma")
    cut.repo = Repo.__new__(Repo)
    cut.repo.path = tmp_path / "cut"
    assert cut.look().moving == {}
    assert cut.notes == ("whether x, z ran on another host before is not known: its history is not here",)


def test_so_many_versions_are_read_and_no_more(repo: Repo) -> None:
    repo.commit(roster=roster("alpha"))
    for number in range(MOST):
        repo.commit(roster=roster("beta", more=f"class{number}"))
    assert came_from(repo) is None


BLOCK = """\
version: 1
agents:
- name: x
  runtime: stub
  class: worker
  host: {}
- name: y
  runtime: stub
  class: {}
  host: {}
"""


def test_two_that_change_places(repo: Repo) -> None:
    """The lines are the same ones, in another order."""
    repo.commit(roster=BLOCK.format("alpha", "worker", "beta"))
    repo.commit(roster=BLOCK.format("beta", "worker", "alpha"))
    assert came_from(repo) is not None


def test_a_host_on_a_line_of_its_own_and_one_by_reference(repo: Repo) -> None:
    entry = "- name: x\n  runtime: stub\n  class: worker\n  host: {}\n"
    for old, new in (("\n    alpha", "\n    beta"), ("alpha", "beta")):
        repo.commit(roster="version: 1\nagents:\n" + entry.format(old))
        repo.commit(roster="version: 1\nagents:\n" + entry.format(new))
        found = came_from(repo)
        assert found is not None
        assert found.host == "alpha"


def test_what_says_nothing_of_it_is_not_read(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.source import moves

    repo.commit(roster=BLOCK.format("alpha", "worker", "beta"))
    repo.commit(roster=BLOCK.format("beta", "worker", "beta"))
    for number in range(30):
        repo.commit(roster=BLOCK.format("beta", f"kind{number}", "beta"))
    read: list[str] = []
    real = moves._version

    def counted(sha: str, text: bytes) -> RosterVersion | None:
        read.append(sha)
        return real(sha, text)

    monkeypatch.setattr(moves, "_version", counted)
    assert came_from(repo) is not None
    assert len(read) == 2
