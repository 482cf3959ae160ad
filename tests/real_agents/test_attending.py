"""Looking at the four real programs, and giving them new conversations."""

from __future__ import annotations

import subprocess
import sys

import pytest

from providers.programs.base import LATE_SESSIONS
from tests.hosts.namespace import CHECKOUT
from tests.hosts.waiting import eventually
from tests.real_agents.bench import RealFleet

EACH = ("claude", "codex", "pi", "opencode")
# What shows that a session has begun. codex says so at its first prompt only, and opencode may.
EVIDENCE = {"claude": {"hook"}, "codex": {"pane"}, "pi": {"status-file"}, "opencode": {"status-file", "pane"}}


def mosaic(fleet: RealFleet, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "reconciler.commands", *words]
    return fleet.host.run(argv, env={"PYTHONPATH": str(CHECKOUT)}, check=False, timeout=120.0)


@pytest.mark.parametrize("agent", EACH)
def test_what_it_shows_is_printed_as_plain_text(running: RealFleet, agent: str) -> None:
    said = f"remember the blue door of {agent}"
    running.say(agent, said)
    running.api.wait_for(agent, said)
    running.until(agent, lambda seen: seen.turn == "idle" and seen.composer == "empty")
    for words in (("tail", agent, "-n", "200"), ("watch", agent, "--once")):
        run = mosaic(running, "agent", *words)
        assert run.returncode == 0, run.stderr
        assert said in run.stdout
        assert "\x1b" not in run.stdout


@pytest.mark.parametrize("agent", EACH)
def test_its_reset_is_delivered_and_what_was_before_is_forgotten(running: RealFleet, agent: str) -> None:
    run = mosaic(running, "agent", "reset", agent, "--force")
    assert run.returncode == 0, run.stdout + run.stderr + running.screen(agent)
    assert run.stdout.rpartition("evidence: ")[2].rstrip(")\n") in EVIDENCE[agent]
    running.say(agent, "and now?")
    request = running.api.wait_for(agent, "and now?")
    assert not [text for text in request.user_texts if "blue door" in text]
    running.until(agent, lambda seen: seen.turn == "idle")


@pytest.mark.parametrize("agent", EACH)
def test_a_restart_begins_anew_too(running: RealFleet, agent: str) -> None:
    before = running.pids()
    run = mosaic(running, "agent", "reset", agent, "--restart", "--force")
    # The word is earned by another session's id, and two of them have none before the first prompt.
    assert run.returncode == (3 if agent in LATE_SESSIONS else 0), run.stdout + run.stderr
    assert ("has not said yet which session" in run.stdout) is (agent in LATE_SESSIONS)
    running.wait_until_ready([agent])
    after = running.pids()
    assert after[agent] != before[agent]
    assert {**after, agent: 0} == {**before, agent: 0}
    eventually(lambda: "and now?" not in running.screen(agent), timeout=60, what="a fresh screen")
