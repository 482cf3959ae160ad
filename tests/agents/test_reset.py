"""`mosaic agent reset`: on real tmux with the stub agent, and what counts as done, by values alone."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from providers.programs.base import Plain
from providers.programs.registry import program
from reconciler.agents.reset_verdict import ResetRecord, Sight, after_restart, evidence, objection, reset_text
from reconciler.model import Readiness
from tests import builders as make
from tests.agents.terminals import dead
from tests.launch.bench import make_agent
from tests.scenarios.fleet import Fleet, stub

# --- what counts ---

HEAD = ("Welcome to the program", "it is version 1.2.3", "")
FOOT = ("? for the shortcuts",)
OLD = Sight(lines=(*HEAD, "> tell me everything", "Everything is a lot of things", ">", *FOOT), row=5, ready=True)
CLEAN = Sight(lines=(*HEAD, ">", *FOOT), row=3, ready=True)
BEFORE = ResetRecord(ts=100.0, event="Stop", session="a")


def test_the_programs_own_word_counts() -> None:
    def after(**words: object) -> str:
        return evidence(BEFORE, replace(BEFORE, by="hook", **words), OLD, None, submitted=200.7)  # type: ignore[arg-type]

    assert after(ts=201.0, session="b") == "hook"
    assert after(ts=200.0, session="b") == "hook"  # it may know whole seconds only
    assert after(ts=201.0, event="SessionStart", session="") == "hook"
    assert after(ts=201.0, event="session_start", session="") == "hook"
    assert after(ts=201.0, event="SessionStart") == ""  # in the session of before
    assert after(ts=201.0, event="UserPromptSubmit") == ""
    assert after(ts=150.0, session="b") == ""
    assert after() == ""
    assert evidence(ResetRecord(), replace(BEFORE, ts=300.0, session="b"), OLD, None, submitted=200.0) == ""
    assert evidence(BEFORE, replace(BEFORE, ts=201.0), OLD, CLEAN, submitted=200.0) == ""  # whatever the screen shows
    # One that names a new session with its first prompt only may still tell of the old one: then its screen counts.
    assert evidence(BEFORE, replace(BEFORE, ts=201.0), OLD, CLEAN, submitted=200.0, late=True) == "pane"
    assert evidence(BEFORE, replace(BEFORE, ts=201.0), OLD, OLD, submitted=200.0, late=True) == ""


def test_a_new_process_is_no_new_conversation() -> None:
    old = replace(BEFORE, pid=1)

    def after(before: ResetRecord = old, *, over: bool = False, **words: object) -> tuple[str, str]:
        now = replace(BEFORE, **{"pid": 2, **words})  # type: ignore[arg-type]
        found = after_restart(before, now, since=200.7, over=over)
        return found.word, found.reason

    assert after(ts=200.0, session="b") == ("delivered", "")
    assert after(ts=200.0, session="b", pid=1) == ("", "")  # the last word of the process that ended
    assert after(ts=150.0, session="b") == ("", "")
    assert after(ts=201.0, event="SessionStart")[0] == "unconfirmed"
    assert "the same session as before" in after(ts=201.0, event="SessionStart")[1]
    assert after(ts=201.0, session="") == ("", "")
    assert "has not said yet which session" in after(ts=201.0, session="", over=True)[1]
    assert "nothing is known of the session" in after(ResetRecord(), ts=201.0, session="b", over=True)[1]
    assert "says nothing of its sessions" in after(ResetRecord(), ts=201.0, session="", over=True)[1]


def test_a_screen_counts_when_it_is_empty_and_ready() -> None:
    def shown(was: Sight, now: Sight | None) -> str:
        return evidence(BEFORE, BEFORE, was, now, submitted=200.0)

    assert shown(OLD, None) == ""
    assert shown(OLD, OLD) == ""
    assert shown(OLD, replace(CLEAN, ready=False)) == ""
    pushed = replace(OLD, lines=(*(f"line {at} of a long help text" for at in range(20)), ">"), row=20)
    assert shown(OLD, pushed) == ""
    said = (*HEAD, "> tell me everything", "Everything is a lot of things", "/reset is not a command", ">")
    assert shown(OLD, replace(OLD, lines=said, row=6)) == ""
    assert shown(CLEAN, CLEAN) == ""  # there was nothing to be forgotten, and nothing shows that it was
    assert shown(Sight(lines=(), row=0, ready=False), CLEAN) == ""
    one = replace(CLEAN, lines=(*HEAD, "the only line that was said", ">"), row=4)
    assert shown(one, CLEAN) == ""  # with the last lines of the greeting above it
    assert shown(OLD, replace(CLEAN, lines=("Another greeting entirely", "Tip: ask about anything", ">"))) == "pane"


@pytest.mark.parametrize(
    ("view", "restart", "against"),
    [
        (make.view(readiness=Readiness.AVAILABLE), False, ""),
        (make.view(readiness=Readiness.WORKING, readiness_why="hook says busy"), False, "it works: hook says busy"),
        (make.view(readiness=Readiness.WORKING, readiness_why="hook says busy"), True, "it works: hook says busy"),
        (make.view(readiness=Readiness.WORKING, readiness_why="active 1 s ago"), True, "it works: active 1 s ago"),
        (make.view(), True, "whether it is idle is not known"),
        (make.view(readiness=Readiness.WAITING, waiting="permission"), True, "it waits for a person (permission)"),
        (make.view(readiness=Readiness.STALE), True, "whether it is idle is not known"),
        (make.view(readiness=Readiness.STALE, quiet=False), True, "it was active a moment ago"),
        (make.view(readiness=Readiness.STALE, quiet=True), True, ""),
        (make.view(readiness=Readiness.STALE, hung=True), True, ""),
        (make.view(readiness=Readiness.STUCK), True, ""),
        (make.view(session="dead", readiness=Readiness.DEAD), True, ""),
        (make.view(session="dead", readiness=Readiness.DEAD), False, "it does not run"),
        (make.view(session="missing", readiness=Readiness.DEAD), False, "it does not run"),
        (make.view(session="foreign"), True, "not this fleet's"),
    ],
)
def test_who_is_reset_unasked(view: object, restart: bool, against: str) -> None:
    said = objection(view, restart=restart)  # type: ignore[arg-type]
    assert against in said
    assert bool(said) == bool(against)


def test_which_command() -> None:
    agent = make_agent("coder0", reset_command="/reset")
    assert reset_text(agent, program("stub"), "") == "/reset"
    assert reset_text(agent, program("stub"), "new") == "/new"
    bare = make_agent("coder0", reset_command=None)
    assert reset_text(bare, program("stub"), "") == "/new"
    assert reset_text(bare, Plain("other"), "") is None
    assert reset_text(agent, Plain("other"), "clear") is None


# --- what happens ---


def session(fleet: Fleet, agent: str) -> str:
    """The stub's conversation."""
    found = re.search(r" session=(\w+)", fleet.read(f"{fleet.mosaic}/fleet/run/{agent}.hb"))
    return found[1] if found else ""


