"""What an agent needs to reach its peers, as a text for its system prompt. Pure.

Every start reads it and pays for its tokens, so it is short: a line for each peer of a small fleet, a line for each
class on each host of a large one. The same fleet gives the same text.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from specs.dataclass import dataclass

if TYPE_CHECKING:
    from specs.compiled import Agent, AgentState, Fleet

PEERS_IN_FULL = 16  # up to this many peers have a line each, with their command
GROUPS = 20  # peers listed of a large fleet
NAMES = 12  # peers listed of a group


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
    """`HOST:NAME`, as in the preamble of every message."""
    return f"{host}:{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """The parts of a fleet that all its texts need, made once: a fleet may have a thousand agents. `all`: every agent
    that is there to stay, this host first, then by host, class and name. `groups`: the same by host and class, each
    with its line of the text. `named`: agents of this host that a list of peers may name. `made`: all texts after the
    head, by what they depend on."""

    fleet: Fleet
    agents: Mapping[str, Agent]
    all: tuple[_Other, ...]
    groups: tuple[tuple[tuple[_Other, ...], str], ...]
    named: frozenset[str]
    made: dict[tuple[str, str, str], str]


# Stand for the agent's own address, plain and as a word of a shell. No name has a control character.
_OWN, _LABEL = "\1", "\2"

_last: list[_Known] = []  # of the fleet of the last call


def comms_text(fleet: Fleet, name: str) -> str:
    """The text for one agent of this host, as Markdown. Raises KeyError for a name that this host does not have."""
    if not _last or _last[0].fleet is not fleet:
        _last[:] = [_known(fleet)]
    known = _last[0]
    me = known.agents[name]
    own = address(fleet.host, me.name)
    # A text differs by the name in it only, unless its list of peers would name the agent itself.
    key = (me.agent_class, me.state, me.name if me.name in known.named else "")
    rest = known.made.get(key)
    if rest is None:
        rest = known.made[key] = "\n".join([*_peers(known, me), *_rules()]) + "\n"
    head = "\n".join(_head(fleet, me, own))
    return f"{head}\n{rest.replace(_OWN, own).replace(_LABEL, shlex.quote(own))}"


def _is_of(one: _Other, known: _Known, me: Agent) -> bool:
    return (one.host, one.agent_class) == (known.fleet.host, me.agent_class)


def _known(fleet: Fleet) -> _Known:
    found = [
        _Other(
            name=one.name,
            agent_class=one.agent_class,
            runtime=one.runtime,
            state=one.state,
            host=host,
            alias=one.alias,
        )
        for host, one in fleet.everyone
        if one.state != "absent"
    ]
    found.sort(key=lambda one: (one.host != fleet.host, one.host, one.agent_class, one.name))
    groups: dict[tuple[str, str], list[_Other]] = {}
    for one in found:
        groups.setdefault((one.host, one.agent_class), []).append(one)
    return _Known(
        fleet=fleet,
        agents={agent.name: agent for agent in fleet.agents},
        all=tuple(found),
        groups=tuple((tuple(members), _group(members, fleet.host)) for members in groups.values()),
        named=frozenset(
            one.name
            for members in groups.values()
            for one in (members if len(found) <= PEERS_IN_FULL + 1 else members[: NAMES + 1])
            if one.host == fleet.host
        ),
        made={},
    )


def _head(fleet: Fleet, me: Agent, own: str) -> Iterable[str]:
    yield "# Messages between agents"
    yield ""
    yield (
        f"You are `{own}`: agent {me.name} (class {me.agent_class}) on host {fleet.host}, in the fleet {fleet.name}. "
        f"A message from another agent or a person arrives as input that begins with `[FROM -> {own}]`."
    )
    yield ""


def _peers(known: _Known, me: Agent) -> Iterable[str]:
    home = known.fleet.host
    count = len(known.all) - (me.state != "absent")
    if not count:
        yield "No other agent is declared in this fleet at present; `mosaic agent roster` says who is."
        yield ""
        return
    if count <= PEERS_IN_FULL:
        yield "To reach a peer:"
        yield ""
        for peer in known.all:
            if (peer.host, peer.name) != (home, me.name):
                yield f"- {_described(peer, home)}: `{_command(peer.name)}`"
        yield ""
        return
    here = sum(len(members) for members, _ in known.groups if members[0].host == home) - (me.state != "absent")
    yield f"To reach one of your {count} peers ({here} on this host): `{_command('NAME')}`"
    yield ""
    yield from list(_groups(known, me))[:GROUPS]
    yield "- all of them, by class or host: `mosaic agent roster` (`--class CLASS`, `--host HOST`)"
    yield ""


def _groups(known: _Known, me: Agent) -> Iterable[str]:
    """A line for each group, without the agent itself."""
    for members, line in known.groups:
        if not _is_of(members[0], known, me):
            yield line
        elif len(members) > (me.state != "absent"):
            yield _group(members, known.fleet.host, me)


def _group(members: Sequence[_Other], home: str, me: Agent | None = None) -> str:
    """Leaves out `me`, who is one of the members. Looks at no more of a large group than the text names."""
    others = [peer for peer in members[: NAMES + 1] if me is None or peer.name != me.name][:NAMES]
    left = len(members) - len(others) - (me is not None and me.state != "absent")
    names = ", ".join(peer.label for peer in others)
    more = f", and {left} more" if left else ""
    return f"- {members[0].agent_class} on {_place(members[0].host, home)}: {names}{more}"


def _described(peer: _Other, home: str) -> str:
    alias = f' "{peer.alias}"' if peer.alias else ""
    return f"{peer.label}{alias}, {peer.agent_class}, {peer.runtime}, on {_place(peer.host, home)}"


def _place(host: str, home: str) -> str:
    return "this host" if host == home else host


def _command(name: str) -> str:
    return f'mosaic agent send {name} --source-label {_LABEL} --verify -m "TEXT"'


def _rules() -> Iterable[str]:
    yield "A text that is long, or has quotes, `$` or backquotes in it, goes over standard input:"
    yield ""
    yield f"    mosaic agent send NAME --source-label {_LABEL} --verify <<'END'"
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
        f"To answer, send to the name in FROM after the colon, with your own label `{_OWN}`; `HOST:operator` is a "
        "person at that host, who reads your answer in this conversation. Answers to you arrive as messages: do not "
        "wait or poll for them. A stopped peer is reached once it runs again."
    )
    yield (
        "`mosaic agent roster` lists the agents, `mosaic agent watch NAME --once` shows a peer's screen. "
        'If `mosaic` is not found: `"$MOSAIC_HOME"/fleet/bin/mosaic`.'
    )
