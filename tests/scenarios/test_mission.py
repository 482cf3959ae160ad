"""A new mission and a new contract on a real host: seen, told once, brought by a reset; and nothing is restarted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.scenarios.fleet import Fleet, stub

GROW, SHRINK = ("version: 1\nmission: Grow things.\n", "version: 1\nmission: Shrink things.\n")
CALM = "---\nclass: code\n---\n## Persona\n\nCalm, says the fleet.\n"
BOLD = CALM.replace("Calm", "Bold")


def given(fleet: Fleet, name: str) -> str:
    """What the agent's pane says that it was given."""
    return fleet.tmux("show-options", "-pqv", "-t", f"={name}:", "@mosaic_mission").strip()


def contract(fleet: Fleet, name: str) -> str:
    return fleet.read(f"{fleet.mosaic}/fleet/agents/{name}.d/contract.md")


def rows(fleet: Fleet) -> dict[str, dict[str, Any]]:
    run = fleet.cli("fleet", "ps", "-o", "json")
    return {one["name"]: one for one in json.loads(run.out)["agents"]}


def outbox(fleet: Fleet) -> list[str]:
    """For whom a message waits."""
    return [one["agent"] for one in json.loads(fleet.cli("agent", "outbox", "-o", "json").out)["messages"]]


@pytest.fixture
def crew(fleet: Fleet) -> Fleet:
    """One coder, one of another class, one that may be reset between tasks; each is called idle a moment after it was
    last active."""
    fleet.rules["heartbeat"]["idle_after"] = "1s"
    fleet.agents = {
        "coder0": stub(**{"class": "code"}),
        "coder1": stub(**{"class": "code", "reset_between_tasks": True}),
        "other": stub(**{"class": "review"}),
    }
    fleet.commit(raw={"NORTH_STAR.yaml": GROW, "roles/code.md": CALM})
    fleet.converge()
    fleet.up("coder0", "coder1", "other")
    for name in fleet.agents:
        fleet.beats(name)
    return fleet


def test_it_is_seen_and_nobody_is_restarted(crew: Fleet) -> None:
    before, old = crew.pids(), {name: given(crew, name) for name in crew.agents}
    assert {len(digest) for digest in old.values()} == {12}
    assert "Calm, says the fleet." in contract(crew, "coder0")
    assert "Grow things." in contract(crew, "other")
    assert {one["mission"]["state"] for one in rows(crew).values()} == {"current"}
    crew.commit(raw={"roles/code.md": BOLD})
    run = crew.converge()
    assert run.disruptive == []
    assert run.added == ["write:extras:coder0", "write:extras:coder1"]
    assert "Bold, says the fleet." in contract(crew, "coder0")
    found = rows(crew)
    assert {name: one["mission"]["state"] for name, one in found.items()} == {
        "coder0": "older", "coder1": "older", "other": "current",
    }  # fmt: skip
    assert found["coder0"]["mission"]["since"] is not None
    assert "it runs on an older contract since" in crew.cli("fleet", "ps").out
    crew.commit(raw={"NORTH_STAR.yaml": SHRINK})
    assert crew.converge().disruptive == []
    assert "it runs on an older mission and contract since" in rows(crew)["coder0"]["why"]
    assert "it runs on an older mission since" in rows(crew)["other"]["why"]
    assert (crew.pids(), {name: given(crew, name) for name in crew.agents}) == (before, old)
    assert outbox(crew) == []
    crew.commit(raw={"roles/code.md": CALM, "NORTH_STAR.yaml": GROW})
    crew.converge()
    assert {one["mission"]["state"] for one in rows(crew).values()} == {"current"}


def test_who_is_to_be_told_is_told_once(crew: Fleet) -> None:
    before = crew.pids()
    crew.rules["mission"] = {"on_change": "tell", "classes": {"review": "show"}}
    crew.commit(raw={"NORTH_STAR.yaml": SHRINK})

    def is_told() -> bool:
        crew.converge()
        return outbox(crew) == [] and all("it was told" in rows(crew)[name]["why"] for name in ("coder0", "coder1"))

    crew.wait(is_told, "everybody was told")
    crew.shows("coder0", "The mission of this fleet has changed")
    crew.shows("coder0", "agents/coder0.d/contract.md")
    assert "it was told" not in rows(crew)["other"]["why"]
    told = [one for one in crew.events() if one["type"] == "delivery" or "message" in one["type"]]
    assert sorted(one["agent"] for one in told) == ["coder0", "coder1"]
    for _ in range(3):
        crew.converge()
    assert [one for one in crew.events() if one["type"] == "delivery" or "message" in one["type"]] == told
    assert crew.pids() == before


def test_a_reset_between_tasks_brings_it(crew: Fleet) -> None:
    before, old = crew.pids(), given(crew, "coder1")
    crew.rules["mission"] = {"on_change": "reset"}
    crew.commit(raw={"roles/code.md": BOLD})

    def is_reset() -> bool:
        crew.converge()
        return given(crew, "coder1") != old

    crew.wait(is_reset, "coder1 has a new conversation")
    assert rows(crew)["coder1"]["mission"]["state"] == "current"
    crew.shows("coder0", "Your contract as code has changed")
    assert [(one["agent"], one["by"]) for one in crew.events() if one["type"] == "reset"] == [("coder1", "mosaic")]
    for _ in range(2):
        crew.converge()
    assert len([one for one in crew.events() if one["type"] == "reset"]) == 1
    assert crew.pids() == before


def test_nothing_is_said_while_somebody_has_paused_or_suspended_it(crew: Fleet) -> None:
    crew.rules["mission"] = {"on_change": "tell"}
    crew.commit(raw={"NORTH_STAR.yaml": SHRINK})
    crew.cli("fleet", "pause", "--reason", "a visit")
    assert crew.reconcile().code == 0
    assert outbox(crew) == []
    crew.cli("fleet", "resume")
    for name in crew.agents:
        crew.cli("fleet", "suspend", name, "--here", "--reason", "pairing", "--for", "1h")
    crew.reconcile()
    assert outbox(crew) == []
    assert not any("it was told" in one["why"] for one in rows(crew).values())
