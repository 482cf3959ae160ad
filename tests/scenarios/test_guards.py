"""What holds a run back: prune limit, floor, suspension, the kill switch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.scenarios.fleet import Fleet, stub


def test_too_many_removals_are_refused_until_they_are_allowed(fleet: Fleet) -> None:
    fleet.declare("a", "b", "c", "d", "e")
    fleet.converge()
    before = fleet.pids()
    for name in ("c", "d", "e"):
        del fleet.agents[name]
    fleet.agents["f"] = stub()
    fleet.commit()
    preview = fleet.reconcile("--dry-run")
    assert preview.code == 5
    assert "--allow-removals 3" in preview.document["refused"][0]

    run = fleet.reconcile()
    assert run.code == 5
    assert run.document["outcome"] == "refused"
    assert run.disruptive == []
    assert {one["reason"] for one in run.document["held"]} == {"prune-limit"}
    kept = fleet.up("a", "b", "c", "d", "e", "f")  # what is not a removal goes on
    assert {name: kept[name] for name in before} == before
    assert fleet.condition("Ready")["reason"] == "RefusedByGuard"
    assert fleet.reconcile("--allow-removals", "2").code == 5

    fleet.converge("--allow-removals", "3")
    fleet.up("a", "b", "f")


def test_the_last_of_the_floor_stays(fleet: Fleet) -> None:
    fleet.rules["floor"] = "two-agent"
    fleet.agents = {"boss": stub(**{"class": "orchestrator"}), "enh": stub(**{"class": "enhancer"}), "w": stub()}
    fleet.commit()
    fleet.converge()
    before = fleet.up("boss", "enh", "w")
    # The protection does not go with the commit that drops it.
    fleet.rules["floor"] = "none"
    del fleet.agents["enh"]
    fleet.commit()
    run = fleet.reconcile()
    assert run.code == 5
    assert run.held("enh")["reason"] == "floor"
    assert fleet.up("boss", "enh", "w") == before
    # A file without the floor's classes is a file that is wrong.
    fleet.rules["floor"] = "two-agent"
    fleet.commit()
    assert fleet.reconcile().code == 78
    assert fleet.up("boss", "enh", "w") == before
    # The way out that the message names: first the floor, then the agent.
    fleet.rules["floor"] = "none"
    fleet.agents["enh"] = stub(**{"class": "enhancer"})
    fleet.commit()
    fleet.converge()
    del fleet.agents["enh"]
    fleet.commit()
    fleet.converge()
    fleet.up("boss", "w")


@pytest.mark.parametrize("text", ["", "version: 1\nagents: []\n", "\0\0\0"], ids=["empty", "none", "zeros"])
def test_an_empty_roster_removes_nobody(fleet: Fleet, text: str) -> None:
    fleet.declare("a", "b")
    good = fleet.commit()
    fleet.converge()
    before = fleet.up("a", "b")
    fleet.commit(raw={"roster.yaml": text})
    run = fleet.reconcile("--allow-removals", "9")
    assert run.code == 78
    assert run.document["revision"] == good
    assert fleet.up("a", "b") == before


def test_a_roster_that_is_gone_removes_nobody(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    fleet.git("rm", "-q", "roster.yaml")
    fleet.git("commit", "-qm", "oops")
    assert fleet.reconcile("--allow-removals", "9").code == 78
    assert fleet.up("a", "b") == before


def test_suspended_in_git_until_a_time(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    until = (datetime.now(UTC) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    fleet.rules["suspend"] = [{"agent": "a", "reason": "pairing with it", "by": "ada", "until": until}]
    fleet.commit()
    fleet.kill(*fleet.pids().values())
    run = fleet.reconcile()
    assert run.code == 0
    held = run.held("a")
    assert (held["reason"], held["until"]) == ("suspended", until)
    assert "ada" in held["message"]
    assert "pairing with it" in held["message"]
    assert list(fleet.pids()) == ["b"]
    fleet.rules["suspend"][0]["until"] = "2020-01-01T00:00:00Z"
    fleet.commit()
    fleet.converge()
    fleet.up("a", "b")


def test_suspended_by_hand(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    said = fleet.cli("fleet", "suspend", "a", "--here", "--reason", "looking at it", "--for", "2h")
    assert said.code == 0, said.err
    fleet.agents["a"]["env"] = {"X": "1"}
    fleet.commit()
    fleet.kill(fleet.pids()["a"])
    run = fleet.reconcile()
    assert run.code == 0
    assert {one["reason"] for one in run.document["held"]} == {"suspended"}
    assert run.done == []
    assert list(fleet.pids()) == ["b"]
    assert [one["agent"] for one in fleet.status()["suspended"]] == ["a"]
    assert fleet.cli("fleet", "resume", "a", "--here").code == 0
    fleet.converge()
    fleet.up("a", "b")


def test_the_kill_switch_stops_everything_and_says_so(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    assert fleet.cli("fleet", "pause", "--reason", "fire in the hold").code == 0
    fleet.kill(*fleet.pids().values())
    del fleet.agents["b"]
    fleet.commit()
    run = fleet.reconcile()
    assert run.code == 0
    assert run.document["outcome"] == "paused"
    assert run.document["actions"] == []
    assert "fire in the hold" in {one["message"] for one in run.document["held"]}
    assert fleet.pids() == {}
    condition = fleet.condition("Paused")
    assert (condition["status"], condition["message"]) == ("True", "fire in the hold")
    assert fleet.status()["pause"]["by"] == fleet.host.env["USER"]
    resumed = fleet.cli("fleet", "resume")
    assert "fire in the hold" in resumed.out
    fleet.converge()
    fleet.up("a")


@pytest.mark.parametrize("at", [3, 9, 12])
def test_the_kill_switch_stops_a_run_at_its_next_step(fleet: Fleet, at: int) -> None:
    """Set right before step `at` begins: that one is on its way, and no other follows."""
    fleet.declare("a", "b")
    paused = f"mkdir -p {fleet.mosaic}/fleet/run && echo stop >{fleet.mosaic}/fleet/run/PAUSED"
    run = fleet.drive(at, paused)
    assert run.code == 0, run.err
    assert run.document["outcome"] == "paused"
    results = [one["result"] for one in run.document["actions"]]
    assert "skipped" in results
    why = {one["error"] for one in run.document["actions"] if one["result"] == "skipped"}
    assert why <= {
        "the fleet was paused",
        "the fleet was paused, between two of its steps",  # an agent's folder has several files
        "a.d comes first, and was not done",
        "b.d comes first, and was not done",
    }
    there = fleet.pids()
    fleet.sh(f"rm {fleet.mosaic}/fleet/run/PAUSED")
    fleet.converge()
    after = fleet.up("a", "b")
    assert {name: after[name] for name in there} == there
