"""What a launch adds to an agent's command, in its program's own way, as lines of the launch environment. Pure.

The launch digest covers none of it: it takes effect at the next start, and no change of it restarts anyone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from providers import framework_files
from providers.programs.base import AgentPaths, Extra, Plain
from providers.programs.registry import program
from providers.shipped.release import release

if TYPE_CHECKING:
    from providers.host import HostFacts
    from providers.programs.base import HeartbeatSource
    from specs.compiled import Agent

AddedPair = tuple[str, str]

CONTRACT = "contract.md"
DIGEST_KEY = "MOSAIC_ADDED"
GIVEN_KEY = "MOSAIC_GIVEN"
CONVERSATION_KEY = "MOSAIC_CONVERSATION"  # its program: each start chooses its conversation
LINES = frozenset({"ADD_ARG", "ADD_TEXT", "ADD_ENV"})


def folder(name: str, facts: HostFacts) -> str:
    """The folder of the files that an agent's launch adds."""
    return f"{facts.agents_dir}/{name}.d"


def place(name: str, facts: HostFacts) -> AgentPaths:
    """The paths of an agent's files, for its program."""
    own = folder(name, facts)
    return AgentPaths(folder=own, bin_dir=facts.bin_dir, contract=f"{own}/{CONTRACT}", home=facts.home)


def is_its_program(agent: Agent) -> bool:
    """Whether the command of an agent is the program of its runtime. A `command` in the roster may be anything, and
    must not get what is made for one program."""
    return bool(agent.argv) and agent.argv[0].rpartition("/")[2] in agent.process_names


def extra_of(agent: Agent, facts: HostFacts) -> Extra:
    """What the launch of an agent adds; nothing if its command is not the program of its runtime."""
    if not is_its_program(agent):
        return Extra()
    return program(agent.runtime).extra(agent, place(agent.name, facts))  # noqa: S610 - not a database query


def takes_conversation(agent: Agent) -> bool:
    """Whether each start of an agent chooses the conversation that its program goes on with."""
    return (agent.runtime == "stub" or is_its_program(agent)) and program(agent.runtime).takes_conversation(agent)


def heartbeat_source(agent: Agent) -> HeartbeatSource:
    """Who writes the heartbeat of an agent. A known program writes it because of what its launch adds, so another
    command under its name does not. An unknown program, or one that needs nothing added, does if its runtime is
    declared so."""
    known = program(agent.runtime)
    if isinstance(known, Plain):
        return "native" if agent.native_heartbeat else "none"
    return known.heartbeats if is_its_program(agent) else "none"


def pairs(agent: Agent, facts: HostFacts) -> tuple[AddedPair, ...]:
    """The lines of the launch environment. Raises ValueError if the prefix of a text contains a "|"."""
    added = extra_of(agent, facts)
    lines = (
        *(("ADD_ENV", f"{name}={value}") for name, value in added.env),
        *(("ADD_ARG", argument) for argument in added.args),
        *(("ADD_TEXT", f"{_prefix(prefix)}|{path}") for prefix, path in added.text_args),
    )
    always = (
        ("MOSAIC_HEARTBEAT", heartbeat_source(agent)),
        (GIVEN_KEY, _given(lines, added.files)),
        *((CONVERSATION_KEY, agent.runtime) for _ in range(takes_conversation(agent))),
    )
    return (*always, (DIGEST_KEY, digest(lines)), *lines) if lines else always


def digest(lines: Iterable[AddedPair]) -> str:
    """16 hex digits of what is added, whatever other lines there are; "" if nothing is added."""
    added = [f"{key}={value}" for key, value in lines if key in LINES]
    return hashlib.sha256("\n".join(added).encode()).hexdigest()[:16] if added else ""


@lru_cache(maxsize=64)
def _given(lines: tuple[AddedPair, ...], files: tuple[AddedPair, ...]) -> str:
    """12 hex digits of all that a start hands to a program, the same for every agent: what is added, and the programs
    and texts of this version. An agent with other digits runs on an older launch."""
    made = hashlib.sha256("\n".join(f"{key}={value}" for key, value in lines).encode())
    for name, text in files:
        made.update(f"\n{name} {_digest_of(text)}".encode())
    made.update(_of_this_version())
    return made.hexdigest()[:12]


@cache
def _of_this_version() -> bytes:
    texts = [framework_files.text(name) for name in ("agent-start", "agent-scope", "agent-pane")]
    return hashlib.sha256("\0".join([*texts, repr(sorted(release().files.items()))]).encode()).digest()


@lru_cache(maxsize=64)
def _digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _prefix(text: str) -> str:
    if "|" in text:
        raise ValueError(f'the prefix {text!r} of an added text has a "|" in it')
    return text
