"""A sender is killed between what it types and the submit key, on a real host: nothing is typed behind it."""

from __future__ import annotations

import sys

import pytest

from tests.delivery.test_loop import keep, outbox, taken
from tests.hosts.private import PrivateHost
from tests.hosts.waiting import eventually
from tests.scenarios.fleet import Fleet, Run, stub

# The command line, ended by SIGKILL at the first key that it presses (HOW "key"), or right before it pastes ("paste").
KILLED = """
import os, signal, sys
from providers.tmux.pane_input import Panes
setattr(Panes, sys.argv.pop(1), lambda *_: os.kill(os.getpid(), signal.SIGKILL))
if sys.argv[1] == "reconcile":
    sys.argv.pop(1)
    from reconciler.commands.reconcile import main
else:
    from reconciler.commands.mosaic import main
main()
"""
CLEARED = "what was typed before and never submitted was cleared first"


@pytest.fixture
def fleet(private_host: PrivateHost) -> Fleet:
    return Fleet(private_host)


def killed(fleet: Fleet, how: str, *words: str) -> None:
    run: Run = fleet.run([sys.executable, "-c", KILLED, how, *words])
    assert run.code in (-9, 137), (run.code, run.out, run.err)


def screen(fleet: Fleet, agent: str) -> str:
    return fleet.tmux("capture-pane", "-p", "-J", "-S", "-200", "-t", f"={agent}:")


@pytest.mark.parametrize("how", ["key", "paste"])
def test_a_reset_that_was_killed_before_enter(fleet: Fleet, how: str) -> None:
    fleet.declare("a")
    fleet.converge()
    fleet.beats("a")
    killed(fleet, how, "agent", "reset", "a", "--force")
    assert ("/reset" in screen(fleet, "a")) is (how == "key")
    said = fleet.cli("agent", "send", "a", "-m", "next", "--verify", "-o", "json")
    assert (said.code, said.document["result"]) == (0, "delivered"), said.err
    assert said.document["reason"] == (CLEARED if how == "key" else None)
    assert taken(fleet, "a", "next") == 1
    assert "begins a new conversation" not in screen(fleet, "a")
    assert fleet.cli("agent", "send", "a", "-m", "more", "--verify").code == 0
    assert taken(fleet, "a", "more") == 1


def test_a_message_and_first_words_that_were_killed_before_enter(fleet: Fleet) -> None:
    """The run that sends them is killed: they may have arrived, so that they are not sent again; and what comes next
    does not go along with them."""
    fleet.agents = {"a": stub(kickstart_template="Read the plan.")}
    fleet.commit()
    fleet.converge()
    fleet.beats("a")

    def begun() -> bool:
        run = fleet.run([sys.executable, "-c", KILLED, "key", "reconcile", fleet.repo])
        return run.code in (-9, 137)

    if "Read the plan." not in screen(fleet, "a"):  # else the first run has told it already
        eventually(begun, timeout=90, what="a run that is killed while it tells the first words")
    keep(fleet, "a", "errand")

    def delivered() -> bool:
        fleet.reconcile()
        return taken(fleet, "a", "errand") == 1

    eventually(delivered, timeout=90, what="the message")
    killed(fleet, "key", "agent", "send", "a", "-m", "several\nlines of it")
    assert fleet.cli("agent", "send", "a", "-m", "next", "--verify").code == 0
    assert taken(fleet, "a", "next") == 1
    assert "lines of it" not in [line.partition("> ")[2] for line in screen(fleet, "a").splitlines()]
    assert [state for _, state in outbox(fleet)] in ([], ["unconfirmed"])


def test_a_new_process_starts_with_an_empty_composer(fleet: Fleet) -> None:
    fleet.declare("a")
    fleet.converge()
    fleet.beats("a")
    killed(fleet, "key", "agent", "reset", "a", "--force")
    fleet.kill(fleet.pids()["a"])
    fleet.converge()
    fleet.beats("a")
    said = fleet.cli("agent", "send", "a", "-m", "next", "--verify", "-o", "json")
    assert (said.document["result"], said.document["reason"]) == ("delivered", None)
