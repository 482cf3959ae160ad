"""What all commands say of one moment, and what they may not contradict each other in."""

from __future__ import annotations

import re
from typing import Any

from tests.scenarios.fleet import NAME, Fleet, Run
from tests.truth.bench import cells, rows

TRIES = 5


class Told:
    """What all commands say. Taken anew until no agent has changed its state meanwhile."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        for _ in range(TRIES):
            if self._all():
                return
        raise AssertionError(f"there is no moment in which nothing changes: {self.moved}")

    def _all(self) -> bool:
        fleet = self.fleet
        self.run = fleet.reconcile()
        before = rows(fleet)
        self.preview: Run = fleet.reconcile("--dry-run")
        self.wide = cells(fleet.cli("fleet", "ps", "--fleet", fleet.repo, "-o", "wide").out)
        self.check = fleet.cli("fleet", "ps", "--fleet", fleet.repo, "--check")
        self.verify = fleet.cli("fleet", "verify", "--fleet", fleet.repo, "-o", "json")
        self.status = {one["name"]: one for one in fleet.status()["agents"]}
        self.shown_status = fleet.cli("fleet", "status", "--fleet", NAME).out
        self.metrics = fleet.read(f"{fleet.state}/reconcile.prom")
        self.single = {
            name: fleet.cli("agent", "status", name, "--fleet", fleet.repo, "-o", "json").document["agent"]
            for name in before
        }
        self.rows = rows(fleet)
        # A back-off that has run out between two looks, a heartbeat that came: then all of it is asked for again.
        changed = {name: (steady(one), steady(self.rows[name])) for name, one in before.items()}
        run = {name: (one["readiness"], self.status[name]["readiness"]) for name, one in before.items()}
        self.moved = {name: pair for name, pair in [*changed.items(), *run.items()] if pair[0] != pair[1]}
        return not self.moved


def steady(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[key] for key in ("kind", "state", "waiting", "sync", "wrong", "may_stop", "session", "next"))


def lists_and_documents(told: Told) -> None:
    for name, one in told.rows.items():
        assert steady(told.single[name]) == steady(one)
        kind = one["waiting"] or one["stuck"] or ("its screen is not understood" if one["screen"] else "")
        assert told.wide[name]["STATE"] == (f"{one['state']} ({kind})" if kind else one["state"])
        assert told.wide[name]["MAY-STOP"].startswith("yes" if one["may_stop"] else "no: ")
        assert one["may_stop"] is not bool(one["may_stop_why"])
        status = told.status[name]
        words = ("readiness", "waiting", "stuck", "until")
        assert [status[word] for word in words] == [one[word] for word in words]
        assert status["health"] == one["health"]
        if one["kind"] == "agent":
            assert status["in_sync"] is (one["sync"] == "synced"), (name, one["sync"], one["why"], status["held"])
        word = f"{one['readiness']} ({one['waiting']})" if one["waiting"] else one["readiness"]
        assert re.search(rf"^{re.escape(name)} .*\b{re.escape(word)}", told.shown_status, re.MULTILINE), name


def what_is_wrong(told: Told) -> set[str]:
    """Who is."""
    wrong = {name for name, one in told.rows.items() if one["wrong"]}
    checks = told.verify.document["checks"]
    assert {check["agent"] for check in checks if check["result"] == "wrong" and check["agent"]} == wrong
    assert told.check.code == told.verify.code == (3 if wrong else 0)
    for name, one in told.rows.items():
        waits = [check for check in checks if (check["agent"], check["name"]) == (name, "waiting")]
        assert bool(waits) is bool(one["waiting"])
        assert all(f"({one['waiting']})" in check["found"] for check in waits)
    return wrong


def what_is_due_and_held(told: Told) -> None:
    held: dict[str, set[str]] = {}
    for one in told.preview.document["held"]:
        held.setdefault(one["agent"], set()).add(one["reason"])
    due = {one["agent"] for one in told.preview.document["actions"] if one["agent"]}
    for name, one in told.rows.items():
        if one["kind"] == "agent":
            assert (name in held) is (one["sync"] == "held"), (name, one["sync"], held.get(name), one["why"])
            assert (name in due) is (one["sync"] in ("drifted", "missing")), (name, one["sync"], one["why"])
        if "working" in held.get(name, set()):
            assert not one["may_stop"]
            said = next(it["message"] for it in told.preview.document["held"] if it["agent"] == name)
            above = one["may_stop_why"] == "the fleet is paused"
            assert above or said.startswith(one["may_stop_why"].split(":")[0]), (name, said, one["may_stop_why"])
        if one["next"]:
            assert one["next"]["reason"] in held.get(name, set()) or name in due


def the_numbers(told: Told) -> None:
    counted: dict[tuple[str, str], int] = {}
    for one in told.status.values():
        key = (one["health"], one["readiness"])
        counted[key] = counted.get(key, 0) + 1
    for (health, readiness), number in counted.items():
        assert f'health="{health}",readiness="{readiness}"}} {number}\n' in told.metrics
    for name, one in told.rows.items():
        if one["kind"] == "agent":
            assert f'agent_in_sync{{fleet="{NAME}"' in told.metrics
            assert f'agent="{name}"}} {int(one["sync"] == "synced")}\n' in told.metrics


def who_is_reset(told: Told) -> None:
    """Whoever may not be stopped is not reset either, and for the same reason."""
    fleet = told.fleet
    for name, one in told.rows.items():
        if one["kind"] != "agent" or one["may_stop"] or one["desired"] != "running":
            continue
        refused = fleet.cli("agent", "reset", name, "--restart")
        assert refused.code == 5, name
        why, said = (re.sub(r"\d+ s ago", "N s ago", text) for text in (one["may_stop_why"], refused.err))
        assert "suspended" in said if "suspended" in why else why.removeprefix("it ") in said, name
        assert rows(fleet)[name]["pid"] == one["pid"]
