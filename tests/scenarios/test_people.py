"""People in the agents' sessions, who split, move and rename what the fleet made, and a second fleet of the same user:
no healthy conversation is ended because of them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from reconciler.place import parse_place
from tests.scenarios.fleet import Fleet, stub

ENV = {"A": "b"}
# What a person does to agent "a", as tmux commands. A restart of it afterwards must not be needed.
HANDS: dict[str, Sequence[Sequence[str]]] = {
    "pane-before": [["split-window", "-b", "-t", "=a:", "sleep", "1234"]],
    "window-before": [["new-window", "-b", "-t", "=a:0", "sleep", "1234"]],
    "pane-broken-out": [["split-window", "-b", "-t", "=a:", "cat"], ["break-pane", "-d", "-s", "=a:0.1", "-t", "=a:"]],
    "second-view": [["new-session", "-d", "-t", "=a", "-s", "view"]],
    "linked-window": [["new-session", "-d", "-s", "0m", "sleep", "1234"], ["link-window", "-s", "=a:0", "-t", "=0m:7"]],
    "renamed-up": [["rename-session", "-t", "=a", "zz"]],
    "renamed-down": [["rename-session", "-t", "=a", "AA"]],
}  # fmt: skip


@pytest.mark.parametrize("commands", HANDS.values(), ids=HANDS)
def test_the_agents_own_pane_counts(fleet: Fleet, commands: Sequence[Sequence[str]]) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    for command in commands:
        fleet.tmux(*command)
    assert fleet.converge().done == []
    assert fleet.up("a", "b") == before


@pytest.mark.parametrize("name", ["zz", "AA"])
def test_a_renamed_session_is_restarted_once(fleet: Fleet, name: str) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    fleet.tmux("rename-session", "-t", "=a", name)
    fleet.agents["a"]["env"] = ENV
    fleet.commit()
    run = fleet.converge()
    assert run.verbs("a") == ["write", "restart", "stop"]  # the stop is of what is left of the renamed session
    after = fleet.up("a", "b")
    assert after["b"] == before["b"]
    assert after["a"] != before["a"]
    assert fleet.sessions() == ["_holder", "a", "b"]
    assert fleet.converge().done == []
    assert fleet.up("a", "b") == after


def test_a_pane_that_was_moved_is_left_alone(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    fleet.tmux("new-session", "-d", "-s", "mine", "sleep", "1234")
    fleet.tmux("join-pane", "-d", "-s", "=a:", "-t", "=mine:")
    run = fleet.reconcile()
    assert (run.code, run.done, run.held("a")["reason"]) == (1, [], "not-owned")
    assert "mine" in run.held("a")["message"]
    assert fleet.pids() == before
    fleet.agents["a"]["env"] = ENV
    fleet.commit()
    assert "restart" not in fleet.reconcile().verbs("a")
    del fleet.agents["a"]
    fleet.commit()
    run = fleet.reconcile()
    assert run.verbs("a") == ["disable"]
    assert fleet.pids() == before
    fleet.kill(before["a"])
    fleet.converge()
    fleet.up("b")
    assert "mine" in fleet.sessions()


def test_panes_that_were_swapped_are_left_alone(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    fleet.tmux("swap-pane", "-d", "-s", "=a:", "-t", "=b:")
    run = fleet.reconcile()
    assert run.done == []
    assert (run.held("a")["reason"], run.held("b")["reason"]) == ("not-owned", "not-owned")
    fleet.tmux("swap-pane", "-d", "-s", "=a:", "-t", "=b:")
    assert fleet.converge().done == []
    assert fleet.up("a", "b") == before


def test_a_session_with_the_pane_of_another_agent_is_not_ended(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    fleet.tmux("join-pane", "-d", "-b", "-s", "=a:", "-t", "=b:")
    fleet.agents = {"b": stub(env=ENV)}
    fleet.commit()
    run = fleet.reconcile()
    assert run.done == ["write:env:b", "disable:systemd:a"]
    assert "(a)" in run.held("b")["message"]
    assert fleet.pids() == before
    fleet.agents = {}
    fleet.commit(
        raw={"roster.yaml": '{"version": 1, "agents": [{"name": "b", "runtime": "stub", "state": "stopped"}]}'}
    )
    assert fleet.reconcile().verbs("b") == ["disable", "write"]
    assert fleet.pids() == before


def test_a_persons_session_of_the_holders_name(fleet: Fleet) -> None:
    fleet.declare("a")
    fleet.roster["tmux"] = {}
    fleet.commit()
    fleet.host.tmux("", "new-session", "-d", "-s", "_holder", "sleep", "1234")
    run = fleet.reconcile("--timeout", "20s")
    assert run.code == 1
    assert fleet.pids() == {}
    assert fleet.sessions("") == ["_holder"]
    assert "mosaic" not in fleet.tmux("show-options", "-t", "=_holder:", socket="")
    fleet.host.systemctl("stop", "mosaic-tmux-holder.service")
    fleet.tmux("rename-session", "-t", "=_holder", "mine", socket="")
    fleet.converge()
    assert fleet.sessions("") == ["_holder", "a", "mine"]


@pytest.mark.parametrize("state", ["stopped", "absent", "running"])
def test_another_fleets_agent_of_the_same_name(fleet: Fleet, state: str) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    first = fleet.repo
    fleet.repo = f"{fleet.host.home}/other"
    fleet.host.run(["mkdir", fleet.repo])
    fleet.git("init", "-q", "-b", "main")
    fleet.rules["name"] = "other"
    fleet.roster["tmux"] = {"socket_name": "other"}
    fleet.agents = {"a": stub(state=state), "c": stub()}
    fleet.commit()
    # A second fleet is refused now; this one is known from before that.
    known = f"{fleet.host.home}/.local/state/mosaic/sources.json"
    fleet.write(known, json.dumps({**json.loads(fleet.read(known)), parse_place(fleet.repo).key: "other"}))
    run = fleet.reconcile("--timeout", "10s")
    assert run.code == 1
    assert not [one for one in run.done if one.endswith(":a")]
    assert not [one for one in run.done if "holder" in one]
    assert fleet.pids() == before
    fleet.repo = first
    assert fleet.converge().done == []
