"""Lives of names, by the history of a repository: whom a message is for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.git.mirror import Checkout
from reconciler.source.lives import MOST, ended
from tests.source.conftest import Repo


def roster(*names: str, absent: str = "", agent_class: str = "worker") -> str:
    agents = [{"name": name, "runtime": "stub", "class": agent_class} for name in names]
    agents += [{"name": absent, "runtime": "stub", "class": "worker", "state": "absent"}] if absent else []
    return json.dumps({"version": 1, "agents": agents})


class History:
    """Commits of a roster, and what is said of x between two of them."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.copy = Checkout(repo.path / ".git")

    def commit(self, text: str) -> str:
        return self.repo.commit(roster=text)

    def ended(self, old: str, new: str, *names: str) -> frozenset[str] | None:
        return ended(self.copy, names or ("x",), old, new)


@pytest.fixture
def history(repo: Repo) -> History:
    return History(repo)


def test_a_name_that_stays_is_the_same(history: History) -> None:
    old = history.commit(roster("x", "y"))
    history.commit(roster("x", "z"))
    history.repo.commit(other="a: 1")
    new = history.commit(roster("x", agent_class="orchestrator"))  # another class is no other agent
    assert history.ended(old, new) == frozenset()
    assert history.ended(old, old) == frozenset()
    assert history.ended(old, new, "x", "y") == frozenset({"y"})


@pytest.mark.parametrize("between", [roster("y"), roster("y", absent="x"), roster("xx", "y.x")])
def test_a_name_that_was_taken_out_in_between_is_another(history: History, between: str) -> None:
    old = history.commit(roster("x", "y"))
    history.commit(between)
    new = history.commit(roster("x", "y"))
    assert history.ended(old, new) == frozenset({"x"})
    assert history.ended(new, old) == frozenset({"x"})  # the branch was set back


def test_a_commit_that_no_host_takes_ends_nothing(history: History) -> None:
    old = history.commit(roster("x"))
    history.commit("agents: [")
    history.commit("version: 1\nagents: 7\n")
    (history.repo.path / "roster.yaml").unlink()
    history.repo.commit("gone")
    (history.repo.path / "roster.yaml").mkdir()
    history.repo.commit("a folder", **{"roster.yaml/x": "a: 1"})
    (history.repo.path / "roster.yaml" / "x.yaml").unlink()
    (history.repo.path / "roster.yaml").rmdir()
    new = history.commit(roster("x"))
    assert history.ended(old, new) == frozenset()


def test_an_entry_that_is_wrong_is_still_there(history: History) -> None:
    old = history.commit(roster("x"))
    history.commit(json.dumps({"version": 1, "agents": [{"name": "x", "runtime": "nonsense", "state": "absent?"}]}))
    new = history.commit(roster("x"))
    assert history.ended(old, new) == frozenset()


def test_what_was_merged_in_is_not_where_the_branch_was(history: History) -> None:
    old = history.commit(roster("x"))
    history.repo.git("checkout", "-q", "-b", "side")
    history.commit(roster("y"))
    history.commit(roster("x", "y"))
    history.repo.git("checkout", "-q", "main")
    history.repo.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    assert history.ended(old, history.repo.head()) == frozenset()


def test_branches_that_went_apart(history: History) -> None:
    history.commit(roster("x", "y"))
    history.repo.git("branch", "other")
    old = history.commit(roster("x", "y", "z"))
    history.repo.git("checkout", "-q", "other")
    history.commit(roster("x"))
    new = history.commit(roster("x", "y"))
    assert history.ended(old, new, "x", "y", "z") == frozenset({"y", "z"})


def test_another_history_is_another_fleet(history: History, tmp_path: Path) -> None:
    old = history.commit(roster("x"))
    history.repo.git("checkout", "-q", "--orphan", "anew")
    new = history.commit(roster("x"))
    assert history.ended(old, new) == frozenset({"x"})
    history.repo.git("clone", "-q", "--depth", "1", f"file://{history.repo.path}", str(tmp_path / "cut"))
    assert ended(Checkout(tmp_path / "cut" / ".git"), ["x"], old, new) is None  # what is not here cannot be known
    assert ended(Checkout(tmp_path / "nothing"), ["x"], old, new) is None


def test_more_than_can_be_looked_at_is_not_known(history: History) -> None:
    old = history.commit(roster("x"))
    tip = history.repo.path / "many"
    lines = [f"blob\nmark :1\ndata {len(roster('x'))}\n{roster('x')}\nblob\nmark :2\ndata {len(roster('x', 'y'))}\n"]
    lines.append(roster("x", "y") + "\n")
    for number in range(MOST + 1):
        lines.append(f"commit refs/heads/main\ncommitter A <a@b.invalid> {number} +0000\ndata 1\nx\n")
        lines.append((f"from {old}\n" if number == 0 else "") + f"M 100644 :{2 - number % 2} roster.yaml\n\n")
    tip.write_text("".join(lines))
    history.repo.git("-c", "alias.load=!git fast-import --quiet --force <many", "load")
    assert history.ended(old, history.repo.git("rev-parse", "main")) is None
