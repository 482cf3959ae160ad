"""Every command about every agent of one fleet, each agent in another state: what one knows, no other contradicts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.scenarios.fleet import NAME, Fleet, Run, stub
from tests.truth.bench import cells, operator, reads, rows, rules, screens, showing

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


@pytest.fixture(scope="module")
def told(fleet: Fleet) -> Iterator[Told]:
    rules(fleet, stale_after="6s")
    operator(fleet)
    names = (
        "working",
        "free",
        "asks",
        "question",
        "stuck",
        "silent",
        "unseen",
        "dead",
        "removed",
        "split",
    )
    fleet.agents = {name: stub() for name in names}
    fleet.agents |= {
        "trust": showing("claude", "claude.trust.80"),
        "permission": showing("claude", "claude.permission.80"),
        "menu": showing("claude", "claude.menu-config.80"),
        "draft": showing("claude", "claude.draft.80"),
        "idle": showing("claude", "claude.idle.80"),
        "odd": showing("claude", "pi.idle.80"),
        "codex-trust": showing("codex", "codex.trust.80"),
        "stopped": stub(state="stopped"),
        "taken": stub(state="stopped"),
        "loops": {"runtime": "stub", "class": "worker", "command": ["/bin/false"]},
    }
    fleet.commit("first")
    fleet.reconcile()
    screens(fleet)
    for name, word in (("working", "/busy"), ("asks", "/ask permission"), ("question", "/ask question"),
                       ("stuck", "/stuck rate-limit"), ("removed", "/busy"), ("silent", "/silent")):  # fmt: skip
        fleet.type(name, word)
    left = fleet.cli("fleet", "suspend", "dead", "--reason", "pairing", "--by", "ada", "--here", "--fleet", NAME)
    assert left.code == 0, left.err
    fleet.type("dead", "/crash 4")
    fleet.type("unseen", "/silent")
    # Nothing answers for `unseen`, and the pane of `silent` goes on all the same: it is stale, and does not hang.
    fleet.wait(lambda: fleet.sh(f"rm -f {fleet.mosaic}/fleet/run/unseen.hb") == "", "no heartbeat")
    talking = "while sleep 0.5; do tmux -L fleet send-keys -t =silent: x; done"
    busy = fleet.start(["sh", "-c", talking])
    fleet.tmux("new-session", "-d", "-s", "taken", "exec sleep 1000")
    fleet.tmux("new-session", "-d", "-s", "mine", "exec sleep 1000")
    fleet.tmux("split-window", "-d", "-t", "=split:", "exec sleep 1000")
    del fleet.agents["removed"]
    fleet.agents["taken"] = stub()
    fleet.commit("second")
    reads(fleet, "silent", "stale")
    try:
        yield Told(fleet)
    finally:
        busy.kill()
        busy.wait()


STATES = {
    "working": ("working", None, False),
    "free": ("available", None, True),
    "asks": ("waiting", "permission", False),
    "question": ("waiting", "question", False),
    "stuck": ("stuck", None, True),
    "silent": ("stale", None, False),
    "unseen": ("unknown", None, True),  # quiet for `idle_after`, which is all there is to go by
    "dead": ("dead", None, False),  # suspended
    "removed": ("working", None, False),
    "trust": ("waiting", "trust", True),
    "permission": ("waiting", "permission", False),
    "menu": ("waiting", "menu", False),  # no word of its own says that its turn is over
    "draft": ("waiting", "draft", False),
    "idle": ("available", None, True),
    "odd": ("unknown", None, False),
    "codex-trust": ("waiting", "trust", True),
    "stopped": ("stopped", None, True),
    "loops": ("dead", None, True),
}


@pytest.mark.parametrize("name", STATES)
def test_each_is_in_the_state_that_it_was_brought_into(told: Told, name: str) -> None:
    one = told.rows[name]
    assert (one["state"], one["waiting"], one["may_stop"]) == STATES[name], (one["why"], one["may_stop_why"])


def test_lists_and_documents(told: Told) -> None:
    for name, one in told.rows.items():
        assert steady(told.single[name]) == steady(one)
        shown = f"{one['state']} ({one['waiting']})" if one["waiting"] else one["state"]
        assert told.wide[name]["STATE"] == shown
        assert told.wide[name]["MAY-STOP"].startswith("yes" if one["may_stop"] else "no: ")
        assert one["may_stop"] is not bool(one["may_stop_why"])
        status = told.status[name]
        assert (status["readiness"], status["waiting"]) == (one["readiness"], one["waiting"])
        assert status["health"] == one["health"]
        if one["kind"] == "agent":
            assert status["in_sync"] is (one["sync"] == "synced"), name
        word = f"{one['readiness']} ({one['waiting']})" if one["waiting"] else one["readiness"]
        assert re.search(rf"^{re.escape(name)} .*\b{re.escape(word)}", told.shown_status, re.MULTILINE), name


def test_what_is_wrong(told: Told) -> None:
    wrong = {name for name, one in told.rows.items() if one["wrong"]}
    checks = told.verify.document["checks"]
    assert {check["agent"] for check in checks if check["result"] == "wrong" and check["agent"]} == wrong
    assert told.check.code == told.verify.code == (3 if wrong else 0)
    assert {"trust", "codex-trust", "silent", "stuck", "odd", "loops", "taken"} <= wrong
    assert not {"working", "free", "asks", "question", "permission", "menu", "draft", "idle", "stopped"} & wrong
    for name, one in told.rows.items():
        waits = [check for check in checks if (check["agent"], check["name"]) == (name, "waiting")]
        assert bool(waits) is bool(one["waiting"])
        assert all(f"({one['waiting']})" in check["found"] for check in waits)


def test_what_is_due_and_held(told: Told) -> None:
    held: dict[str, set[str]] = {}
    for one in told.preview.document["held"]:
        held.setdefault(one["agent"], set()).add(one["reason"])
    due = {one["agent"] for one in told.preview.document["actions"] if one["agent"]}
    for name, one in told.rows.items():
        if one["kind"] == "agent":
            assert (name in held) is (one["sync"] == "held"), name
            assert (name in due) is (one["sync"] in ("drifted", "missing")), name
        if "working" in held.get(name, set()):
            assert not one["may_stop"]
            said = next(it["message"] for it in told.preview.document["held"] if it["agent"] == name)
            assert said.startswith(one["may_stop_why"].split(":")[0])
        if one["next"]:
            assert one["next"]["reason"] in held.get(name, set()) or name in due


def test_the_numbers(told: Told) -> None:
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


def test_who_is_written_to(told: Told) -> None:
    """Sent to: each one that waits is refused, with the same word; whoever is gone, too."""
    fleet = told.fleet
    for name, one in told.rows.items():
        if one["kind"] != "agent" or name in ("free", "working", "stuck", "silent", "unseen", "split"):
            continue
        sent = fleet.cli("agent", "send", name, "-m", "hello", "-o", "json")
        if name == "idle":
            assert sent.document["result"] != "not-delivered"
            continue
        assert (sent.code, sent.document["result"]) == (1, "not-delivered"), name
        if one["waiting"] and one["waiting"] != "draft":
            assert sent.document["reason"] == f"it waits for a person ({one['waiting']})"


def test_who_is_reset(told: Told) -> None:
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


def test_a_stop_of_all_ends_exactly_those_who_may_be_stopped(told: Told) -> None:
    """The last test of the file."""
    fleet = told.fleet
    declared = [name for name, one in told.rows.items() if one["kind"] == "agent" and one["desired"] == "running"]
    asked = fleet.cli("fleet", "stop", *declared, "--fleet", fleet.repo)
    assert "committed" in asked.out, asked.err
    after = rows(fleet)
    for name in declared:
        before, now = told.rows[name], after[name]
        if before["session"] == "alive" and not before["may_stop"]:
            assert now["pid"] == before["pid"], name
        if before["session"] == "alive" and before["may_stop"] and name != "idle":
            assert now["session"] == "missing", (name, now["why"])
