"""The outbox and the first words on a real host: by single runs, and by the resident loop."""

from __future__ import annotations

import pytest

from tests.hosts.private import PrivateHost
from tests.hosts.waiting import eventually
from tests.scenarios.fleet import Fleet, stub
from tests.scenarios.test_watch import watching


@pytest.fixture
def fleet(private_host: PrivateHost) -> Fleet:
    return Fleet(private_host)


def taken(fleet: Fleet, agent: str, text: str) -> int:
    """How often the agent has answered to a text."""
    screen = fleet.tmux("capture-pane", "-p", "-J", "-S", "-200", "-t", f"={agent}:")
    return sum(line.startswith(f"stub {agent}> ") and line.endswith(f"] {text}") for line in screen.splitlines())


def answers(fleet: Fleet, agent: str, text: str) -> None:
    """It has taken it up once. Its receipt, which makes a message delivered, comes before its answer."""
    eventually(lambda: taken(fleet, agent, text) > 0, timeout=60, what=f"the answer of {agent}")
    assert taken(fleet, agent, text) == 1


def keep(fleet: Fleet, agent: str, text: str, *options: str) -> None:
    said = fleet.cli("agent", "send", agent, "-m", text, "--when", "available", *options)
    assert said.code == 0, said.err


def outbox(fleet: Fleet) -> list[tuple[str, str]]:
    return [(one["begins"], one["state"]) for one in fleet.cli("agent", "outbox", "-o", "json").document["messages"]]


def told(fleet: Fleet) -> list[tuple[str, str]]:
    return [(one["agent"], one["result"]) for one in fleet.events() if one["type"] == "message"]


