"""Assemble a tree from the pieces of a YAML text: anchors, aliases and merge keys resolved, its size bounded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, Protocol

from specs.values.problems import SourceFile, Span
from specs.values.scalars import resolve
from specs.yaml_text.tree import Node

if TYPE_CHECKING:
    from specs.values.problems import Problem


class Mark(Protocol):
    """A place in the text, counted from zero."""

    index: int
    line: int
    column: int


class YamlEvent(Protocol):
    """What the parser says, one piece at a time; which of the fields there are depends on the kind."""

    start_mark: Mark
    end_mark: Mark
    anchor: str | None
    tag: object | None
    value: str
    style: str | None
    flow_style: bool | None
    version: tuple[int, int] | None


MAX_DEPTH = 40
MAX_NODES = 100_000  # after expanding aliases; a roster of 1,000 agents has about 20,000

_TAG_PREFIX = "tag:yaml.org,2002:"
_MERGE = "<<"


class Stop(Exception):
    """The rest of the file cannot be read; the problem is already recorded."""


class Builder:
    """Assembles nodes from events, without recursion."""

    def __init__(self, text: str, source: SourceFile, problems: list[Problem]) -> None:
        self.text = text
        self.source = source
        self.problems = problems
        self.root: Node | None = None
        self.documents = 0
        self.nodes = 0
        self.last = Span()
        self.open: list[Node] = []
        self.anchors: dict[str, Node] = {}
        self.merges: dict[int, list[Node]] = {}  # what is to be merged into an open mapping, by its id

    def take(self, event: YamlEvent) -> None:
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self.add(self._scalar(event), 1)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._tag(event)
            node = self._node("mapping" if kind[0] == "M" else "sequence", event)
            node.flow = bool(event.flow_style)
            self.begin(node)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            node = self.open.pop()
            node.until = _until(event)
            if node.flow:
                node.end = event.end_mark.index
            elif node.written:  # the event is at the next token
                node.end = max(node.end, node.written[-1].end)
            self.merge(node)
            self.add(node, 1)
        elif kind == "AliasEvent":
            self._alias(event)
        elif kind == "DocumentStartEvent":
            self._document(event)

    def _document(self, event: YamlEvent) -> None:
        self.documents += 1
        span = _span(event)
        if self.documents > 1:
            self._stop(
                span, "more than one document in the file", help="remove the `---` line; one file is one document"
            )
        if event.version is not None and tuple(event.version) != (1, 2):
            self._stop(
                Span(max(1, span.line - 1)), "the file asks for another YAML than 1.2", help="remove the %YAML line"
            )

    def _node(self, kind: Literal["mapping", "sequence", "scalar", "alias"], event: YamlEvent) -> Node:
        start, end = event.start_mark, event.end_mark
        return Node(kind, _span(event), _until(event), start.index, end.index, anchor=event.anchor)

    def _scalar(self, event: YamlEvent) -> Node:
        tag = self._tag(event)
        node = self._node("scalar", event)
        node.text, node.style = event.value, event.style or ""
        if node.style in ("|", ">"):  # the event goes on to the next token
            node.end = node.start + len(self.text[node.start : node.end].rstrip())
        node.plain = event.style is None and tag is None
        node.value = event.value
        if _SURROGATE.search(event.value):
            self._note(node, "an escape that is half a character")
            node.value = ""
        elif node.plain:
            try:
                node.value = resolve(event.value)
            except ValueError as error:
                self._note(node, str(error), suggestion="write it in quotes")
                node.value = event.value
        return node

    def _tag(self, event: YamlEvent) -> str | None:
        tag = None if event.tag is None else str(event.tag)
        if tag is None or tag == "!":
            return tag
        short = tag.removeprefix(_TAG_PREFIX)
        expected = {"ScalarEvent": "str", "MappingStartEvent": "map", "SequenceStartEvent": "seq"}
        if short == tag or short != expected[type(event).__name__]:
            span = _span(event)
            self.problems.append(
                self.source.problem(span, "a tag that has no meaning here", help="remove the word that begins with `!`")
            )
        return tag

    def _alias(self, event: YamlEvent) -> None:
        node = self._node("alias", event)
        node.text, node.anchor = event.anchor or "", None
        known = node.target = self.anchors.get(node.text)
        if known is None:
            inside = any(one.anchor == event.anchor for one in self.open)
            self._stop(
                node.span, f"alias *{event.anchor} " + ("contains itself" if inside else "refers to no anchor above it")
            )
        else:
            self.add(node, known.size)

    def begin(self, node: Node) -> None:
        """A mapping or list begins."""
        if len(self.open) >= MAX_DEPTH:
            self._stop(node.span, f"nested more than {MAX_DEPTH} levels deep")
        self.open.append(node)

    def add(self, place: Node, cost: int) -> None:
        node = place.target or place
        self.last = node.span
        self.nodes += cost
        if self.nodes > MAX_NODES:
            self._stop(node.span, f"expands to more than {MAX_NODES:,} values", help="use fewer aliases, or write less")
        if place.anchor is not None:
            self.anchors[place.anchor] = node
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        parent.written.append(place)
        if parent.kind == "sequence":
            parent.sequence.append(node)
            parent.size += node.size
        elif len(parent.written) % 2 == 0:
            parent.size += 1 + node.size
            key = parent.written[-2]
            self._pair(parent, key.target or key, node)

    def _pair(self, parent: Node, key: Node, value: Node) -> None:
        if key.kind != "scalar":
            self._note(key, "a key must be text")
        elif key.plain and key.text == _MERGE:
            self.merges.setdefault(id(parent), []).append(value)
        elif key.text in parent.items:
            first = parent.keys[key.text].span.line
            parent.repeated.add(key.text)
            self._note(key, f'duplicate key "{key.text}"', suggestion=f"first written on line {first}")
        else:
            parent.items[key.text] = value
            parent.keys[key.text] = key

    def merge(self, node: Node) -> None:
        """Merge keys: what the mapping says itself wins, then the earlier of the merged ones."""
        for merged in self.merges.pop(id(node), ()):
            for base in merged.sequence if merged.kind == "sequence" else [merged]:
                if base.kind != "mapping":
                    self._note(base, "only a mapping can be merged with `<<`")
                    continue
                for key, value in base.items.items():
                    if key not in node.items:
                        node.items[key] = value
                        node.keys[key] = base.keys[key]

    def _note(self, node: Node, message: str, suggestion: str | None = None) -> None:
        self.problems.append(self.source.problem(node.span, message, suggestion=suggestion))

    def _stop(self, span: Span, message: str, help: str | None = None) -> None:
        self.problems.append(self.source.problem(span, message, help=help))
        raise Stop


_SURROGATE = re.compile("[\ud800-\udfff]")


def _span(event: YamlEvent) -> Span:
    start, end = event.start_mark, event.end_mark
    width = end.column - start.column if end.line == start.line else 10_000  # to the end of the line
    return Span(start.line + 1, start.column + 1, max(1, width))


def _until(event: YamlEvent) -> tuple[int, int]:
    return event.end_mark.line + 1, event.end_mark.column + 1
