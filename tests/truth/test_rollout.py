"""A rollout of a change that brings agents to a dialog, on a real host."""

from __future__ import annotations

from tests.scenarios.fleet import Fleet
from tests.truth.bench import operator, reads, row, rules, showing


def test_a_rollout_stops_where_agents_come_up_at_a_dialog(fleet: Fleet) -> None:
    rules(fleet)
    operator(fleet)
    fleet.rules["reconcile"]["rollout"]["max_unavailable"] = 1
    names = ("a", "b", "c")
    fleet.agents = {name: showing("claude", "claude.idle.80") for name in names}
    fleet.commit("first")
    fleet.converge()
    before = {name: reads(fleet, name, "available")["pid"] for name in names}
    for name in names:
        fleet.agents[name] = showing("claude", "claude.trust.80")
    fleet.commit("a change that nobody has tried")
    fleet.reconcile()
    reads(fleet, "a", "waiting", "trust")
    run = fleet.reconcile()
    assert run.held("b")["reason"] == "max-unavailable"
    assert "and a, restarted before, cannot take input" in run.held("b")["message"]
    assert {name: row(fleet, name)["pid"] for name in ("b", "c")} == {name: before[name] for name in ("b", "c")}
    # A person answers, and it goes on.
    fleet.type("a", "show claude.idle.80")
    reads(fleet, "a", "available")
    fleet.reconcile()
    assert row(fleet, "b")["pid"] != before["b"]
    assert row(fleet, "c")["pid"] == before["c"]
