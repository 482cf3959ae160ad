"""An agent comes back in its conversation, and a person chooses another: on a real host, by the command lines."""

from __future__ import annotations

from typing import Any

from tests.scenarios.fleet import Fleet, stub


def sessions(fleet: Fleet, name: str) -> list[dict[str, Any]]:
    run = fleet.cli("agent", "sessions", name, "--fleet", fleet.repo, "-o", "json")
    assert run.code == 0, run.err
    listed: list[dict[str, Any]] = run.document["sessions"]
    return listed


def row(fleet: Fleet, name: str) -> dict[str, Any]:
    run = fleet.cli("fleet", "ps", "--fleet", fleet.repo, "-o", "json")
    return next(one for one in run.document["agents"] if one["name"] == name)


def say(fleet: Fleet, name: str, text: str) -> None:
    fleet.type(name, text)
    fleet.shows(name, f"stub {name}> {text}")


def shown(fleet: Fleet, name: str) -> str:
    return fleet.tmux("capture-pane", "-p", "-S", "-200", "-t", f"={name}:")


def is_sent(fleet: Fleet, name: str, text: str) -> None:
    """Runs, until one has found the agent available and has sent what waits."""
    fleet.wait(lambda: fleet.converge() and text in shown(fleet, name), f"{text!r} sent to {name}")


def told(fleet: Fleet) -> list[tuple[str, str, Any]]:
    kinds = ("conversation-resumed", "conversation-fresh")
    return [(one["agent"], one["type"], one["reason"]) for one in fleet.events() if one["type"] in kinds]


def test_it_comes_back_in_its_conversation_and_a_person_chooses(fleet: Fleet) -> None:
    fleet.agents = {"a": stub(kickstart_template="Hello there.", resume_nudge="go on"), "b": stub()}
    fleet.git("config", "user.name", "Test")
    fleet.git("config", "user.email", "test@example.invalid")
    fleet.commit("first")
    fleet.converge()
    pids = fleet.up("a", "b")
    is_sent(fleet, "a", "Hello there.")
    for name in ("a", "b"):
        say(fleet, name, f"the turn of {name}")
    (first,) = sessions(fleet, "a")
    (other,) = sessions(fleet, "b")
    assert (first["present"], other["present"], first["id"] == other["id"]) == (True, True, False)
    assert first["bytes"] > 0

    # Both are killed, one of them in the middle of a turn.
    fleet.type("a", "/busy")
    fleet.beats("a", "status=busy")
    fleet.kill(*pids.values())
    fleet.converge()
    fleet.shows("a", "goes on after 2 turns, the last: the turn of a")
    fleet.shows("b", "goes on after 1 turns, the last: the turn of b")
    is_sent(fleet, "a", "go on")
    assert "Hello there." not in shown(fleet, "a")  # a new pane: they were not sent again
    assert sorted(told(fleet)) == [("a", "conversation-resumed", None), ("b", "conversation-resumed", None)]
    seen = row(fleet, "a")
    assert seen["conversation"] == {
        "id": first["id"], "began": "resumed", "why": "resumed: its last turn had not ended"
    }  # fmt: skip
    assert "resumed: its last turn had not ended" in seen["notes"]

    # A new one, once; then back to the first.
    options = ("--fleet", fleet.repo)
    run = fleet.cli("fleet", "restart", "a", "--fresh", *options)
    assert run.code == 0, run.err
    say(fleet, "a", "something else")
    fresh = next(one for one in sessions(fleet, "a") if one["present"])
    assert fresh["id"] != first["id"]
    fleet.kill(fleet.pids()["a"])
    fleet.converge()
    assert next(one for one in sessions(fleet, "a") if one["present"])["id"] == fresh["id"]
    run = fleet.cli("fleet", "restart", "a", "--session", "no-such-one", *options)
    assert (run.code, "mosaic agent sessions a" in run.err) == (4, True)
    run = fleet.cli("fleet", "restart", "a", "--session", first["id"][:12], *options)
    assert run.code == 0, run.err
    assert next(one for one in sessions(fleet, "a") if one["present"])["id"] == first["id"]

    # Stopped and started, it begins again; the others were never touched.
    assert fleet.cli("fleet", "stop", "a", *options).code == 0
    assert fleet.cli("fleet", "start", "a", *options).code == 0
    assert row(fleet, "a")["conversation"]["why"] == "started fresh because it had been stopped"
    assert told(fleet)[-1] == ("a", "conversation-fresh", "stopped")
    assert [one["id"] for one in sessions(fleet, "b")] == [other["id"]]
