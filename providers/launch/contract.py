"""The contract: the text that an agent starts with, composed of the framework's, the operator's and git's texts. Pure.

Every agent pays for it at each start, so it says where longer texts are and does not repeat them. The same parts give
the same bytes. Each section begins with a comment that names its source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from providers.launch.additions import is_its_program
from providers.launch.peers import comms_text
from specs import library
from specs.mission.projection import FILE as MISSION
from specs.mission.projection import is_projection
from specs.values.names import UNSAFE

if TYPE_CHECKING:
    from providers.host import HostFacts
    from specs.compiled import Agent, Fleet

# What an operator may add on this host, by its place in the text.
PROFILE = ("USER.md", "USER.local.md")
OVERLAYS = ("SOUL.md", "SOUL.local.md", "STANDARDS.local.md")

PEERS = "messages between agents"  # the source of the last section

# Bytes of one section; together they stay below what `agent-start` takes as an argument, 100,000.
_MOST = 8_000
_MOST_OF_A_PERSONA = 24_000
_LONGEST_LINE = 8_000  # bytes: codex gets it in parts of whole lines, and takes 9,000 of each

ContractSection = tuple[str, str]  # source, text


def compose(fleet: Fleet, agent: Agent, facts: HostFacts, *, runtime: str = "") -> str:
    """The text for one agent of this host, as Markdown. `runtime`: the text for another program. Raises KeyError for an
    agent that this host does not have."""
    program = runtime or (agent.runtime if is_its_program(agent) else "")
    parts = _parts(fleet, facts)
    shared = (parts.common(program), parts.persona(agent.agent_class), parts.mission())
    comms = _joined([(PEERS, comms_text(fleet, agent.name))])
    return _whole(f"agent {agent.name}", facts, [*shared, comms])


def same_but_peers(one: str, other: str) -> bool:
    """Whether two contracts are equal except for the last section, about the peers."""
    mark = _source(PEERS)
    return one.partition(mark)[0] == other.partition(mark)[0]


def compose_without_agent(runtime: str, fleet: Fleet | None, facts: HostFacts) -> str:
    """The sections that every agent of that program gets, without the agent's own."""
    mission = _mission(fleet, facts) if fleet is not None else ()
    return _whole(f"any agent in {runtime}", facts, [_joined(_common(runtime, facts)), _joined(mission)])


def plain(text: str) -> str:
    """An operator's text without control characters: terminals show it, too, and a program's argument ends at a NUL."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    return "\n".join(UNSAFE.sub(lambda found: "\t" if found[0] == "\t" else "", line) for line in lines)


class _Parts:
    """What the contracts of a fleet have in common, made once: a fleet may have a thousand agents."""

    def __init__(self, fleet: Fleet, facts: HostFacts) -> None:
        self.fleet, self.facts = fleet, facts
        self._made: dict[tuple[str, str], str] = {}

    def common(self, runtime: str) -> str:
        return self._once("common", runtime, lambda: _common(runtime, self.facts))

    def persona(self, agent_class: str) -> str:
        return self._once("persona", agent_class, lambda: _persona(self.fleet, agent_class))

    def mission(self) -> str:
        return self._once("mission", "", lambda: _mission(self.fleet, self.facts))

    def _once(self, what: str, name: str, sections: Callable[[], Iterable[ContractSection]]) -> str:
        made = self._made.get((what, name))
        if made is None:
            made = self._made[what, name] = _joined(sections())
        return made


_last: list[_Parts] = []  # of the fleet and the host of the last call


def _parts(fleet: Fleet, facts: HostFacts) -> _Parts:
    if not _last or _last[0].fleet is not fleet or _last[0].facts is not facts:
        _last[:] = [_Parts(fleet, facts)]
    return _last[0]


def runtimes() -> tuple[str, ...]:
    """The programs for which a text ships, sorted."""
    return tuple(name.rpartition("/")[2].removesuffix(".md") for name in library.names("framework/runtimes", ".md"))


def _common(runtime: str, facts: HostFacts) -> Iterator[ContractSection]:
    """The sections that depend on the agent's program only."""
    yield from _framework("CONSTITUTION.md", "CONSTITUTION.md")
    yield from _framework("AGENTS.md", "AGENTS.md")
    yield from _operators(PROFILE, facts)
    yield from _framework("TOOLS.md", "TOOLS.md")
    yield from _framework(f"runtimes/{runtime}.md", f"runtime/{runtime}/RUNTIME.md")
    yield from _operators(OVERLAYS, facts)


