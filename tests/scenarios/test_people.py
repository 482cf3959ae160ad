"""People in the agents' sessions, who split, move and rename what the fleet made, and a second fleet of the same user:
no healthy conversation is ended because of them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from reconciler.git.location import parse_place
from tests.scenarios.fleet import NAME, Fleet, stub

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
    assert run.verbs("a") == ["write", "restart"]
    after = fleet.up("a", "b")
    assert after["b"] == before["b"]
    assert after["a"] != before["a"]
    assert fleet.sessions() == ["_holder", "a", "b"]
    assert fleet.converge().done == []
    assert fleet.up("a", "b") == after


# How a person takes the pane of agent "a" elsewhere, and the session that it is in then.
SWAP = ["swap-pane", "-d", "-s", "=a:", "-t", "=b:"]
ELSEWHERE: dict[str, Sequence[Sequence[str]]] = {
    "joined": [["new-session", "-d", "-s", "mine", "sleep", "1234"], ["join-pane", "-d", "-s", "=a:", "-t", "=mine:"]],
    "window": [["new-session", "-d", "-s", "mine", "sleep", "1"], ["move-window", "-d", "-s", "=a:", "-t", "=mine:7"]],
    "linked": [
        ["new-session", "-d", "-s", "mine", "sleep", "1234"],
        ["link-window", "-d", "-s", "=a:", "-t", "=mine:7"],
        ["split-window", "-d", "-t", "=mine:7", "sleep", "1234"],
    ],
    "group": [["new-session", "-d", "-t", "=a", "-s", "mine"], ["kill-session", "-t", "=a"]],
    "renamed": [["rename-session", "-t", "=a", "mine"]],
    "renamed back": [["rename-session", "-t", "=a", "mine"], ["rename-session", "-t", "=mine", "a"]],
    "swapped": [SWAP],
}  # fmt: skip


@pytest.mark.parametrize("commands", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_pane_is_found_wherever_it_is(fleet: Fleet, commands: Sequence[Sequence[str]]) -> None:
    """By the run, the lists and the commands that act on it; a change starts it anew and leaves the rest alone."""
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    for command in commands:
        fleet.tmux(*command)
    assert fleet.converge().done == []
    assert fleet.up("a", "b") == before
    assert fleet.cli("agent", "tail", "a", "--fleet", NAME).code == 0
    said = fleet.cli("agent", "send", "a", "--fleet", NAME, "-m", "who are you")
    assert (said.code, said.err) == (0, ""), said
    assert fleet.cli("fleet", "verify", "--fleet", NAME).code == 0
    fleet.agents["a"]["env"] = ENV
    fleet.commit()
    if SWAP in commands:  # a new start would find only the other agent in the session of its name
        assert fleet.reconcile().held("a")["reason"] == "not-owned"
        assert fleet.up("a", "b") == before
        fleet.tmux(*SWAP)
    assert "restart" in fleet.converge().verbs("a")
    after = fleet.up("a", "b")
    assert (after["a"] != before["a"], after["b"]) == (True, before["b"])
    assert fleet.converge().done == []


def test_a_session_with_the_pane_of_another_agent(fleet: Fleet) -> None:
    """b is started anew where a's pane was taken, and a goes: each ends alone."""
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    fleet.tmux("join-pane", "-d", "-b", "-s", "=a:", "-t", "=b:")
    fleet.agents["b"] = stub(env=ENV)
    fleet.commit()
    fleet.converge()
    after = fleet.up("a", "b")
    assert (after["a"], after["b"] != before["b"]) == (before["a"], True)
    del fleet.agents["a"]
    fleet.commit()
    fleet.converge()
    assert fleet.pids() == {"b": after["b"]}


def _people(fleet: Fleet) -> dict[str, str]:
    """A split and a window that a person opens in a's session, by the pane's number."""
    fleet.tmux("split-window", "-d", "-t", "=a:", "sleep", "1234")
    fleet.tmux("new-window", "-d", "-t", "=a:", "sleep", "5678")
    return _sleeps(fleet)


def _sleeps(fleet: Fleet) -> dict[str, str]:
    rows = fleet.tmux("list-panes", "-a", "-F", "#{pane_id} #{pane_pid} #{session_name} #{pane_current_command}")
    found = (line.split() for line in rows.splitlines())
    return {row[0]: row[1] for row in found if row[2] != "_holder" and row[3] == "sleep"}


def test_what_people_have_in_a_session_stays(fleet: Fleet) -> None:
    """Its program dies, its spec changes, it is stopped, it is started, it is removed."""
    fleet.declare("a", "b")
    fleet.converge()
    theirs = _people(fleet)
    assert len(theirs) == 2
    fleet.kill(fleet.up("a", "b")["a"])
    fleet.converge()
    healed = fleet.up("a", "b")
    assert (_sleeps(fleet), fleet.sessions()) == (theirs, ["_holder", "a", "b"])
    fleet.agents["a"]["env"] = ENV
    fleet.commit()
    fleet.converge()
    assert fleet.up("a", "b") != healed
    assert _sleeps(fleet) == theirs
    fleet.agents["a"]["state"] = "stopped"
    fleet.commit()
    assert fleet.converge().document["held"] == []
    assert (sorted(fleet.pids()), _sleeps(fleet)) == (["b"], theirs)
    fleet.agents["a"]["state"] = "running"
    fleet.commit()
    fleet.converge()
    now = fleet.up("a", "b")
    assert (_sleeps(fleet), fleet.sessions()) == (theirs, ["_holder", "a", "b"])
    del fleet.agents["a"]
    fleet.commit()
    held = fleet.reconcile("--dry-run", "-o", "json").held("a")
    assert (held["reason"], len(held["losses"])) == ("not-owned", 2)
    assert all(one.startswith("sleep in window ") for one in held["losses"])
    fleet.reconcile()
    assert (fleet.pids(), _sleeps(fleet)) == (now, theirs)
    fleet.tmux("new-window", "-d", "-t", "=a:", "sleep", "9999")
    said = fleet.cli("fleet", "release", "a", "--fleet", NAME)
    assert said.code == 0
    assert fleet.reconcile().held("a")["reason"] == "not-owned", "one more is there now, which nobody has let go"
    assert fleet.cli("fleet", "release", "a", "--fleet", NAME).code == 0
    fleet.converge()
    assert (sorted(fleet.pids()), _sleeps(fleet), fleet.sessions()) == (["b"], {}, ["_holder", "b"])


def test_a_move_to_another_server_waits_for_what_people_have(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    theirs, before = _people(fleet), fleet.up("a", "b")
    fleet.roster["tmux"] = {"socket_name": "other"}
    fleet.commit()
    run = fleet.reconcile()
    assert (run.held("a")["reason"], len(run.held("a")["losses"])) == ("not-owned", 2)
    assert _sleeps(fleet) == theirs
    assert fleet.pids()["a"] == before["a"]


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
    bindings = json.loads(fleet.read(known))
    bindings["names"][parse_place(fleet.repo).key] = "other"
    fleet.write(known, json.dumps(bindings))
    run = fleet.reconcile("--timeout", "10s")
    assert run.code == 1
    assert not [one for one in run.done if one.endswith(":a")]
    assert not [one for one in run.done if "holder" in one]
    assert fleet.pids() == before
    fleet.repo = first
    assert fleet.converge().done == []
