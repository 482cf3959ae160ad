"""`--force` of stop, restart, remove and `update --relaunch` on a real host: what it ends, and what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.fleet import NAME, Fleet, Run, stub
from tests.truth.bench import operator, reads, row, rules

BUSY = ("stops", "again", "goes", "late", "shares", "asks", "preview", "waits", "older")


@pytest.fixture(scope="module", autouse=True)
def agents(fleet: Fleet) -> None:
    """Each of them works."""
    rules(fleet)
    operator(fleet)
    fleet.rules["reconcile"]["prune"] = {"max_removals": 9}
    fleet.agents = {name: stub() for name in (*BUSY, *(f"rest{number}" for number in range(20)))}
    for name, entry in fleet.agents.items():
        if name.startswith("rest"):
            entry["state"] = "stopped"
    fleet.agents["far"] = stub(host="beta")
    fleet.commit("first")
    fleet.converge()
    for name in BUSY:
        fleet.type(name, "/ask permission" if name == "asks" else "/busy")
    for name in BUSY:
        reads(fleet, name, *(("waiting", "permission") if name == "asks" else ("working",)))


def ask(fleet: Fleet, *words: str) -> Run:
    return fleet.cli("fleet", *words, "--fleet", fleet.repo)


def person(fleet: Fleet) -> str:
    return str(fleet.status()["tenant_id"])


def told(fleet: Fleet, name: str) -> list[dict[str, Any]]:
    return [one for one in fleet.events() if one["agent"] == name and one.get("forced")]


def test_a_stop(fleet: Fleet) -> None:
    pid = row(fleet, "stops")["pid"]
    assert ask(fleet, "stop", "stops").code in (0, 1)
    assert row(fleet, "stops")["pid"] == pid
    # It is declared stopped by now: the same command with --force has nothing to commit, and ends it.
    run = ask(fleet, "stop", "stops", "--force")
    assert "nothing to change" in run.out
    assert "forced: stops, though it works" in run.err
    assert "stops" not in fleet.pids()
    asked, done = told(fleet, "stops")
    assert (asked["type"], asked["by"]) == ("released", person(fleet))
    assert "has forced its stop, though it works" in asked["message"]
    assert (done["type"], done["verb"], done["by"]) == ("action-done", "stop", person(fleet))
    assert f"forced by {person(fleet)}, though it works" in done["message"]
    assert not fleet.exists(f"{fleet.mosaic}/fleet/run/stops.hb") or row(fleet, "stops")["state"] == "stopped"


def test_a_restart_is_forced_once(fleet: Fleet) -> None:
    pid = row(fleet, "again")["pid"]
    made = ask(fleet, "restart", "again", "--force", "-o", "json").document
    assert [(one["agent"], one["pid"]) for one in made["forced"]] == [("again", pid)]
    assert made["forced"][0]["despite"].startswith("it works")
    (done,) = [one for one in made["sync"]["report"]["actions"] if one.get("forced")]
    assert (done["verb"], done["agent"], done["forced"]["by"]) == ("restart", "again", person(fleet))
    after = row(fleet, "again")["pid"]
    assert after not in (pid, None)
    fleet.beats("again")
    fleet.type("again", "/busy")
    reads(fleet, "again", "working")
    assert ask(fleet, "restart", "again").code in (0, 1)
    assert row(fleet, "again")["pid"] == after
    assert fleet.reconcile("--dry-run").held("again")["reason"] == "working"


def test_who_waits_for_a_person_is_ended_too(fleet: Fleet) -> None:
    run = ask(fleet, "stop", "asks", "--force")
    assert "though it waits for a person (permission)" in run.err
    assert "asks" not in fleet.pids()


def test_a_removal_and_one_that_was_taken_out_before(fleet: Fleet) -> None:
    ask(fleet, "remove", "goes", "--force")
    assert "goes" not in fleet.pids()
    assert [one["type"] for one in told(fleet, "goes")] == ["released", "action-done"]
    ask(fleet, "remove", "late")
    assert "late" in fleet.pids()
    assert ask(fleet, "remove", "late").code == 4
    run = ask(fleet, "remove", "late", "--force")
    assert "late was taken out before" in run.err
    assert "late" not in fleet.pids()
    assert ask(fleet, "remove", "nobody", "--force").code == 4


def test_what_other_people_have_is_not_lost_by_it(fleet: Fleet) -> None:
    fleet.tmux("split-window", "-d", "-t", "=shares:", "exec sleep 4321")
    pid = row(fleet, "shares")["pid"]
    ask(fleet, "remove", "shares", "--force")
    assert fleet.pids()["shares"] == pid
    held = fleet.reconcile("--dry-run").held("shares")
    assert (held["reason"], len(held["losses"])) == ("not-owned", 1)
    assert fleet.cli("fleet", "release", "shares", "--fleet", NAME).code == 0
    fleet.reconcile()
    assert "shares" not in fleet.pids()


def test_a_session_of_somebody_else_is_not_ended(fleet: Fleet) -> None:
    fleet.tmux("new-session", "-d", "-s", "rest1", "exec sleep 1234")
    assert ask(fleet, "start", "rest1").code in (0, 1)
    run = ask(fleet, "stop", "rest1", "--force")
    assert "rest1 is not forced: its session is not this fleet's" in run.err
    assert "rest1" in fleet.sessions()


def test_a_preview_forces_nobody(fleet: Fleet) -> None:
    run = ask(fleet, "stop", "preview", "--force", "--dry-run")
    assert "forced: preview, though it works" in run.err
    ask(fleet, "stop", "preview")
    assert "preview" in fleet.pids()
    refused = ask(fleet, "stop", "preview", "--force", "--no-commit")
    assert (refused.code, "--no-commit" in refused.err) == (64, True)


def test_the_next_run_does_it(fleet: Fleet) -> None:
    ask(fleet, "stop", "waits", "--force", "--no-sync")
    assert "waits" in fleet.pids()
    plan = fleet.reconcile("--dry-run").document["actions"]
    (stop,) = [one for one in plan if one["agent"] == "waits" and one["verb"] == "stop"]
    assert stop["forced"]["by"] == person(fleet)
    fleet.reconcile()
    assert "waits" not in fleet.pids()


def test_on_another_host_it_does_not_count(fleet: Fleet) -> None:
    run = ask(fleet, "stop", "far", "--force")
    assert "far is on beta, and --force counts on this host only" in run.err
    assert run.out.count("committed") == 1
