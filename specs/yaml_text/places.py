"""Where the values of a YAML text are: offsets, styles, anchors. What an edit of the text goes by."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol, cast

_BREAK = re.compile(r"\r\n|\n|\r")
_DASH = re.compile(r" *-(?=[ \t\r\n]|$)")


class _Mark(Protocol):
    index: int


class _Event(Protocol):
    start_mark: _Mark
    end_mark: _Mark
    anchor: str | None
    value: str
    style: str | None
    flow_style: bool | None


@dataclass(slots=True, eq=False)
class ValuePlace:
    """A value as it is written: `start` and `end` are offsets into the text, the end exclusive and without the comments
    and blank lines that follow. `start` is where its anchor or tag begins, if it has one."""

    kind: Literal["mapping", "sequence", "scalar", "alias"]
    start: int
    end: int
    flow: bool = False
    style: str = ""  # of a scalar: "" plain, else its quote, | or >
    text: str = ""  # of a scalar: its value; of an alias: the anchor that it names
    anchor: str | None = None
    pairs: list[tuple[ValuePlace, ValuePlace]] = field(default_factory=list)
    sequence: list[ValuePlace] = field(default_factory=list)

    def walk(self) -> Iterator[ValuePlace]:
        """This place and all below it, keys included."""
        yield self
        for key, value in self.pairs:
            yield from key.walk()
            yield from value.walk()
        for value in self.sequence:
            yield from value.walk()

    def pair(self, *names: str) -> tuple[ValuePlace, ValuePlace] | None:
        """The pair whose key is one of `names`; what is merged into a mapping is not its own."""
        return next((pair for pair in self.pairs if pair[0].kind == "scalar" and pair[0].text in names), None)

    def get(self, *names: str) -> ValuePlace | None:
        """The value of one of these keys."""
        pair = self.pair(*names)
        return None if pair is None else pair[1]


def read_places(text: str) -> ValuePlace:
    """The only document of a text that has been read before without a problem, so that it is one and is not too deep.

    Raises ruamel's YAMLError.
    """
    from specs.yaml_text.events import events

    root = ValuePlace("scalar", 0, 0)
    open_: list[ValuePlace] = []
    keys: list[ValuePlace | None] = []

    def add(place: ValuePlace) -> None:
        nonlocal root
        if not open_:
            root = place
        elif open_[-1].kind == "sequence":
            open_[-1].sequence.append(place)
        elif keys[-1] is None:
            keys[-1] = place
        else:
            open_[-1].pairs.append((keys[-1], place))
            keys[-1] = None

    for raw in events(text):
        event, kind = cast("_Event", raw), type(raw).__name__
        if kind in ("MappingStartEvent", "SequenceStartEvent"):
            which: Literal["mapping", "sequence"] = "mapping" if kind[0] == "M" else "sequence"
            start, end = event.start_mark.index, event.end_mark.index
            open_.append(ValuePlace(which, start, end, flow=bool(event.flow_style), anchor=event.anchor))
            keys.append(None)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            place = open_.pop()
            keys.pop()
            below = [*(value.end for _, value in place.pairs), *(one.end for one in place.sequence)]
            place.end = event.end_mark.index if place.flow else max([place.end, *below])
            add(place)
        elif kind == "ScalarEvent":
            add(_scalar(event, text))
        elif kind == "AliasEvent":
            start, end = event.start_mark.index, event.end_mark.index
            add(ValuePlace("alias", start, end, text=event.anchor or ""))
    return root


def _scalar(event: _Event, text: str) -> ValuePlace:
    start, end = event.start_mark.index, event.end_mark.index
    style = event.style or ""
    if style in ("|", ">"):  # the event goes on to the next token
        end = start + len(text[start:end].rstrip())
    return ValuePlace("scalar", start, end, style=style, text=event.value, anchor=event.anchor)


@dataclass(frozen=True, slots=True)
class LineIndex:
    """The lines of a text, by offset. `eol` is how its lines end."""

    text: str
    eol: str

    @classmethod
    def of(cls, text: str) -> LineIndex:
        found = _BREAK.search(text)
        return cls(text, found[0] if found else "\n")

    def start(self, at: int) -> int:
        """Where the line begins that `at` is in."""
        return max(self.text.rfind("\n", 0, at), self.text.rfind("\r", 0, at)) + 1

    def end(self, at: int) -> int:
        """Where that line ends, before its line break."""
        found = _BREAK.search(self.text, at)
        return found.start() if found else len(self.text)

    def after(self, at: int) -> int:
        """Where the next line begins; the end of the text after the last one."""
        found = _BREAK.search(self.text, at)
        return found.end() if found else len(self.text)

    def before(self, at: int) -> int | None:
        """Where the line above the one of `at` begins; None above the first."""
        start = self.start(at)
        if start == 0:
            return None
        return self.start(start - 2 if self.text[start - 2 : start] == "\r\n" else start - 1)

    def line(self, at: int) -> str:
        """The line, without its break."""
        return self.text[self.start(at) : self.end(at)]

    def indent(self, at: int) -> str:
        """What stands before `at` on its line, with everything but blanks replaced by blanks."""
        return re.sub(r"[^ \t]", " ", self.text[self.start(at) : at])

    def first(self, at: int) -> bool:
        """Whether nothing but blanks stands before `at` on its line."""
        return not self.text[self.start(at) : at].strip()

    def number(self, at: int) -> int:
        """The line's number, from 1."""
        return len(_BREAK.findall(self.text, 0, at)) + 1

    def dash(self, entry: int) -> int:
        """Where the dash stands that begins the item of a block sequence whose value begins at `entry`."""
        at: int | None = self.start(entry)
        while at is not None:
            found = _DASH.match(self.text, at)
            if found and found.end() - 1 < entry:
                return found.end() - 1
            at = self.before(at)
        return self.start(entry)

    def tail(self, at: int, column: int) -> int:
        """The end of the last line that belongs to what ends at `at`: comments below it that are indented by more than
        `column` belong to it."""
        end = self.end(at)
        while True:
            begin = self.after(end)
            line = self.text[begin : self.end(begin)] if begin > end else ""
            words = line.lstrip(" ")
            if not words.startswith("#") or len(line) - len(words) <= column:
                return end
            end = self.end(begin)

    def gap(self, at: int) -> int:
        """The first offset from `at` on that is neither blank nor in a comment."""
        found = re.compile(r"(?:[ \t\r\n]+|(?<=[ \t\r\n])#[^\r\n]*)*").match(self.text, at)
        return found.end() if found else at