@cache
def _framework(name: str, installed: str) -> tuple[ContractSection, ...]:
    """A text of the framework's own, under its name in `$MOSAIC_HOME`; nothing if none ships."""
    folder = f"framework/{name}".rpartition("/")[0]
    return ((installed, library.text(f"framework/{name}")),) if f"framework/{name}" in _shipped(folder) else ()


@cache
def _shipped(folder: str) -> frozenset[str]:
    return frozenset(library.names(folder, ".md"))


def _operators(names: Iterable[str], facts: HostFacts) -> Iterator[ContractSection]:
    """The operator's own texts. One that is still as first written for them is left out."""
    overlays = {one.name: one for one in facts.overlays}
    for name in names:
        one = overlays.get(name)
        if one is None:
            continue
        if one.fault:
            yield name, f"({facts.mosaic_home}/{name} is there and could not be read: {one.fault}.)"
        elif one.text.strip() and one.text != _template(name):
            yield name, _shortened(one.text, _MOST, f"{facts.mosaic_home}/{name}")


@cache
def _template(name: str) -> str:
    path = f"framework/templates/{name}"
    return library.text(path) if path in _shipped("framework/templates") else ""


def _persona(fleet: Fleet, agent_class: str) -> Iterator[ContractSection]:
    persona = fleet.personas.get(agent_class)
    if persona is not None:
        where = f"roles/{agent_class}.md in the fleet's repository"
        text = _shortened(persona.text, _MOST_OF_A_PERSONA, where)
        yield f"contract of class {agent_class}", "\n".join(_in_lines(text))


def _mission(fleet: Fleet, facts: HostFacts) -> Iterator[ContractSection]:
    """Without the line that tells people not to edit it: a reader of the contract cannot."""
    text = fleet.mission.partition("\n")[2] if is_projection(fleet.mission) else fleet.mission
    if text.strip():
        yield f"fleet/{MISSION}", _shortened(text, _MOST, f"{facts.mosaic_home}/fleet/{MISSION}")


def _shortened(text: str, most: int, where: str) -> str:
    """As much of the text as fits, up to the end of a line, and then where the rest is."""
    data = text.encode()
    if len(data) <= most:
        return text
    kept = data[:most].decode(errors="ignore")
    head = kept.rpartition("\n")[0] or kept
    return f"{head}\n\n(It continues, and was cut here: all of it is in {where}.)"


def _in_lines(text: str) -> Iterator[str]:
    """Its lines; one that is too long is folded, after a word if possible."""
    for line in text.split("\n"):
        rest = line
        while len(rest.encode()) > _LONGEST_LINE:
            piece = rest.encode()[:_LONGEST_LINE].decode(errors="ignore")
            piece = piece.rpartition(" ")[0] or piece
            yield piece
            rest = rest[len(piece) :].removeprefix(" ")
        yield rest


def _joined(sections: Iterable[ContractSection]) -> str:
    """ "" for none."""
    strip = "\n"
    return "\n\n".join(f"{_source(source)}\n\n{text.strip(strip)}" for source, text in sections)


def _source(name: str) -> str:
    return f"<!-- source: {name} -->"


def _whole(whom: str, facts: HostFacts, parts: Iterable[str]) -> str:
    head = (
        f"<!-- contract of {whom}, composed by Mosaic Fleet; edits are put back -->\n\n"
        f"Files that are named here without a folder are in `{facts.mosaic_home}`."
    )
    return "\n\n".join([head, *filter(None, parts)]) + "\n"
