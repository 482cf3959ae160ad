"""An agent whose own words choose a conversation: a start adds none of ours, in whatever key of the roster they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from providers.launch.additions import CONVERSATION_KEY, takes_conversation
from providers.launch.environment import render_env
from specs.compiled import Agent
from tests.launch.test_conversation_choice import Pane
from tests.launch.test_conversations import ONE, start
from tests.specs.helpers import HEAD, agent, compiled, read
from tests.strategies import make_fleet
from tests.world_model import FACTS

# The words of each program that choose a conversation, and others of its own that do not.
CHOOSE = {
    "claude": ("--resume X", "-r X", "--continue", "-c", "--session-id=X", "--fork-session", "--session-id X", "-p hi"),
    "codex": ("resume X", "resume --last", "-m x resume X", "exec hi", "-C /srv", "fork X"),
    "pi": ("--session X", "--session=X", "-c", "--resume", "--fork X", "--no-session"),
    "opencode": ("-s X", "--session X", "-c", "--continue", "-sX", "--fork"),
}
DO_NOT = {
    "claude": ("--model opus", "--add-dir /srv", "--verbose"),
    "codex": ("-m x", "-c model=x", "--search"),
    "pi": ("--model x", "--thinking high"),
    "opencode": ("--model x", "--port 4000"),
}
USUAL = {name: f"{name}{' --no-daemon' * (name == 'codex')}" for name in CHOOSE}


def of(runtime: str, key: str, words: str) -> Agent:
    """The agent `a` with these words in a key of its own, of the defaults or of its runtime, or in its command."""
    entry, head = f"runtime: {runtime}", ""
    if key == "command":
        entry += f", command: '{USUAL[runtime]} {words}'"
    elif key == "args":
        entry += f", args: '{words}'"
    elif key == "defaults":
        head = f"defaults: {{args: '{words}'}}\n"
    else:
        head = f"runtimes: {{{runtime}: {{args: '{words}'}}}}\n"
    loaded = read(f"{HEAD}\n{head}agents:\n  - {{name: a, {entry}}}\n")
    assert loaded.ok, loaded.problems
    return agent(compiled(loaded), "a")


@pytest.mark.parametrize("key", ["args", "command", "defaults", "runtimes"])
@pytest.mark.parametrize(("runtime", "words"), [(name, one) for name, all_ in CHOOSE.items() for one in all_])
def test_what_chooses_a_conversation_is_left_alone(runtime: str, words: str, key: str) -> None:
    made = of(runtime, key, words)
    assert not takes_conversation(made)
    assert CONVERSATION_KEY not in render_env(made, make_fleet(made), FACTS)


@pytest.mark.parametrize("key", ["args", "command"])
@pytest.mark.parametrize(("runtime", "words"), [(name, one) for name, all_ in DO_NOT.items() for one in all_])
def test_other_words_take_nothing_away(runtime: str, words: str, key: str) -> None:
    made = of(runtime, key, words)
    assert takes_conversation(made)
    assert f"{CONVERSATION_KEY}={runtime}\n" in render_env(made, make_fleet(made), FACTS)


def test_a_start_of_such_an_agent_adds_nothing_and_records_nothing(tmp_path: Path) -> None:
    """Also where it had a conversation of ours before, and one was asked for."""
    pane = Pane(home=tmp_path, argv=("claude", "--resume", "X"))
    pane.keep(ONE)
    pane.record(start("2.2", 20, "resumed", ONE))
    before = pane.log.read_text()
    unset = replace(pane, program="")
    assert unset.start(MOSAIC_RESUME_ONCE="7 fresh") == []
    assert pane.log.read_text() == before