def test_runs_deliver_what_waits(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    fleet.beats("a")
    fleet.type("a", "/busy")
    fleet.beats("a", "status=busy")
    keep(fleet, "a", "errand")
    keep(fleet, "a", "chore")
    fleet.converge()
    assert taken(fleet, "a", "errand") == 0
    assert outbox(fleet) == [("errand", "waiting"), ("chore", "waiting")]
    assert fleet.cli("fleet", "pause", "--reason", "a storm").code == 0
    fleet.type("a", "/idle")
    fleet.beats("a")
    fleet.reconcile()
    assert taken(fleet, "a", "errand") == 0
    assert fleet.cli("fleet", "resume").code == 0

    def delivered(number: int) -> bool:
        fleet.converge()
        return len(told(fleet)) == number

    eventually(lambda: delivered(1), timeout=60, what="the first message")
    answers(fleet, "a", "errand")
    assert taken(fleet, "a", "chore") == 0
    eventually(lambda: delivered(2), timeout=60, what="the second message")
    answers(fleet, "a", "chore")
    assert taken(fleet, "a", "errand") == 1
    assert told(fleet) == [("a", "delivered")] * 2
    assert outbox(fleet) == []
    assert not fleet.exists(f"{fleet.state}/outbox")
    assert "errand" not in fleet.read(f"{fleet.state}/events.ndjson")


def test_the_resident_loop_delivers_by_itself(fleet: Fleet) -> None:
    fleet.rules["reconcile"]["interval"] = "1h"  # whatever happens soon happens because something woke it up
    fleet.declare("a")
    with watching(fleet) as watch:
        keep(fleet, "a", "errand")
        watch.until(lambda: taken(fleet, "a", "errand") == 1, "the first message")
        fleet.type("a", "/busy")
        fleet.beats("a", "status=busy")
        keep(fleet, "a", "chore")
        fleet.type("a", "/idle")
        watch.until(lambda: taken(fleet, "a", "chore") == 1, "the second message")
        watch.until(lambda: not outbox(fleet), "an empty outbox")
    assert told(fleet) == [("a", "delivered")] * 2


def test_each_life_gets_its_first_words_once(fleet: Fleet) -> None:
    fleet.rules["reconcile"]["interval"] = "1h"
    fleet.agents = {"a": stub(kickstart_template="~/words.md", resume="never"), "b": stub()}
    fleet.write(f"{fleet.host.home}/words.md", "Read the plan.\n")
    fleet.commit()
    with watching(fleet) as watch:
        watch.until(lambda: taken(fleet, "a", "Read the plan.") == 1, "the first words")
        fleet.kill(fleet.pids()["a"])
        watch.until(lambda: len(told(fleet)) == 2, "the first words of the second life")
        assert taken(fleet, "a", "Read the plan.") == 1  # of its own screen
        fleet.agents["b"] = stub(kickstart_template="Too late for this life.")
        watch.seen(fleet.commit())
    fleet.converge()
    assert told(fleet) == [("a", "delivered")] * 2
    assert outbox(fleet) == []


def busy(fleet: Fleet, agent: str) -> None:
    fleet.beats(agent)
    fleet.type(agent, "/busy")
    fleet.beats(agent, "status=busy")


def test_a_message_is_for_the_agent_that_had_the_name(fleet: Fleet) -> None:
    """x is removed, and another x is added: seen by a run each, or both before the next run."""
    fleet.declare("x", "y")
    fleet.converge()
    for seen in (True, False):
        busy(fleet, "x")
        keep(fleet, "x", "errand")
        first = fleet.agents.pop("x")
        fleet.commit("without x")
        if seen:
            preview = fleet.reconcile("--dry-run")
            assert "1 message for x would be put away" in preview.err
            run = fleet.reconcile("--allow-removals", "5")
            assert "1 message for x was put away" in run.err, run.err
        fleet.agents["x"] = {**first, "class": "painter" if seen else "worker"}
        fleet.commit("another x")
        for _ in range(2):
            fleet.reconcile()
        fleet.beats("x")
        fleet.type("x", "/idle")
        fleet.beats("x")
        keep(fleet, "x", "for the new one")

        def delivered() -> bool:
            fleet.reconcile()
            return taken(fleet, "x", "for the new one") == 1

        eventually(delivered, timeout=60, what="the message for the new one")
        assert taken(fleet, "x", "errand") == 0
        (kept,) = fleet.cli("agent", "outbox", "x", "-o", "json").document["messages"]
        assert (kept["state"], kept["begins"]) == ("put-away", "errand")
        assert ("was removed" if seen else "another agent has that name now") in kept["reason"]
        assert fleet.cli("agent", "outbox", "--show", kept["id"]).out == "errand\n"
        event = [one for one in fleet.events() if one["type"] == "message" and one["result"] == "not-delivered"][-1]
        assert (event["agent"], event["id"]) == ("x", kept["id"])
        fleet.cli("agent", "outbox", "--cancel", kept["id"])


def test_a_life_goes_on_through_a_restart_a_stop_and_another_class(fleet: Fleet) -> None:
    fleet.declare("x")
    fleet.converge()
    busy(fleet, "x")
    keep(fleet, "x", "errand")
    fleet.agents["x"].update(state="stopped")
    fleet.commit("stopped")
    fleet.reconcile()
    fleet.wait(lambda: fleet.reconcile().code == 0 and "x" not in fleet.living(), "the end of x")
    assert outbox(fleet) == [("errand", "waiting")]
    removal = fleet.cli("fleet", "remove", "x", "--fleet", fleet.repo, "--dry-run")
    assert "1 message for x will be put away" in removal.err
    fleet.agents["x"].update(state="running", generation=2, **{"class": "painter"})
    fleet.commit("again, as a painter")

    def delivered() -> bool:
        fleet.reconcile()
        return len(told(fleet)) == 2

    eventually(delivered, timeout=90, what="why it begins anew, and the message")
    assert told(fleet) == [("x", "delivered")] * 2
    answers(fleet, "x", "errand")
    screen = fleet.tmux("capture-pane", "-p", "-J", "-S", "-200", "-t", "=x:")
    assert screen.index("You were started fresh because") < screen.index("errand"), screen


def types(fleet: Fleet, text: str) -> None:
    """A person types this line to agent a, and the stub has answered it."""
    fleet.tmux("send-keys", "-t", "=a:", "-l", text)
    fleet.tmux("send-keys", "-t", "=a:", "Enter")
    fleet.wait(lambda: f"stub a> {text}" in fleet.tmux("capture-pane", "-p", "-t", "=a:"), f"the answer to {text}")


def test_a_run_that_is_killed_while_it_sends(fleet: Fleet) -> None:
    """The agent says of nothing that it has it, so that the run is still waiting for evidence when it is killed."""
    fleet.declare("a")
    fleet.converge()
    fleet.beats("a")
    types(fleet, "/deaf")
    keep(fleet, "a", "errand")

    def answered() -> bool:
        return fleet.tmux("capture-pane", "-p", "-J", "-t", "=a:").count("] errand") == 2  # typed, answered

    def begun() -> bool:
        """A run that is at it; one that found the agent not yet available has ended, and another is begun."""
        process = fleet.start(fleet.argv())
        fleet.wait(lambda: process.poll() is not None or answered(), "a message that was taken without a word")
        if not answered():
            return False
        if process.poll() is None:
            fleet.kill(*(pid for pid in fleet.named("python") if fleet.repo in fleet.read(f"/proc/{pid}/cmdline")))
        process.wait(60)
        return True

    eventually(begun, timeout=120, what="a run that sends")
    fleet.converge()
    assert outbox(fleet) == [("errand", "unconfirmed")]
    types(fleet, "/idle")
    keep(fleet, "a", "chore")

    def delivered() -> bool:
        fleet.converge()
        return told(fleet)[1:] == [("a", "delivered")]

    eventually(delivered, timeout=60, what="the next message")
    assert outbox(fleet) == [("errand", "unconfirmed")]
    assert told(fleet) == [("a", "unconfirmed"), ("a", "delivered")]
    assert fleet.tmux("capture-pane", "-p", "-J", "-S", "-200", "-t", "=a:").count("] errand") <= 2  # typed, answered
