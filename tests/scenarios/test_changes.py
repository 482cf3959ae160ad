"""Commits that change a fleet: each ends, starts and restarts exactly what it should, and touches nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.fleet import RULES, SOCKET, Fleet, stub

TWO = ("a", "b")


def begin(fleet: Fleet, *names: str) -> dict[str, int]:
    fleet.declare(*(names or TWO))
    fleet.converge()
    return fleet.up(*(names or TWO))


def test_a_new_agent_is_started_beside_the_others(fleet: Fleet) -> None:
    before = begin(fleet)
    fleet.agents["c"] = stub()
    fleet.commit()
    run = fleet.converge()
    assert run.done == ["write:env:c", "enable:systemd:c", "start:systemd:c"]
    after = fleet.up("a", "b", "c")
    assert {name: after[name] for name in before} == before


RESTARTS: dict[str, dict[str, Any]] = {
    "env": {"env": {"COLOUR": "blue"}},
    "working-directory": {"working_directory": "/var"},
    "class": {"class": "reviewer"},
    "resources": {"resources": {"tasks_max": 50}},
    "generation": {"generation": 1},
    "model": {"model_hint": "large"},
}


@pytest.mark.parametrize("entry", RESTARTS.values(), ids=RESTARTS)
def test_a_change_of_the_launch_restarts_that_agent_alone(fleet: Fleet, entry: dict[str, Any]) -> None:
    before = begin(fleet)
    fleet.agents["a"].update(entry)
    fleet.commit()
    preview = fleet.reconcile("--dry-run")
    assert preview.verbs("a") == ["write", "restart"]
    assert [one["id"] for one in preview.document["actions"] if one["disrupts"]] == ["restart:systemd:a"]
    run = fleet.converge()
    assert run.done == ["write:env:a", "restart:systemd:a"]
    assert {one["reason"] for one in run.document["actions"]} == {"spec-changed"}
    after = fleet.up(*TWO)
    assert after["a"] != before["a"]
    assert after["b"] == before["b"]
    assert fleet.converge().done == []


def test_the_new_launch_is_what_runs(fleet: Fleet) -> None:
    begin(fleet)
    fleet.agents["a"].update(env={"COLOUR": "light blue"}, working_directory="/var/tmp", resources={"tasks_max": 50})
    fleet.commit()
    run = fleet.converge()
    named = {change["path"] for one in run.document["actions"] for change in one["changes"]}
    assert {"env.COLOUR", "working_directory", "resources.TasksMax"} <= named
    fleet.type("a", "/env COLOUR")
    fleet.shows("a", "COLOUR=light blue")
    pid = fleet.pids()["a"]
    assert fleet.sh(f"readlink /proc/{pid}/cwd").strip() == "/var/tmp"
    scope = fleet.sh("systemctl --user list-units --plain --no-legend 'mosaic-pane-a:*'").split()[0]
    assert fleet.sh(f"systemctl --user show -P TasksMax {scope}").strip() == "50"


QUIET: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "alias": ({"alias": "Ada"}, {}),
    "heartbeat": ({}, {"heartbeat": {"interval": "2s", "stale_after": "50s", "idle_after": "200s"}}),
    "suspend": ({}, {"suspend": [{"agent": "a", "reason": "pairing", "by": "ada"}]}),
    "persona": ({"reset_between_tasks": True, "persistent_persona": "semi"}, {}),
    "interval": ({}, {"reconcile": {**RULES["reconcile"], "interval": "90s"}}),
}


@pytest.mark.parametrize(("entry", "rules"), QUIET.values(), ids=QUIET)
def test_what_needs_no_restart_causes_none(fleet: Fleet, entry: dict[str, Any], rules: dict[str, Any]) -> None:
    before = begin(fleet)
    fleet.agents["a"].update(entry)
    fleet.rules.update(rules)
    fleet.commit()
    run = fleet.reconcile()
    assert run.code == 0, run.out
    assert run.disruptive == []
    assert fleet.up(*TWO) == before
    assert fleet.converge().done == []


def test_a_renamed_agent_is_another_agent(fleet: Fleet) -> None:
    before = begin(fleet, "a", "b", "c")
    fleet.agents["z"] = fleet.agents.pop("c")
    fleet.commit()
    run = fleet.converge()
    assert run.verbs("c") == ["disable", "stop", "delete"]
    assert run.verbs("z") == ["write", "enable", "start"]
    after = fleet.up("a", "b", "z")
    assert (after["a"], after["b"]) == (before["a"], before["b"])
    assert not fleet.exists(f"{fleet.mosaic}/fleet/agents/c.env")
    assert fleet.sessions() == ["_holder", "a", "b", "z"]


def test_stopped_and_running_again(fleet: Fleet) -> None:
    before = begin(fleet)
    fleet.agents["a"]["state"] = "stopped"
    fleet.commit()
    run = fleet.converge()
    assert run.verbs("a")[:2] == ["disable", "stop"]
    assert fleet.up("b") == {"b": before["b"]}
    assert fleet.sessions() == ["_holder", "b"]
    assert fleet.sh("systemctl --user list-units --all --plain --no-legend 'mosaic-pane-a:*'") == ""
    assert fleet.converge().done == []
    del fleet.agents["a"]["state"]
    fleet.commit()
    fleet.converge()
    assert fleet.up(*TWO)["b"] == before["b"]


@pytest.mark.parametrize("how", ["absent", "removed"])
def test_removed_for_good(fleet: Fleet, how: str) -> None:
    before = begin(fleet, "a", "b", "c", "d")
    if how == "absent":
        fleet.agents["a"]["state"] = "absent"
    else:
        del fleet.agents["a"]
    fleet.commit()
    run = fleet.converge()
    assert run.verbs("a") == ["disable", "stop", "delete"]
    assert {one["reason"] for one in run.document["actions"] if one["agent"] == "a"} == {"removed-from-git"}
    assert sorted(run.added) == ["delete:extras:a", "write:extras:b", "write:extras:c", "write:extras:d"]
    del before["a"]
    assert fleet.up("b", "c", "d") == before
    assert not fleet.exists(f"{fleet.mosaic}/fleet/agents/a.env")
    assert fleet.converge().done == []
    assert sorted(fleet.store().load_inventory().agents) == ["b", "c", "d"]


def test_another_socket_moves_the_agent_and_nobody_else(fleet: Fleet) -> None:
    before = begin(fleet)
    fleet.agents["a"]["socket"] = "other"
    fleet.commit()
    fleet.converge()
    after = fleet.up(*TWO)
    assert after["b"] == before["b"]
    assert fleet.sessions() == ["_holder", "b"]
    assert fleet.sessions("other") == ["_holder", "a"]
    assert fleet.converge().done == []
    fleet.agents["a"]["socket"] = SOCKET
    fleet.commit()
    fleet.converge()
    assert fleet.up(*TWO)["b"] == before["b"]
    assert fleet.sessions() == ["_holder", "a", "b"]
    assert "a" not in fleet.sessions("other")


def test_the_default_server_where_no_socket_is_named(fleet: Fleet) -> None:
    """An operator's own session on it stays what it is."""
    fleet.host.tmux("", "new-session", "-d", "-s", "mine", "sleep", "infinity")
    fleet.roster["tmux"] = {}
    fleet.declare("a")
    fleet.converge()
    fleet.up("a")
    assert fleet.sessions("") == ["_holder", "a", "mine"]
    assert fleet.sh("ls /tmp/tmux-*/").split() == ["default"]
    fleet.agents["a"]["state"] = "stopped"
    fleet.commit()
    fleet.converge()
    assert "mine" in fleet.sessions("")


