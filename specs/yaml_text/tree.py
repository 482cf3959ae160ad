"""YAML as values that remember where and how they were written: what a fleet is read from, and what an edit goes by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from specs.dataclass import dataclass, field
from specs.values.problems import Span
from specs.values.scalars import Scalar


@dataclass(slots=True, eq=False)
class Node:
    """A value. What it says: `value` of a scalar, `items` of a mapping (`keys` has each key's own node), `sequence` of
    a list. Aliases and merge keys are resolved in them.

    How it is written: `start` and `end`, offsets into the text, the end exclusive and without the comments and blank
    lines that follow; `start` is where its anchor or tag begins, if it has one. `written`: of a list its entries, of a
    mapping its keys and values in turn, with an alias as a node of that kind, whose `text` is the anchor that it names.
    """

    kind: Literal["mapping", "sequence", "scalar", "alias"]
    span: Span
    until: tuple[int, int]  # 1-based line and column after the last character
    start: int
    end: int
    value: Scalar = None
    text: str = ""  # of a scalar, its content before it is resolved
    plain: bool = False
    style: str = ""  # of a scalar: "" plain, else its quote, | or >
    flow: bool = False
    anchor: str | None = None
    items: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Node] = field(default_factory=dict)
    sequence: list[Node] = field(default_factory=list)
    written: list[Node] = field(default_factory=list)
    target: Node | None = None  # of an alias
    repeated: set[str] = field(default_factory=set)  # keys written twice; `items` has the first value
    size: int = 1

    @property
    def pairs(self) -> list[tuple[Node, Node]]:
        """Keys and values of a mapping as they are written; what is merged into it is not among them."""
        return list(zip(self.written[::2], self.written[1::2], strict=True)) if self.kind == "mapping" else []

    def pair(self, *names: str) -> tuple[Node, Node] | None:
        """The first pair whose key is one of `names`."""
        return next((pair for pair in self.pairs if pair[0].kind == "scalar" and pair[0].text in names), None)

    def get(self, *names: str) -> Node | None:
        """The value of one of these keys, as it is written."""
        pair = self.pair(*names)
        return None if pair is None else pair[1]

    def places(self) -> Iterator[Node]:
        """This node and all that is written in it, in the order of the text: keys included, aliases as such."""
        pending = [self]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed(node.written))

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
            return {"mapping": "a mapping", "sequence": "a list", "alias": "an alias"}[self.kind]
        if self.value is None:
            return "nothing"
        if isinstance(self.value, bool):
            return "true or false"
        return "text" if isinstance(self.value, str) else "a number"