def pane_pid(fleet: Fleet, agent: str) -> str:
    return fleet.tmux("display-message", "-p", "-t", f"={agent}:", "#{pane_pid}")


@pytest.mark.parametrize(("words", "how"), [((), "runtime"), (("--new",), "new"), (("--clear",), "clear")])
def test_the_runtimes_own_command(fleet: Fleet, words: tuple[str, ...], how: str) -> None:
    fleet.beats("coder0")
    pid, before = fleet.pids()["coder0"], session(fleet, "coder0")
    run = fleet.cli("agent", "reset", "coder0", *words, "--force")
    assert (run.code, run.out) == (
        0,
        "delivered: agent coder0 has a new conversation (evidence: status-file)\n",
    ), run.err
    assert "ends the conversation in its pane" in run.err
    assert fleet.pids()["coder0"] == pid
    assert session(fleet, "coder0") not in ("", before)
    event = [one for one in fleet.events() if one["type"] == "reset"][-1]
    assert (event["agent"], event["how"], event["source"]) == ("coder0", how, "operator")


def test_a_restart_is_no_crash(fleet: Fleet) -> None:
    fleet.beats("coder1")
    before = fleet.pids()
    run = fleet.cli("agent", "reset", "coder1", "--restart", "--force")
    assert run.code == 0, run.err
    said = "delivered: agent coder1 was restarted and has a new conversation (evidence: status-file)"
    assert run.out == f"{said}\n"
    after = fleet.pids()
    assert after["coder1"] != before["coder1"]
    assert {**after, "coder1": 0} == {**before, "coder1": 0}
    told = fleet.converge()
    assert told.disruptive == []
    assert [one["type"] for one in fleet.events() if one["agent"] == "coder1"][-1] == "reset"
    assert "agent-crashed" not in [one["type"] for one in fleet.events() if one["agent"] == "coder1"]
    history = fleet.store().load_history(now=0.0).agents["coder1"]
    assert (history.attempts, history.delay, history.restarts) == (0, 0.0, 0)


def test_a_restart_that_cannot_ask_for_a_new_conversation_keeps_the_one_that_is(fleet: Fleet) -> None:
    """It says so, the agent is up, and nothing is left that a later start would meet."""
    fleet.beats("coder1")
    fleet.type("coder1", "remember this")
    fleet.shows("coder1", "stub coder1> remember this")
    before, pid = session(fleet, "coder1"), fleet.pids()["coder1"]
    place = f"{fleet.mosaic}/fleet/conversations/coder1.once"
    had = fleet.host.run(["sh", "-c", 'rm -f "$1" && mkdir "$1"', "sh", place])
    assert had.returncode == 0
    run = fleet.cli("agent", "reset", "coder1", "--restart", "--force")
    assert (run.code, run.out) == (1, "")
    assert "agent coder1 goes on with its conversation: the request for a new one was not written" in run.err
    fleet.host.run(["rmdir", place])
    fleet.wait(lambda: fleet.pids().get("coder1", pid) != pid, "another process")
    fleet.shows("coder1", "goes on after")
    assert session(fleet, "coder1") == before


