"""What an agent has to know to reach its peers, as a text for its system prompt. Pure.

It is read at every start and costs tokens each time, so it is short: a line for each peer of a small fleet, a line for
each class on each host of a large one. The same fleet gives the same text.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specs.compiled import Agent, AgentState, Fleet, Peer

PEERS_IN_FULL = 16  # up to so many peers have a line each, with their command
GROUPS = 20  # of a large fleet that are listed
NAMES = 12  # of a group that are listed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Other:
    name: str
    agent_class: str
    runtime: str
    state: AgentState
    host: str
    alias: str | None

    @property
    def label(self) -> str:
        return self.name if self.state == "running" else f"{self.name} (stopped)"


def address(host: str, name: str) -> str:
    """`HOST:NAME`, as it stands in the preamble of every message."""
    return f"{host}:{name}"


def comms_text(fleet: Fleet, name: str) -> str:
    """The text for one agent of this host, as Markdown. Raises KeyError for a name that this host does not have."""
    me = next((agent for agent in fleet.agents if agent.name == name), None)
    if me is None:
        raise KeyError(name)
    own = address(fleet.host, me.name)
    peers = _others(fleet, me)
    here = sum(peer.host == fleet.host for peer in peers)
    return "\n".join([*_head(fleet, me, own), *_peers(peers, fleet.host, own, here), *_rules(own)]) + "\n"


def _others(fleet: Fleet, me: Agent) -> list[_Other]:
    """Everybody else who is there to stay: this host first, then by host, class and name."""
    known: list[tuple[str, Agent | Peer]] = [(fleet.host, one) for one in fleet.agents if one.name != me.name]
    known += [(one.host, one) for one in fleet.peers]
    found = [
        _Other(
            name=one.name,
            agent_class=one.agent_class,
            runtime=one.runtime,
            state=one.state,
            host=host,
            alias=one.alias,
        )
        for host, one in known
        if one.state != "absent"
    ]
    return sorted(found, key=lambda one: (one.host != fleet.host, one.host, one.agent_class, one.name))


def _head(fleet: Fleet, me: Agent, own: str) -> Iterable[str]:
    yield "# Messages between agents"
    yield ""
    yield (
        f"You are `{own}`: agent {me.name} (class {me.agent_class}) on host {fleet.host}, in the fleet {fleet.name}. "
        f"A message from another agent or a person arrives as input that begins with `[FROM -> {own}]`."
    )
    yield ""


def _peers(peers: list[_Other], home: str, own: str, here: int) -> Iterable[str]:
    if not peers:
        yield "No other agent is declared in this fleet at present; `mosaic agent roster` says who is."
        yield ""
        return
    if len(peers) <= PEERS_IN_FULL:
        yield "To reach a peer:"
        yield ""
        for peer in peers:
            yield f"- {_described(peer, home)}: `{_command(peer.name, own)}`"
        yield ""
        return
    yield f"To reach one of your {len(peers)} peers ({here} on this host): `{_command('NAME', own)}`"
    yield ""
    groups: dict[tuple[str, str], list[_Other]] = {}
    for peer in peers:
        groups.setdefault((peer.host, peer.agent_class), []).append(peer)
    for (host, agent_class), members in list(groups.items())[:GROUPS]:
        names = ", ".join(peer.label for peer in members[:NAMES])
        more = f", and {len(members) - NAMES} more" if len(members) > NAMES else ""
        yield f"- {agent_class} on {_place(host, home)}: {names}{more}"
    yield "- all of them, by class or host: `mosaic agent roster` (`--class CLASS`, `--host HOST`)"
    yield ""


def _described(peer: _Other, home: str) -> str:
    alias = f' "{peer.alias}"' if peer.alias else ""
    return f"{peer.label}{alias}, {peer.agent_class}, {peer.runtime}, on {_place(peer.host, home)}"


def _place(host: str, home: str) -> str:
    return "this host" if host == home else host


def _command(name: str, own: str) -> str:
    return f'mosaic agent send {name} --source-label {shlex.quote(own)} --verify -m "TEXT"'


def _rules(own: str) -> Iterable[str]:
    label = shlex.quote(own)
    yield "A text that is long, or has quotes, `$` or backquotes in it, goes over standard input:"
    yield ""
    yield f"    mosaic agent send NAME --source-label {label} --verify <<'END'"
    yield "    TEXT"
    yield "    END"
    yield ""
    yield "It says what became of the message:"
    yield ""
    yield "- `delivered` (exit 0): the peer has it, or it waits in the peer's own queue (`queued`)."
    yield (
        "- `unconfirmed` (exit 3): it was sent, and nothing shows that it arrived. Never send it again: it may have. "
        "Look with `mosaic agent watch NAME --once`."
    )
    yield "- `not-delivered` (exit 1): the peer has not got it; the reason is said. You may try again later."
    yield ""
    yield (
        f"To answer, send to the name in FROM after the colon, with your own label `{own}`; `HOST:operator` is a "
        "person at that host, who reads your answer in this conversation. Answers to you arrive as messages: do not "
        "wait or poll for them. A stopped peer is reached once it runs again."
    )
    yield (
        "`mosaic agent roster` lists the agents, `mosaic agent watch NAME --once` shows a peer's screen. "
        'If `mosaic` is not found: `"$MOSAIC_HOME"/fleet/bin/mosaic`.'
    )
