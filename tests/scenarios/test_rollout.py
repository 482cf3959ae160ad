"""A change that needs a restart waits for the agent, as the policy says, and the plan says what it waits for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.scenarios.fleet import Fleet, stub


def begin(fleet: Fleet, *names: str, **rollout: Any) -> dict[str, int]:
    fleet.rules["reconcile"]["rollout"] = rollout
    fleet.declare(*names)
    fleet.converge()
    for name in names:
        fleet.beats(name)
    return fleet.up(*names)


def busy(fleet: Fleet, agent: str) -> None:
    fleet.shows(agent, "is ready")
    fleet.type(agent, "/busy")
    fleet.beats(agent, "status=busy")


def change(fleet: Fleet, *names: str) -> None:
    for name in names:
        fleet.agents[name]["generation"] = 1
    fleet.commit()


def test_a_busy_agent_is_waited_for(fleet: Fleet) -> None:
    before = begin(fleet, "a", "b", on_change="when-idle", drain_timeout="1h")
    busy(fleet, "a")
    change(fleet, "a")
    run = fleet.reconcile()
    assert run.code == 1
    assert run.document["outcome"] in ("held", "partial")
    held = run.held("a")
    assert held["reason"] == "working"
    assert "busy" in held["message"]
    assert held["until"] is not None
    assert fleet.up("a", "b") == before
    assert fleet.reconcile().held("a")["since"] == held["since"]
    fleet.type("a", "/idle")
    fleet.wait(lambda: fleet.reconcile().code == 0, "the restart of an idle agent")
    after = fleet.up("a", "b")
    assert after["a"] != before["a"]
    assert after["b"] == before["b"]


def test_the_drain_timeout_ends_nobody(fleet: Fleet) -> None:
    before = begin(fleet, "a", on_change="when-idle", drain_timeout="1h")
    busy(fleet, "a")
    change(fleet, "a")
    fleet.reconcile()
    store = fleet.store()
    known = store.load_history(now=0)
    long_ago = replace(known.agents["a"], waiting_since=known.agents["a"].waiting_since - 4000)
    store.save_history(replace(known, agents={"a": long_ago}))
    held = fleet.reconcile().held("a")
    assert held["reason"] == "working"
    assert held["until"] is None
    assert "not ended by force" in held["message"]
    assert fleet.up("a") == before


@pytest.mark.parametrize("how", ["stopped", "removed"])
def test_a_busy_agent_is_not_stopped_in_the_middle(fleet: Fleet, how: str) -> None:
    before = begin(fleet, "a", "b", on_change="when-idle")
    busy(fleet, "a")
    if how == "stopped":
        fleet.agents["a"]["state"] = "stopped"
    else:
        del fleet.agents["a"]
    fleet.commit()
    run = fleet.reconcile()
    assert run.code == 1
    assert run.held("a")["reason"] == "working"
    assert fleet.pids() == before
    assert "mosaic-agent@a.service" not in fleet.enabled(), "it does not come back at the next boot"
    fleet.type("a", "/idle")
    fleet.wait(lambda: fleet.reconcile().code == 0, "the end of an idle agent")
    assert fleet.up("b") == {"b": before["b"]}


def test_immediately_means_now(fleet: Fleet) -> None:
    before = begin(fleet, "a", on_change="immediately")
    busy(fleet, "a")
    change(fleet, "a")
    fleet.converge()
    assert fleet.up("a") != before


def test_never_means_by_hand(fleet: Fleet) -> None:
    before = begin(fleet, "a", "b", on_change="never")
    change(fleet, "a")
    run = fleet.reconcile()
    assert run.code == 1
    assert run.held("a")["reason"] == "working"
    assert fleet.up("a", "b") == before
    fleet.sh("systemctl --user restart mosaic-agent@a.service")
    fleet.converge()
    assert fleet.up("a", "b")["b"] == before["b"]
    # A new agent and one that has died need nobody's leave.
    fleet.agents["c"] = stub()
    fleet.commit()
    fleet.kill(fleet.pids()["a"])
    fleet.converge()
    fleet.up("a", "b", "c")


def test_one_after_the_other_and_the_orchestrator_last(fleet: Fleet) -> None:
    fleet.rules["reconcile"]["rollout"] = {"on_change": "immediately", "max_unavailable": 1}
    fleet.agents = {name: stub(**{"class": kind}) for name, kind in (("a", "orchestrator"), ("b", "w"), ("c", "w"))}
    fleet.commit()
    fleet.converge()
    before = fleet.up("a", "b", "c")
    change(fleet, "a", "b", "c")
    preview = fleet.reconcile("--dry-run")
    assert [one["agent"] for one in preview.document["actions"] if one["verb"] == "restart"] == ["b"]
    assert {one["agent"]: one["reason"] for one in preview.document["held"]} == {
        "a": "max-unavailable",
        "c": "max-unavailable",
    }
    run = fleet.converge()
    restarts = [one["agent"] for one in run.document["actions"] if one["verb"] == "restart"]
    assert restarts == ["b", "c", "a"]
    assert run.document["passes"] >= 3
    after = fleet.up("a", "b", "c")
    assert all(after[name] != before[name] for name in before)


def test_a_newer_commit_passes_by_one_that_waits(fleet: Fleet) -> None:
    """What waits for a busy agent holds up neither a fix of it nor anybody else."""
    before = begin(fleet, "a", "b", on_change="when-idle")
    busy(fleet, "a")
    change(fleet, "a")
    assert fleet.reconcile().held("a")["reason"] == "working"
    del fleet.agents["a"]["generation"]
    fleet.agents["c"] = stub()
    fleet.commit()
    run = fleet.converge()
    assert run.document["held"] == []
    after = fleet.up("a", "b", "c")
    assert {name: after[name] for name in before} == before


def test_a_new_definition_of_the_tmux_server_waits_for_its_agents(fleet: Fleet) -> None:
    before = begin(fleet, "a", on_change="immediately")
    # As an older version of the framework would have left it.
    fleet.tmux("set-option", "-t", "=_holder:", "@mosaic_launch", "0123456789abcdef")
    run = fleet.reconcile()
    assert run.code == 1
    held = run.held(None)
    assert held["reason"] == "working"
    assert "mosaic fleet release --holder" in held["message"]
    assert fleet.up("a") == before
    released = fleet.cli("fleet", "release", "--holder")
    assert released.code == 0, released.err
    fleet.converge()
    assert fleet.up("a") != before
    assert fleet.converge().done == []
