"""Commits that are not good: the last good one stays in force, it is said which is not and why, until one is again."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.scenarios.fleet import Fleet, stub

TWO = ("a", "b")


def begin(fleet: Fleet) -> tuple[str, dict[str, int]]:
    good = fleet.declare(*TWO)
    fleet.converge()
    return good, fleet.up(*TWO)


BAD: dict[str, Callable[[str], str]] = {
    "version": lambda text: text.replace('"version": 1', '"version": 7'),
    "syntax": lambda text: text[:-20],
    "duplicate": lambda text: text.replace('"b"', '"a"'),
    "unknown-key": lambda text: text.replace('"transport"', '"transprot"'),
}


@pytest.mark.parametrize("spoil", BAD.values(), ids=BAD)
def test_a_bad_commit_leaves_the_last_good_one_in_force(fleet: Fleet, spoil: Callable[[str], str]) -> None:
    good, before = begin(fleet)
    fleet.agents["c"] = stub()
    fleet.commit()
    bad = fleet.commit("bad", raw={"roster.yaml": spoil(fleet.read(f"{fleet.repo}/roster.yaml"))})

    preview = fleet.reconcile("--dry-run")
    assert preview.code == 78
    assert bad[:12] in preview.err
    assert "roster.yaml:" in preview.err, "where"

    fleet.kill(before["a"])
    run = fleet.reconcile()
    assert run.code == 78
    assert run.document["revision"] == good
    assert run.document["attempted_revision"] == bad
    after = fleet.up(*TWO)  # what is in force is kept in force
    assert after["a"] != before["a"]
    assert after["b"] == before["b"]
    source = fleet.condition("SourceReady")
    assert source["status"] == "False"
    assert bad[:12] in source["message"]
    assert fleet.condition("Ready")["status"] == "True"
    assert fleet.status()["revision"] == {"attempted": bad, "applied": good}

    fleet.commit("good again")
    fleet.converge()
    fleet.up("a", "b", "c")
    assert fleet.condition("SourceReady")["status"] == "True"


def test_every_problem_of_a_bad_commit_is_told_at_once(fleet: Fleet) -> None:
    begin(fleet)
    fleet.agents["a"]["runtime"] = "cluade"
    fleet.agents["b"]["depends_on"] = ["aa"]
    fleet.rules["reconcile"]["rollout"]["on_change"] = "sometimes"
    fleet.commit()
    run = fleet.reconcile(form="text")
    assert run.code == 78
    for words in ('"cluade"', 'did you mean "claude"?', '"aa"', "on_change", "fleet.yaml:", "roster.yaml:"):
        assert words in run.err, run.err


def test_one_wrong_entry_holds_its_agent_only(fleet: Fleet) -> None:
    good, before = begin(fleet)
    fleet.agents["b"]["resources"] = {"memory_max": "lots"}
    fleet.agents["c"] = stub()
    later = fleet.commit()
    run = fleet.reconcile()
    assert run.code != 0
    assert run.document["revision"] == later != good
    assert run.held("b")["agent"] == "b"
    assert "memory_max" in run.err
    after = fleet.up("a", "b", "c")
    assert {name: after[name] for name in before} == before, "it is left as it is"
    fleet.kill(after["b"])
    assert fleet.reconcile().verbs("b") == []
    del fleet.agents["b"]["resources"]
    fleet.commit()
    fleet.converge()
    assert fleet.up("a", "b", "c")["a"] == before["a"]


def test_a_first_commit_that_is_bad_begins_nothing(fleet: Fleet) -> None:
    fleet.roster["transport"] = "nope"
    fleet.declare("a")
    run = fleet.reconcile()
    assert run.code == 78
    assert run.out == ""
    assert '"nope"' in run.err
    assert fleet.enabled() == set()


def test_rollback_is_a_git_revert(fleet: Fleet) -> None:
    """With an agent whose program is not there in the bad commit, one that is new in it, and one whose folder is not
    there: all of it is seen before anything is ended."""
    _, before = begin(fleet)
    fleet.agents["a"]["command"] = "no-such-program"
    fleet.agents["b"]["working_directory"] = "~/not-there"
    fleet.agents["c"] = stub(command="no-such-program --at all")
    bad = fleet.commit("bad")
    run = fleet.reconcile()
    assert run.code == 1
    assert run.document["revision"] == bad
    assert "not-there does not exist" in json.dumps(run.document["held"])
    assert "no-such-program is not on an agent's PATH" in json.dumps(run.document["held"])
    assert fleet.pids() == before

    fleet.git("revert", "--no-edit", "HEAD")
    run = fleet.converge()
    assert run.document["held"] == []
    assert fleet.up(*TWO) == before
    assert not fleet.exists(f"{fleet.mosaic}/fleet/agents/c.env")
    assert "mosaic-agent@c.service" not in fleet.enabled()
    assert fleet.converge().done == []


def test_a_rewound_branch_is_refused_until_it_is_allowed(fleet: Fleet) -> None:
    good, _ = begin(fleet)
    fleet.agents["c"] = stub()
    later = fleet.commit()
    fleet.converge()
    before = fleet.up("a", "b", "c")
    fleet.git("reset", "-q", "--hard", good)
    run = fleet.reconcile()
    assert run.code == 5
    assert run.document["revision"] == later
    assert fleet.condition("SourceReady")["reason"] == "NotADescendant"
    assert "--allow-rewind" in run.err
    assert fleet.up("a", "b", "c") == before
    run = fleet.converge("--allow-rewind")
    assert run.document["revision"] == good
    assert {name: pid for name, pid in before.items() if name != "c"} == fleet.up(*TWO)
    assert fleet.converge().document["revision"] == good


def test_a_remote_that_cannot_be_reached_keeps_the_last_revision(fleet: Fleet) -> None:
    """A bare repository, as a remote is for this purpose; it goes away and comes back with a newer commit."""
    fleet.declare(*TWO)
    tree, bare = fleet.repo, f"{fleet.host.home}/remote.git"
    fleet.git("clone", "-q", "--bare", tree, bare)
    fleet.repo = bare
    good = fleet.converge().document["revision"]
    before = fleet.up(*TWO)
    fleet.sh(f"mv {bare} {bare}.away")
    fleet.kill(before["a"])
    run = fleet.reconcile()
    assert run.code == 0, run.err
    assert run.document["revision"] == good
    after = fleet.up(*TWO)
    assert after["b"] == before["b"]
    assert fleet.condition("SourceReady")["reason"] == "SourceUnreachable"
    fleet.sh(f"mv {bare}.away {bare}")
    fleet.repo = tree
    fleet.agents["c"] = stub()
    fleet.commit()
    fleet.git("push", "-q", bare, "main")
    fleet.repo = bare
    fleet.converge()
    assert {name: after[name] for name in TWO} == {name: fleet.up("a", "b", "c")[name] for name in TWO}
    assert fleet.condition("SourceReady")["status"] == "True"


def test_what_is_not_committed_is_not_applied_and_is_told(fleet: Fleet) -> None:
    good, before = begin(fleet)
    fleet.write(f"{fleet.repo}/roster.yaml", fleet.read(f"{fleet.repo}/roster.yaml").replace('"b"', '"x"'))
    preview = fleet.reconcile("--dry-run")
    assert preview.code == 0
    assert preview.document["actions"] == []
    assert "roster.yaml" in preview.err
    assert fleet.converge().document["revision"] == good
    assert fleet.up(*TWO) == before


def test_a_fleet_that_is_not_there(fleet: Fleet) -> None:
    fleet.sh(f"rm -rf {fleet.repo}")
    run = fleet.reconcile()
    assert run.code == 4
    assert fleet.repo in run.err
    assert not fleet.exists(f"{fleet.host.home}/.local/state/mosaic/{fleet.repo}")
