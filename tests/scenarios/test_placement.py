"""A living agent outside its scope, or without its limits, is drift with that name, and is put right where it lives."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.scenarios.fleet import Fleet, Run

TWO = ("a", "b")
# What tmux asks systemd for, where it is built with libsystemd.
TMUX_MOVES = """
busctl --user --quiet call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager \
    StartTransientUnit 'ssa(sv)a(sa(sv))' tmux-spawn-$(cat /proc/sys/kernel/random/uuid).scope fail \
    2 PIDs au {count} {pids} CollectMode s inactive-or-failed 0
for pid in {pids}; do until grep -q '^0::.*/tmux-spawn-' /proc/$pid/cgroup; do sleep 0.02; done; done
"""
UNIT_OF = "sed -n 's,^0::.*/,,p' /proc/{pid}/cgroup"


def outside(fleet: Fleet, *pids: int) -> None:
    fleet.sh(TMUX_MOVES.format(count=len(pids), pids=" ".join(map(str, pids))))


def unit_of(fleet: Fleet, pid: int) -> str:
    return fleet.sh(UNIT_OF.format(pid=pid)).strip()


def changes(run: Run, what: str = "actions") -> dict[str, list[str]]:
    """The fields that differ, by agent."""
    return {one["agent"]: [change["path"] for change in one["changes"]] for one in run.document[what]}


def rows(fleet: Fleet) -> dict[str, dict[str, Any]]:
    listed = json.loads(fleet.cli("fleet", "ps", "-o", "json").out)["agents"]
    return {one["name"]: one for one in listed}


def test_a_pane_outside_its_scope_is_named_everywhere_and_moved_without_an_end(fleet: Fleet) -> None:
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    fleet.sh(f"grep -q mosaic-pane-a: /proc/{before['a']}/cgroup")
    outside(fleet, before["a"])
    preview = fleet.reconcile("--dry-run", "--detailed-exitcode")
    assert (preview.code, preview.verbs("a"), changes(preview)) == (2, ["confine"], {"a": ["scope"]})
    assert preview.disruptive == []
    row = rows(fleet)["a"]
    assert row["sync"] == "drifted"
    assert any("scope" in problem for problem in row["problems"])
    wrong = [
        one for one in json.loads(fleet.cli("fleet", "verify", "-o", "json").out)["checks"] if one["result"] == "wrong"
    ]
    assert [(one["name"], one["agent"]) for one in wrong] == [("scope", "a")]
    run = fleet.converge()
    assert run.done == ["confine:tmux:a"]
    assert fleet.up(*TWO) == before
    assert unit_of(fleet, before["a"]).startswith("mosaic-pane-a:")
    assert fleet.converge().done == []
    assert "tmux-spawn" not in fleet.sh("systemctl --user list-units --plain --no-legend 'tmux-spawn-*'")


def test_what_it_has_started_moves_along(fleet: Fleet) -> None:
    fleet.declare("a")
    fleet.converge()
    pid = fleet.up("a")["a"]
    fleet.type("a", "/spawn")
    mine = "grep -lsz '^MOSAIC_AGENT_NAME=a$' /proc/[0-9]*/environ | cut -d/ -f3"
    fleet.wait(lambda: len(fleet.sh(mine).split()) == 2, "a child")
    both = [int(one) for one in fleet.sh(mine).split()]
    outside(fleet, *both)
    fleet.converge()
    assert fleet.up("a")["a"] == pid
    assert len({unit_of(fleet, one) for one in both}) == 1
    assert unit_of(fleet, pid).startswith("mosaic-pane-a:")


def test_a_stop_ends_what_tmux_has_moved_out(fleet: Fleet) -> None:
    """The panes of a tmux server that the agent has started are taken out of the agent's scope by tmux."""
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    child = fleet.sh("MOSAIC_AGENT_NAME=a setsid sleep 4321 >/dev/null 2>&1 & echo $!").strip()
    other = fleet.sh("MOSAIC_AGENT_NAME=b setsid sleep 4322 >/dev/null 2>&1 & echo $!").strip()
    for pid in (child, other):
        outside(fleet, int(pid))
    fleet.agents["a"]["state"] = "stopped"
    fleet.commit()
    fleet.converge()
    assert fleet.sh(f"cd /proc; ls -d {child} {other} 2>/dev/null || :").split() == [other]
    assert fleet.up("b")["b"] == before["b"]


def test_limits_that_are_not_in_force_are_put_back_or_said(fleet: Fleet) -> None:
    fleet.declare("a", resources={"tasks_max": 77})
    run = fleet.converge()
    pid = fleet.up("a")["a"]
    scope = unit_of(fleet, pid)
    kept = fleet.reconcile("--dry-run").document["held"] == []
    fleet.sh(f"systemctl --user set-property --runtime {scope} TasksMax=88")
    preview = fleet.reconcile("--dry-run")
    if not kept:  # no controller on this host: it is said, and nothing is tried again and again
        [held] = preview.document["held"]
        assert (held["reason"], held["verb"]) == ("unsupported", "confine")
        assert [change["path"] for change in held["changes"]] == ["limits.TasksMax"]
        assert preview.document["actions"] == []
        run = fleet.reconcile()
        assert (run.code, run.done) == (0, [])
        assert "TasksMax" in " ".join(rows(fleet)["a"]["problems"])
        return
    assert changes(preview) == {"a": ["limits.TasksMax"]}
    run = fleet.converge()
    assert run.done == ["confine:tmux:a"]
    assert fleet.up("a")["a"] == pid
    assert fleet.sh(f"systemctl --user show -P TasksMax {scope}").strip() == "77"
    assert fleet.converge().done == []


@pytest.mark.parametrize("person", ["stop", "kill"])
def test_a_person_who_ends_a_scope_ends_that_agent_alone_and_it_comes_back_in_one(fleet: Fleet, person: str) -> None:
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    fleet.sh(f"systemctl --user {person} {unit_of(fleet, before['a'])}")
    fleet.wait(lambda: "a" not in fleet.living(), "the end of a")
    fleet.converge()
    after = fleet.up(*TWO)
    assert after["b"] == before["b"]
    assert unit_of(fleet, after["a"]).startswith("mosaic-pane-a:")
