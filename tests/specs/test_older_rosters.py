"""Rosters of the system that came before load unchanged, in both spellings."""

from __future__ import annotations

import re

import pytest

from specs.values.fields import camel
from tests.specs.helpers import agent, compiled, read

SNAKE = """
version: 1
transport: tmux
tmux:
  socket_name: old-socket
  holder_session: _holder
defaults:
  working_directory: ~/work
runtimes:
  claude:
    reset_command: /clear
  codex:
    reset_command: /clear
  pi:
    reset_command: /new
connector:
  kind: matrix
  matrix:
    homeserver_url: https://matrix.example.org
    user_id: '@boss:example.org'
    room_id: '!room:example.org'
agents:
  - name: boss
    runtime: claude
    class: orchestrator
    persistent_persona: true
    kickstart_template: boss.md
  - name: helper
    runtime: claude
    class: enhancer
    persistent_persona: semi
    host: far.example.org
    ssh: me@far.example.org
    socket: other
  - name: worker-0
    runtime: pi
    class: implementer
    model_hint: openai-codex/gpt-5.5:high
    reset_between_tasks: true
    working_directory: ~/elsewhere
    command: mosaic yolo claude --channels plugin:discord@123
    channels: plugin:discord@123
"""
CAMEL = re.sub(r"^( *(?:- )?)([a-z]+(?:_[a-z]+)+):", lambda m: f"{m[1]}{camel(m[2])}:", SNAKE, flags=re.MULTILINE)

BARE = """
version: 1
transport: tmux
defaults:
  working_directory: ~
agents:
  - {name: canary-pi, runtime: pi, class: canary, reset_between_tasks: true}
"""


def test_the_spellings_differ() -> None:
    assert "homeserverUrl" in CAMEL
    assert not re.search(r"[a-z]_[a-z]+:", CAMEL)


@pytest.mark.parametrize("text", [SNAKE, CAMEL, BARE], ids=["snake", "camel", "bare"])
def test_they_load_without_an_error(text: str) -> None:
    loaded = read(text)
    assert loaded.ok
    assert [problem.message for problem in loaded.problems] == [
        f'"model_hint" of agent "{one}" has no effect: its `command` replaces the whole command line'
        for one in (["worker-0"] if "worker-0" in text else [])
    ]


def test_both_spellings_mean_the_same() -> None:
    assert read(SNAKE).roster == read(CAMEL).roster


def test_what_they_say_is_kept() -> None:
    roster = read(CAMEL).roster
    assert roster is not None
    boss, helper, worker = roster.agents
    assert roster.connector is not None
    assert roster.connector.matrix is not None
    assert roster.connector.matrix.room_id == "!room:example.org"
    assert (boss.persistent_persona, boss.kickstart_template) == (True, "boss.md")
    assert (helper.persistent_persona, helper.ssh, helper.socket) == ("semi", "me@far.example.org", "other")
    assert (worker.reset_between_tasks, worker.channels) == (True, ("plugin:discord@123",))


def test_they_compile() -> None:
    fleet = compiled(read(CAMEL))
    assert fleet.socket == "old-socket"
    worker = agent(fleet, "worker-0")
    assert worker.argv == ("mosaic", "yolo", "claude", "--channels", "plugin:discord@123")
    assert worker.working_directory == "/home/me/elsewhere"
    assert compiled(read(BARE)).socket == ""


def test_names_that_an_operator_chose_are_not_respelt() -> None:
    loaded = read(
        "version: 1\nruntimes: {myTool: {command: x}}\nagents: [{name: a, runtime: myTool, env: {someName: x}}]\n"
    )
    assert loaded.ok
    assert agent(compiled(loaded), "a").env[0][0] == "someName"