def test_another_runtime(fleet: Fleet) -> None:
    before = begin(fleet)
    fleet.write(f"{fleet.host.home}/bin/chatter", "#!/bin/sh\nexec sleep 1000\n", 0o755)
    fleet.roster["runtimes"] = {"chatter": {"command": f"{fleet.host.home}/bin/chatter", "process_names": ["sleep"]}}
    fleet.agents["a"]["runtime"] = "chatter"
    fleet.commit()
    run = fleet.converge()
    assert run.verbs("a") == ["write", "restart"]
    assert fleet.pids() == {"b": before["b"]}  # the other one is a sleep now
    panes = fleet.tmux("list-panes", "-a", "-F", "#{session_name} #{pane_current_command}")
    assert "a sleep" in panes.splitlines()
    assert fleet.converge().done == []


def test_a_session_of_the_same_name_that_is_not_ours_is_left_alone(fleet: Fleet) -> None:
    fleet.declare("a")
    fleet.host.tmux(SOCKET, "new-session", "-d", "-s", "a", "sleep", "1234")
    run = fleet.reconcile()
    assert run.code == 1
    held = run.held("a")
    assert held["reason"] == "not-owned"
    assert fleet.pids() == {}
    assert "a sleep" in fleet.tmux("list-panes", "-a", "-F", "#{session_name} #{pane_current_command}")
    fleet.tmux("kill-session", "-t", "=a")
    fleet.converge()
    fleet.up("a")


def test_what_nobody_declares_is_shown_and_not_touched(fleet: Fleet) -> None:
    begin(fleet)
    fleet.host.tmux(SOCKET, "new-session", "-d", "-s", "stray", "sleep", "1234")
    run = fleet.converge()
    assert any("stray" in orphan for orphan in run.document["orphans"]), run.document["orphans"]
    assert "stray" in fleet.sessions()
