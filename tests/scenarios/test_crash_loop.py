"""An agent that cannot live: it is tried again ever more seldom, then hardly at all, and nobody else suffers.

Time passes by making the past longer: what the run remembers is moved back, no clock is touched.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from reconciler.model import AgentHistory
from tests.scenarios.fleet import Fleet, Run, stub

BACKOFF = {"initial": "60s", "maximum": "600s", "reset_after": "1200s"}


def crashing(fleet: Fleet) -> Run:
    """A fleet with one agent that ends at once, after a first run."""
    fleet.rules["reconcile"].update(backoff=BACKOFF, quarantine={"restarts": 3, "within": "1h"})
    # The kernel will not run it, which its first bytes do not tell: a program that ends soon after its start may have
    # been seen alive by then.
    fleet.write(f"{fleet.host.home}/crash", "\x7fELF", 0o755)
    fleet.roster["runtimes"] = {"crash": {"command": [f"{fleet.host.home}/crash", "--now"]}}
    fleet.agents = {"bad": stub(runtime="crash"), "good": stub()}
    fleet.commit()
    return fleet.reconcile()


def history(fleet: Fleet, agent: str = "bad") -> AgentHistory:
    return fleet.store().load_history(now=0).agents[agent]


def pass_time(fleet: Fleet, seconds: float, agent: str = "bad") -> None:
    """What happened to an agent happened so much earlier (or later, if negative)."""
    store = fleet.store()
    known = store.load_history(now=0)
    one = known.agents[agent]
    healthy = one.healthy_since - seconds if one.healthy_since else 0.0
    moved = replace(one, last_start=one.last_start - seconds, healthy_since=healthy)
    store.save_history(replace(known, agents={**known.agents, agent: moved}))


def until(run: Run) -> datetime:
    return datetime.fromisoformat(run.held("bad")["until"])


def test_backoff_then_quarantine_then_release(fleet: Fleet) -> None:
    run = crashing(fleet)
    assert run.code == 1
    assert run.held("bad")["reason"] == "crash-loop"
    fleet.wait(lambda: list(fleet.pids()) == ["good"], "only the good one lives")
    good = fleet.pids()["good"]
    assert history(fleet).attempts == 1, "the first start is no heal, the second one is"
    assert f"{fleet.host.home}/crash: " in fleet.sh(f"cat {fleet.state}/crashes/*")

    again = fleet.reconcile()
    assert again.code == 1
    assert again.done == []
    assert until(again) == until(run), "looking does not move the next attempt"

    first = history(fleet).delay
    pass_time(fleet, 100)
    run = fleet.reconcile()
    assert run.verbs("bad").count("restart") == 1
    assert history(fleet).delay > first
    assert fleet.condition("Stalled")["status"] == "False"

    pass_time(fleet, 200)
    run = fleet.reconcile()
    assert run.code == 1
    assert "in quarantine" in run.held("bad")["message"]
    assert history(fleet).delay >= 600
    assert fleet.condition("Stalled")["status"] == "True"
    assert fleet.condition("Stalled")["reason"] == "CrashLoop"
    (bad,) = (one for one in fleet.status()["agents"] if one["name"] == "bad")
    assert bad["next"]["at"] == run.held("bad")["until"]

    assert fleet.cli("fleet", "release", "bad").code == 0
    run = fleet.reconcile()
    assert run.verbs("bad") == ["restart"]
    assert history(fleet).attempts == 1
    assert fleet.pids() == {"good": good}
    assert fleet.cli("fleet", "release", "goof").code == 4


def test_a_commit_for_the_agent_is_a_clean_slate(fleet: Fleet) -> None:
    crashing(fleet)
    good = fleet.pids()["good"]
    fleet.agents["other"] = stub()
    fleet.commit()
    assert fleet.reconcile().held("bad")["reason"] == "crash-loop", "a commit for another one changes nothing"
    fleet.agents["bad"]["runtime"] = "stub"
    fleet.commit()
    fleet.converge()
    assert fleet.up("bad", "good", "other")["good"] == good


def test_a_clock_that_was_set_back_imprisons_nobody(fleet: Fleet) -> None:
    crashing(fleet)
    delay = history(fleet).delay
    pass_time(fleet, -86400)
    run = fleet.reconcile()
    assert run.done == []
    ahead = until(run) - datetime.now(UTC)
    assert ahead.total_seconds() <= delay + 1


def test_a_clock_that_was_set_ahead_frees_an_agent_once(fleet: Fleet) -> None:
    crashing(fleet)
    before = history(fleet)
    pass_time(fleet, 86400)
    run = fleet.reconcile()
    assert run.verbs("bad").count("restart") == 1
    assert history(fleet).delay > before.delay
    assert fleet.reconcile().done == []


def test_sustained_health_forgives(fleet: Fleet) -> None:
    fleet.rules["reconcile"]["backoff"] = BACKOFF
    fleet.declare("bad")
    fleet.converge()
    fleet.kill(fleet.pids()["bad"])
    fleet.converge()
    fleet.converge()
    assert history(fleet).attempts == 1
    pass_time(fleet, 1300)
    fleet.converge()
    assert history(fleet).attempts == 0


def test_the_fleet_has_a_restart_budget(fleet: Fleet) -> None:
    fleet.rules["reconcile"]["restart_budget"] = 1
    fleet.declare("a", "b", "c")
    fleet.converge()
    before = fleet.up("a", "b", "c")
    fleet.kill(before["a"], before["b"])
    run = fleet.reconcile()
    assert run.code == 1
    assert len(run.done) == 1
    assert [one["reason"] for one in run.document["held"]] == ["crash-loop"]
    assert "budget" in run.document["held"][0]["message"]
    assert fleet.pids()["c"] == before["c"]
