"""YAML as values that remember where they were written.

Reads events, not documents: the tree is bounded in depth and in expanded size while it is built, so an alias bomb or a
thousand brackets end at the limit and not in memory or in a stack overflow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from specs.values.problems import SourceFile, Span
from specs.values.scalars import Scalar, resolve
from specs.yaml_text.syntax import syntax_problem

if TYPE_CHECKING:
    from specs.values.problems import Problem


class Mark(Protocol):
    """A place in the text, counted from zero."""

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
    version: tuple[int, int] | None


MAX_DEPTH = 40
MAX_NODES = 100_000  # after expanding aliases; a roster of 1,000 agents has about 20,000

_TAG_PREFIX = "tag:yaml.org,2002:"
_MERGE = "<<"


@dataclass(slots=True, eq=False)
class Node:
    """A value: `text` is a scalar as written; `keys` holds each key's own node beside `items`, its value."""

    kind: Literal["mapping", "sequence", "scalar"]
    span: Span
    end: tuple[int, int]  # 1-based line and column after the last character
    value: Scalar = None
    text: str = ""
    plain: bool = False
    items: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Node] = field(default_factory=dict)
    sequence: list[Node] = field(default_factory=list)
    merged: list[Node] = field(default_factory=list)
    repeated: set[str] = field(default_factory=set)  # keys written twice; `items` has the first value
    size: int = 1

    def data(self) -> Any:  # noqa: ANN401 - what a YAML file may hold has no closer type
        """Plain values: dictionaries, tuples and scalars."""
        if self.kind == "mapping":
            return {key: value.data() for key, value in self.items.items()}
        if self.kind == "sequence":
            return tuple(value.data() for value in self.sequence)
        return self.value

    def walk(self) -> Iterator[tuple[str, Node]]:
        """Every scalar below, with the name of the nearest key above it."""
        pending: list[tuple[str, Node]] = [("", self)]
        while pending:
            name, node = pending.pop()
            if node.kind == "scalar":
                yield name, node
            pending.extend((name, child) for child in node.sequence)
            pending.extend(node.items.items())

    def describe(self) -> str:
        """What it is, in words."""
        if self.kind != "scalar":
            return {"mapping": "a mapping", "sequence": "a list"}[self.kind]
        if self.value is None:
            return "nothing"
        if isinstance(self.value, bool):
            return "true or false"
        return "text" if isinstance(self.value, str) else "a number"


class Stop(Exception):
    """The rest of the file cannot be read; the problem is already recorded."""


def parse(text: str, source: SourceFile, problems: list[Problem]) -> Node | None:
    """The only document of `text`, or None when it cannot be read. Never raises; what is wrong goes to `problems`."""
    from ruamel.yaml.error import MarkedYAMLError

    from specs.yaml_text.events import events

    builder = _Builder(source, problems)
    try:
        for event in events(text):
            builder.take(cast("YamlEvent", event))
    except Stop:
        return None
    except MarkedYAMLError as error:
        problems.append(syntax_problem(error, source))
        return None
    except Exception as error:  # foreign input in a third-party scanner, which raises whatever it meets
        place = builder.last
        problems.append(source.problem(place, f"not readable as YAML from here on ({type(error).__name__})"))
        return None
    return builder.root


class _Builder:
    """Assembles nodes from events, without recursion."""

    def __init__(self, source: SourceFile, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        self.root: Node | None = None
        self.documents = 0
        self.nodes = 0
        self.last = Span()
        self.open: list[tuple[Node, str | None]] = []  # container, and the anchor it will be known by
        self.pending: list[Node | None] = []  # for each open mapping, the key that waits for its value
        self.anchors: dict[str, Node] = {}

    def take(self, event: YamlEvent) -> None:
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._add(self._scalar(event), event.anchor, 1)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._tag(event)
            node = Node("mapping" if kind[0] == "M" else "sequence", _span(event), _end(event))
            if len(self.open) >= MAX_DEPTH:
                self._stop(node.span, f"nested more than {MAX_DEPTH} levels deep")
            self.open.append((node, event.anchor))
            self.pending.append(None)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            node, anchor = self.open.pop()
            self.pending.pop()
            node.end = _end(event)
            self._finish(node)
            self._add(node, anchor, 1)
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

    def _scalar(self, event: YamlEvent) -> Node:
        tag = self._tag(event)
        node = Node("scalar", _span(event), _end(event), text=event.value)
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
        span = _span(event)
        known = self.anchors.get(event.anchor or "")
        if known is None:
            inside = any(anchor == event.anchor for _, anchor in self.open)
            self._stop(
                span, f"alias *{event.anchor} " + ("contains itself" if inside else "refers to no anchor above it")
            )
        else:
            self._add(known, None, known.size)

    def _add(self, node: Node, anchor: str | None, cost: int) -> None:
        self.last = node.span
        self.nodes += cost
        if self.nodes > MAX_NODES:
            self._stop(node.span, f"expands to more than {MAX_NODES:,} values", help="use fewer aliases, or write less")
        if anchor is not None:
            self.anchors[anchor] = node
        if not self.open:
            self.root = node
            return
        parent, _ = self.open[-1]
        if parent.kind == "sequence":
            parent.sequence.append(node)
            parent.size += node.size
            return
        key = self.pending[-1]
        if key is None:
            self.pending[-1] = node
            return
        self.pending[-1] = None
        parent.size += 1 + node.size
        self._pair(parent, key, node)

    def _pair(self, parent: Node, key: Node, value: Node) -> None:
        if key.kind != "scalar":
            self._note(key, "a key must be text")
        elif key.plain and key.text == _MERGE:
            parent.merged.append(value)
        elif key.text in parent.items:
            first = parent.keys[key.text].span.line
            parent.repeated.add(key.text)
            self._note(key, f'duplicate key "{key.text}"', suggestion=f"first written on line {first}")
        else:
            parent.items[key.text] = value
            parent.keys[key.text] = key

    def _finish(self, node: Node) -> None:
        """Merge keys: what the mapping says itself wins, then the earlier of the merged ones."""
        for merged in node.merged:
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


def _end(event: YamlEvent) -> tuple[int, int]:
    return event.end_mark.line + 1, event.end_mark.column + 1
