"""Agents that were read before in this process: an entry of a roster whose text has not changed is not read again.

A roster in simple YAML (`simple_parser.py`) is cut into what stands before its agents, one text for each agent, and the
rest. In such a file, an agent's text alone decides what its entry says. So a roster that differs from an earlier one in
few agents is read as a short one, without the agents that are known, which are then put back. Whatever is wrong with
the whole is worded, with its place, by a complete load: this one only notices that something is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from specs.dataclass import dataclass
from specs.models.entries import AgentEntry
from specs.values.problems import Span
from specs.yaml_text.builder import MAX_NODES
from specs.yaml_text.read import LARGEST
from specs.yaml_text.tree import Node

if TYPE_CHECKING:
    from specs.models.roster import AgentSpec

MOST = 20_000  # entries that are remembered; a roster has at most about 6,000
_AGENTS = re.compile(r"^agents: *(?:#.*)?$", re.MULTILINE)
_FIRST = re.compile(r"(?:\n *(?:#.*)?)*\n( *)-(?: |$)", re.MULTILINE)


class NotShort(Exception):
    """The roster has to be read completely."""


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """What an agent's text says. `size`: how many values it has."""

    name: str
    spec: AgentSpec
    size: int


@dataclass(frozen=True, slots=True)
class CutRoster:
    """The text of a roster in parts: `head`, `entries` and `tail` together are the text."""

    head: str
    entries: tuple[str, ...]
    tail: str


def cut(text: str) -> CutRoster | None:
    """None for a text without a list of agents in block style. For a text that is not simple, the cuts mean nothing."""
    found = _AGENTS.search(text)
    first = _FIRST.match(text, found.end()) if found else None
    if first is None:
        return None
    begin, indent = first.start(1), len(first[1])
    # A line further left that is no comment, or no dash in the first column, belongs to what follows the agents.
    left = rf"^ {{0,{indent - 1}}}[^ \n#]" if indent else r"^(?:[^ \n#-]|-[^ \n])"
    after = re.compile(left, re.MULTILINE).search(text, begin)
    end = after.start() if after else len(text)
    dashes = re.compile(rf"^ {{{indent}}}-(?: |$)", re.MULTILINE)
    starts = [one.start() for one in dashes.finditer(text, begin, end)]
    entries = tuple(text[at:to] for at, to in zip(starts, [*starts[1:], end], strict=True))
    return CutRoster(text[:begin], entries, text[end:])


@dataclass(frozen=True, slots=True)
class ShortRoster:
    """`raw`: the roster with only the agents of `texts`. `entries`: the texts of all agents, in their order."""

    raw: bytes
    texts: tuple[str, ...]
    entries: tuple[str, ...]
    known: dict[str, KnownEntry]

    def whole(self, fresh: Sequence[AgentEntry], size: int) -> list[AgentEntry]:
        """All entries, with those that were read now. `size`: how many values the short roster has. Those that are
        known have no place. Raises NotShort if they cannot be in one roster."""
        if len(fresh) != len(self.texts):
            raise NotShort
        now = dict(zip(self.texts, fresh, strict=True))
        nowhere = Node("mapping", Span(), (1, 1), 0, 0)
        found = []
        for text in self.entries:
            entry = now.get(text)
            if entry is None:
                one = self.known[text]
                size += one.size
                entry = AgentEntry(nowhere, one.name, one.spec)
            found.append(entry)
        if size > MAX_NODES or len({entry.name for entry in found}) != len(found):
            raise NotShort
        return found


class KnownEntries:
    """The entries that were read without any problem, by their text."""

    def __init__(self) -> None:
        self._known: dict[str, KnownEntry] = {}

    def shorten(self, raw: bytes) -> ShortRoster | None:
        """None if too little of it is known for that to be of use."""
        if not self._known or len(raw) > LARGEST:
            return None
        try:
            parts = cut(raw.decode())
        except UnicodeDecodeError:
            return None
        if parts is None:
            return None
        texts = tuple(dict.fromkeys(text for text in parts.entries if text not in self._known)) or parts.entries[:1]
        if 2 * len(texts) > len(parts.entries):
            return None
        short = f"{parts.head}{''.join(texts)}{parts.tail}"
        return ShortRoster(short.encode(), texts, parts.entries, self._known)

    def learn(self, texts: Sequence[str], entries: Iterable[AgentEntry]) -> None:
        """Remember entries of a simple roster in which nothing is wrong, with the text of each."""
        read = list(entries)
        if len(texts) != len(read):
            return
        if len(self._known) + len(texts) > MOST:
            self._known = {}
        for text, entry in zip(texts, read, strict=True):
            if entry.name is not None and entry.spec is not None:
                self._known[text] = KnownEntry(entry.name, entry.spec, entry.node.size)

    def learn_all(self, raw: bytes, entries: Iterable[AgentEntry]) -> None:
        """The same, of a roster that was read completely."""
        parts = cut(raw.decode())
        if parts is not None:
            self.learn(parts.entries, entries)


KNOWN_ENTRIES = KnownEntries()  # of this process
