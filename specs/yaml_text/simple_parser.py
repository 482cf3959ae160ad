"""A fast parser of the YAML that people write most: block mappings and lists, scalars and brackets on one line.

It gives exactly the tree of the complete parser, or None: anything that it does not know for certain (anchors, tags,
texts over several lines, escapes, tabs), and anything that is wrong, is left to the complete one, which also words the
problem. A roster of 5,000 agents is read in a tenth of the time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from specs.values.problems import Span
from specs.values.scalars import resolve
from specs.yaml_text.builder import Stop
from specs.yaml_text.tree import Node

if TYPE_CHECKING:
    from specs.values.scalars import Scalar
    from specs.yaml_text.builder import Builder

# Line breaks other than \n, invisible characters, and what only looks like a space.
_ODD = re.compile(
    "[^\n -~\xa1-\xac\xae-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff\uf900-\ufdff\U0001f300-\U0001faff]"
)
_WORD = r"[A-Za-z_][A-Za-z0-9_.-]*"
_KEY = re.compile(rf"({_WORD}):(?: +|$)")
_DASH = re.compile(r"-(?: +|$)")
_REST = re.compile(r" *(?:(?<= )#.*)?$")  # after a value: nothing, or a comment
_COMMENT = re.compile(r"(?:#.*)?$")
# A plain text begins with nothing that has a meaning in YAML, and has no colon and no number sign that could have one.
_FIRST = r"(?:[A-Za-z0-9_/~.+$(\xa1-\U0001faff]|-(?=[A-Za-z0-9_.-]))"
_PLAIN = re.compile(rf"{_FIRST}(?:[^ :#]|:(?=[^ ])|(?<=[^ ])#| +(?=[^ #]))*")
_QUOTED = re.compile(r"'([^']*)'|\"([^\"\\]*)\"")
_INNER = r"(?:[A-Za-z0-9_/~.+$@=%()\xa1-\U0001faff-]|:(?=[A-Za-z0-9_/]))"  # in brackets
_FLOW = re.compile(
    rf"(?P<blank> +)|(?P<open>[\[{{])|(?P<close>[\]}}])|(?P<comma>,)|(?P<key>{_WORD}): "
    rf"|(?P<plain>{_FIRST}{_INNER}*(?: {_INNER}+)*)(?=[,\]}} ])"
    r"|'(?P<single>[^']*)'(?=[,\]} ])|\"(?P<double>[^\"\\]*)\"(?=[,\]} ])"
)


class NotSimple(Exception):
    """Something that only the complete parser reads."""


def parse_simple(text: str, builder: Builder) -> bool:
    """Build the tree of `text` in `builder`. Returns whether that was possible; if not, `builder` is of no more use."""
    if _ODD.search(text):
        return False
    try:
        _Lines(text, builder).read()
    except (NotSimple, Stop):
        return False
    return not builder.problems


class _Open:
    """A collection that is not closed yet. `column` is where its keys or dashes begin, from 0; `waits`: a key or dash
    has no value yet; `after`: the place behind the dash."""

    __slots__ = ("after", "column", "loose", "node", "waits")

    def __init__(self, node: Node, column: int, *, loose: bool = False) -> None:
        self.node, self.column, self.loose = node, column, loose
        self.waits, self.after = False, (0, 0, 0)


class _Lines:
    """Reads a text line by line. Places: offset into the text, line and column, all from 0."""

    def __init__(self, text: str, builder: Builder) -> None:
        self.text, self.builder = text, builder
        self.stack: list[_Open] = []
        self.base, self.number, self.line = 0, 0, ""
        self.known: dict[str, Scalar] = {}

    def read(self) -> None:
        lines = self.text.split("\n")
        began = False
        for self.number, self.line in enumerate(lines):
            line = self.line
            words = line.lstrip(" ")
            if words and words[0] != "#":
                if not began and line.rstrip(" ") == "---":
                    began = True
                else:
                    began = True
                    self.content(len(line) - len(words))
            self.base += len(line) + 1
        if not self.stack:
            raise NotSimple
        self.base -= len(self.line) + 1
        while self.stack:
            self.close(len(self.line))

    def content(self, indent: int) -> None:
        """A line that says something, from `indent` on."""
        dash = _DASH.match(self.line, indent)
        stack = self.stack
        while stack and (stack[-1].column > indent or (stack[-1].loose and stack[-1].column == indent and not dash)):
            self.close(indent)
        top = stack[-1] if stack else None
        if top is not None and top.column < indent and not top.waits:
            raise NotSimple  # goes on with the text above, or belongs nowhere
        if dash is None:
            self.pair(indent, top)
            return
        if top is None:
            raise NotSimple
        if top.column < indent or (top.node.kind == "mapping" and top.waits):
            top = self.open("sequence", indent, loose=top.node.kind == "mapping" and top.column == indent)
        elif top.node.kind != "sequence":
            raise NotSimple
        self.item(top, dash.end(), indent)

    def item(self, top: _Open, at: int, dash: int) -> None:
        """An entry of a list, whose value begins at column `at`."""
        self.fill(top, dash)
        if _COMMENT.match(self.line, at):
            top.waits, top.after = True, (self.base + dash + 1, self.number, dash + 1)
        elif _KEY.match(self.line, at):
            self.pair(at, top, inner=True)
        else:
            self.value(at)

    def pair(self, at: int, top: _Open | None, *, inner: bool = False) -> None:
        """A key at column `at`, of the open mapping there or of a new one."""
        found = _KEY.match(self.line, at)
        if found is None:
            raise NotSimple
        if inner or top is None or top.column < at:
            top = self.open("mapping", at)
        elif top.node.kind != "mapping":
            raise NotSimple
        else:
            self.fill(top, at)
        word, end = found[1], found.end(1)
        self.scalar(word, word, at, end)
        after = found.end()
        if _COMMENT.match(self.line, after):
            top.waits = True
        else:
            self.value(after)

    def value(self, at: int) -> None:
        """What stands on the rest of the line."""
        line = self.line
        first = line[at]
        if first in "{[":
            end = self.flow(at)
        elif first in "'\"":
            quoted = _QUOTED.match(line, at)
            if quoted is None:
                raise NotSimple
            end = quoted.end()
            self.scalar(quoted[1] if first == "'" else quoted[2], None, at, end, first)
        else:
            plain = _PLAIN.match(line, at)
            if plain is None:
                raise NotSimple
            end = plain.end()
            self.scalar(plain[0], plain[0], at, end)
        if not _REST.match(line, end):
            raise NotSimple

    def flow(self, at: int) -> int:
        """Brackets that end on this line; the column behind them."""
        line, builder, depth, comma = self.line, self.builder, len(self.builder.open), True
        while True:
            found = _FLOW.match(line, at)
            if found is None:
                raise NotSimple
            what, start, at = found.lastgroup, at, found.end()
            if what == "blank":
                continue
            node = builder.open[-1] if len(builder.open) > depth else None
            if what == "close":
                if node is None or (comma and node.written) or line[start] != ("}" if node.kind == "mapping" else "]"):
                    raise NotSimple
                if node.kind == "mapping" and len(node.written) % 2:
                    raise NotSimple
                builder.open.pop()
                node.until, node.end = (self.number + 1, at + 1), self.base + at
                builder.merge(node)
                builder.add(node, 1)
                comma = False
                if len(builder.open) == depth:
                    return at
                continue
            if what == "comma":
                if node is None or comma or (node.kind == "mapping" and len(node.written) % 2):
                    raise NotSimple
                comma = True
                continue
            key = node is not None and node.kind == "mapping" and len(node.written) % 2 == 0
            if key != (what == "key") or (not comma and not (node is not None and node.kind == "mapping" and not key)):
                raise NotSimple
            comma = False
            if what == "open":
                self.start("mapping" if line[start] == "{" else "sequence", start, 1).flow = True
                comma = True
            elif what == "key":
                self.scalar(found["key"], found["key"], start, found.end("key"))
            elif what == "plain":
                self.scalar(found["plain"], found["plain"], start, at)
            else:
                quote = line[start]
                self.scalar(found["single"] if quote == "'" else found["double"], None, start, at, quote)

    def scalar(self, text: str, plain: str | None, start: int, end: int, style: str = "") -> None:
        """`plain`: the word to resolve, None in quotes."""
        value: Scalar = text
        if plain is not None:
            try:
                value = self.known[plain]
            except KeyError:
                try:
                    value = self.known[plain] = resolve(plain)
                except ValueError:
                    raise NotSimple from None
        line, base = self.number + 1, self.base
        node = Node(
            "scalar",
            Span(line, start + 1, end - start),
            (line, end + 1),
            base + start,
            base + end,
            value=value,
            text=text,
            plain=plain is not None,
            style=style,
        )
        self.builder.add(node, 1)

    def start(self, kind: str, at: int, width: int) -> Node:
        node = Node(
            "mapping" if kind == "mapping" else "sequence",
            Span(self.number + 1, at + 1, 1),
            (self.number + 1, at + 1 + width),
            self.base + at,
            self.base + at + width,
        )
        self.builder.begin(node)
        return node

    def open(self, kind: str, at: int, *, loose: bool = False) -> _Open:
        """A new collection in block style. `loose`: a list whose dashes stand in the column of the key above."""
        if self.stack:
            self.stack[-1].waits = False
        elif self.builder.root is not None:
            raise NotSimple  # begins to the left of all that is above
        opened = _Open(self.start(kind, at, 1 if loose else 0), at, loose=loose)
        self.stack.append(opened)
        return opened

    def fill(self, top: _Open, column: int) -> None:
        """A key or dash that got no value has nothing as its value: the complete parser sees that behind a dash, but
        after a key where the next thing begins, here at `column`."""
        if top.waits:
            top.waits = False
            here = (self.base + column, self.number, column)
            index, line, column = here if top.node.kind == "mapping" else top.after
            place = Span(line + 1, column + 1, 1)
            self.builder.add(Node("scalar", place, (line + 1, column + 1), index, index, plain=True), 1)

    def close(self, column: int) -> None:
        """The innermost collection ends before what stands at this column."""
        top = self.stack.pop()
        self.fill(top, column)
        node = self.builder.open.pop()
        node.until = (self.number + 1, column + 1)
        node.end = max(node.end, node.written[-1].end)
        self.builder.merge(node)
        self.builder.add(node, 1)
