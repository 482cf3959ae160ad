"""The comms block: who one is, whom one reaches and how, in few lines, the same for the same fleet."""

from __future__ import annotations

import random
import re
import shlex
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.launch.peers import PEERS_IN_FULL, comms_text
from specs.compiled import Agent, AgentState, Fleet, Peer
from tests.launch.bench import make_agent, make_fleet

NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)


def peer(name: str, host: str = "build-2", state: AgentState = "running", agent_class: str = "reviewer") -> Peer:
    return Peer(name=name, agent_class=agent_class, runtime="claude", state=state, host=host)


def fleet(*agents: Agent, peers: tuple[Peer, ...] = ()) -> Fleet:
    return replace(make_fleet(*agents), peers=peers)


def commands(text: str) -> list[list[str]]:
    """Every command in the text, as a shell takes it apart."""
    return [shlex.split(one) for one in re.findall(r"`(mosaic agent send .*?)`", text)]


def test_a_small_fleet_has_the_command_for_each_peer() -> None:
    text = comms_text(fleet(make_agent("coder0"), make_agent("coder1"), peers=(peer("rev.0"),)), "coder0")
    assert "You are `private-host:coder0`" in text
    assert "`[FROM -> private-host:coder0]`" in text
    label = ["--source-label", "private-host:coder0", "--verify", "-m", "TEXT"]
    assert commands(text) == [["mosaic", "agent", "send", name, *label] for name in ("coder1", "rev.0")]
    assert "- coder1, coder, stub, on this host:" in text
    assert "- rev.0, reviewer, claude, on build-2:" in text
    for word in ("`delivered`", "`unconfirmed`", "Never send it again", "`not-delivered`", "`mosaic agent roster`"):
        assert word in text


def test_ten_peers_take_less_than_forty_lines() -> None:
    text = comms_text(fleet(*(make_agent(f"coder{at}") for at in range(11))), "coder0")
    assert len(commands(text)) == 10
    assert text.count("\n") < 40
    assert len(text) < 3000


def test_a_large_fleet_is_grouped_and_capped() -> None:
    agents = [make_agent(f"coder{at:03}", agent_class=f"class{at % 30:02}") for at in range(600)]
    text = comms_text(fleet(*agents, peers=tuple(peer(f"far{at:03}") for at in range(400))), "coder000")
    assert commands(text)[0][:4] == ["mosaic", "agent", "send", "NAME"]
    assert "999 peers (599 on this host)" in text
    assert text.count("\n") < 50
    assert len(text) < 6000
    assert "`mosaic agent roster`" in text


def test_who_is_absent_is_left_out_and_who_is_stopped_is_marked() -> None:
    gone = peer("gone", state="absent")
    away = peer("away", state="stopped")
    text = comms_text(fleet(make_agent("coder0"), make_agent("old", state="absent"), peers=(gone, away)), "coder0")
    assert "away (stopped)" in text
    assert "gone" not in text
    assert "old" not in text


def test_alone() -> None:
    text = comms_text(fleet(make_agent("coder0")), "coder0")
    assert "No other agent is declared" in text
    assert commands(text) == []


@pytest.mark.parametrize("name", ["coder1", "", "far"])
def test_a_name_that_this_host_does_not_have(name: str) -> None:
    with pytest.raises(KeyError):
        comms_text(fleet(make_agent("coder0"), peers=(peer("far"),)), name)


@given(st.lists(NAMES, min_size=2, max_size=PEERS_IN_FULL, unique=True), st.randoms())
def test_every_name_survives_the_shell_and_the_order_says_nothing(names: list[str], chance: random.Random) -> None:
    me, here, there = names[0], names[1::2], names[2::2]
    agents = [make_agent(one) for one in (me, *here)]
    peers = [peer(one) for one in there]
    text = comms_text(replace(make_fleet(), agents=tuple(agents), peers=tuple(peers)), me)
    assert sorted(words[3] for words in commands(text)) == sorted(names[1:])
    assert {words[5] for words in commands(text)} == {f"private-host:{me}"}
    chance.shuffle(agents)
    chance.shuffle(peers)
    assert comms_text(replace(make_fleet(), agents=tuple(agents), peers=tuple(peers)), me) == text