def test_a_restart_starts_one_that_has_ended_and_keeps_its_last_lines(fleet: Fleet) -> None:
    fleet.type("coder2", "/crash 4")
    dead(fleet, "coder2")
    refused = fleet.cli("agent", "reset", "coder2")
    assert refused.code == 5
    assert "agent coder2 does not run\nhelp: mosaic agent reset coder2 --restart\n" in refused.err
    assert fleet.cli("agent", "reset", "coder2", "--restart").code == 0
    assert "coder2" in fleet.pids()
    assert "/crash 4" in fleet.cli("agent", "tail", "coder2", "--previous").out


def test_who_works_or_waits_is_left_alone(fleet: Fleet) -> None:
    fleet.type("coder3", "/busy")
    fleet.beats("coder3", "status=busy")
    pid, before = fleet.pids()["coder3"], session(fleet, "coder3")
    for words in ((), ("--new",), ("--restart",)):
        run = fleet.cli("agent", "reset", "coder3", *words)
        assert (run.code, run.out) == (5, "")
        assert "coder3 works: its heartbeat (UserPromptSubmit) says busy; a reset ends the conversation" in run.err
        assert "--force" in run.err
    assert (fleet.pids()["coder3"], session(fleet, "coder3")) == (pid, before)
    fleet.type("coder3", "/ask question")
    fleet.beats("coder3", "waiting=question")
    assert "waits for a person (question)" in fleet.cli("agent", "reset", "coder3").err
    assert fleet.cli("agent", "reset", "coder3", "--restart", "--force").code == 0


def test_hands_off_means_hands_off(fleet: Fleet) -> None:
    done = fleet.cli("fleet", "suspend", "coder0", "--reason", "pairing", "--by", "ada", "--here")
    assert done.code == 0, done.err
    held = fleet.cli("agent", "reset", "coder0", "--restart")
    assert held.code == 5
    assert "suspended by ada: pairing" in held.err
    fleet.cli("fleet", "unsuspend", "coder0", "--here")
    fleet.cli("fleet", "pause", "--reason", "a storm")
    try:
        paused = fleet.cli("agent", "reset", "coder0", "--restart", "--force")
    finally:
        fleet.cli("fleet", "resume")
    assert paused.code == 5
    assert "the fleet is paused: a storm" in paused.err


def test_what_has_no_command_says_so(fleet: Fleet) -> None:
    run = fleet.cli("agent", "reset", "canvas", "--force")
    assert run.code == 1
    assert "mosaic agent reset canvas --restart" in run.err
    assert fleet.cli("agent", "reset", "nobody").code == 4
    pid = pane_pid(fleet, "canvas")
    run = fleet.cli("agent", "reset", "canvas", "--restart", "--force")
    assert (run.code, run.out) == (
        3,
        "unconfirmed: agent canvas: its program was restarted, and says nothing of its sessions\n",
    )
    assert "mosaic agent tail canvas\n" in run.err
    assert pane_pid(fleet, "canvas") != pid


def test_a_command_that_takes_the_conversation_up_again_is_no_new_one(fleet: Fleet) -> None:
    """`claude --continue` is such a command: it begins with the session of before, and says so."""
    path = f"{fleet.host.home}/bin/continue"
    script = (
        '#!/bin/sh\ncd "$MOSAIC_HOME/fleet/run"\nwhile :; do\n'
        'printf "ts=%s pid=%s status=ok event=SessionStart session=old\\n" '
        '"$(date -u +%Y-%m-%dT%H:%M:%S.%NZ)" $$ >.c.new\n'
        "mv .c.new $MOSAIC_AGENT_NAME.turn\nsleep 0.2\ndone\n"
    )
    fleet.write(path, script, 0o755)
    fleet.roster["runtimes"]["again"] = {"command": [path, "--continue"], "process_names": ["continue"]}
    fleet.roster["runtimes"]["again"]["reset_command"] = "/clear"
    fleet.agents["again"] = {"runtime": "again", "class": "worker"}
    fleet.commit("again")
    fleet.converge()
    fleet.wait(lambda: fleet.exists(f"{fleet.mosaic}/fleet/run/again.turn"), "its word")
    pid = pane_pid(fleet, "again")
    run = fleet.cli("agent", "reset", "again", "--restart", "--force")
    assert run.code == 3, run.err
    assert run.out.startswith("unconfirmed: agent again: its program was restarted, and is in the same")
    assert "mosaic agent reset again" in run.err
    assert pane_pid(fleet, "again") != pid
    event = [one for one in fleet.events() if one["type"] == "reset"][-1]
    assert ": unconfirmed" in event["message"]


def test_its_first_words_are_said_again(fleet: Fleet) -> None:
    fleet.agents["coder0"] = stub(kickstart_template="Read the plan.")
    fleet.commit("first words")
    fleet.converge()
    run = fleet.cli("agent", "reset", "coder0", "--force")
    assert run.code == 0, run.err
    assert "its first words wait in the outbox" in run.out
    fleet.wait(
        lambda: fleet.reconcile().code == 0 and "Read the plan." in fleet.cli("agent", "tail", "coder0").out, "them"
    )
