"""Make a pane's content safe for another terminal: printable characters with their styles, and nothing else.

A captured row is taken apart into characters and styles, and put together again from a closed list of codes: no other
sequence of the pane can come through, whatever tmux hands on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from specs.dataclass import dataclass, field

RESET = "\x1b[0m"
_TOKEN = re.compile(
    r"\x1b\[(?P<sgr>[0-9;:]*)m"
    r"|\x1b[\]PX^_][^\x1b\x07\x9c]*(?:\x07|\x1b\\|\x9c)?"  # links, titles, anything with an end of its own
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|\x1b[ -/]*[0-~]?"
    r"|(?P<shift>[\x0e\x0f])"
    r"|(?P<text>[^\x1b\x9b\x0e\x0f]+)"
)
_LINES = dict(zip("jklmnqtuvwxa`f~", "┘┐┌└┼─├┤┴┬│▒◆°·", strict=True))  # the drawing set that \x0e switches on
_ON = {1: 22, 2: 22, 3: 23, 4: 24, 5: 25, 6: 25, 7: 27, 8: 28, 9: 29, 21: 24, 53: 55}  # a code, and what ends it
_PLAIN_COLOURS = {*range(30, 38), *range(40, 48), *range(90, 98), *range(100, 108)}
_END = {39: "fg", 49: "bg", 59: "line"}
_LONG = {38: "fg", 48: "bg", 58: "line"}


@dataclass(frozen=True, slots=True)
class StyledSpan:
    """Characters of one style; `style` is an escape sequence that sets it whole, "" for the terminal's own."""

    style: str
    text: str


@dataclass(slots=True)
class _Style:
    on: dict[int, int] = field(default_factory=dict)
    colours: dict[str, str] = field(default_factory=dict)

    def take(self, codes: str) -> None:
        """One SGR sequence; what is not known is passed over."""
        words = codes.split(";")
        while words:
            word = words.pop(0)
            parts = word.split(":")
            code = _number(parts[0])
            if code == 0:
                self.on.clear()
                self.colours.clear()
            elif code in _LONG:
                self._colour(code, parts[1:], words)
            elif code == 4 and len(parts) > 1 and parts[1] == "0":
                self._end(24)
            elif code in _ON:
                self.on[code] = _ON[code]
            elif code in _PLAIN_COLOURS:
                self.colours["fg" if code < 40 or 90 <= code < 100 else "bg"] = str(code)
            elif code in _END:
                self.colours.pop(_END[code], None)
            else:
                self._end(code)

    def _end(self, code: int) -> None:
        self.on = {one: end for one, end in self.on.items() if end != code}

    def _colour(self, code: int, parts: list[str], words: list[str]) -> None:
        """`38;5;N`, `38;2;R;G;B`, or the same with colons, which may have an empty colour space in it."""
        kind = parts[0] if parts else words.pop(0) if words else ""
        count = {"5": 1, "2": 3}.get(kind, 0)
        if parts:
            values = parts[1:][-count:] if count else []
        else:
            values = words[:count]
            del words[:count]
        if count and len(values) == count and all(0 <= _number(value) < 256 for value in values):
            self.colours[_LONG[code]] = ";".join([str(code), kind, *(str(_number(value)) for value in values)])

    def sequence(self) -> str:
        codes = [*(str(code) for code in sorted(self.on)), *(self.colours[key] for key in sorted(self.colours))]
        return f"\x1b[0;{';'.join(codes)}m" if codes else ""


def _number(word: str) -> int:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 6 else -1 if word else 0


def spans(rows: Iterable[str]) -> tuple[tuple[StyledSpan, ...], ...]:
    """Rows of `capture-pane -e`, from top to bottom: tmux lets a style run on from one row into the next."""
    style, drawing = _Style(), False
    found: list[tuple[StyledSpan, ...]] = []
    for row in rows:
        line: list[StyledSpan] = []
        for token in _TOKEN.finditer(row):
            if token["sgr"] is not None:
                style.take(token["sgr"])
            elif token["shift"]:
                drawing = token["shift"] == "\x0e"
            elif token["text"]:
                text = "".join(_LINES.get(one, one) for one in token["text"]) if drawing else token["text"]
                line.append(StyledSpan(style.sequence(), printable(text)))
        found.append(tuple(one for one in line if one.text))
    return tuple(found)


def plain_rows(rows: Iterable[str]) -> tuple[str, ...]:
    """The same without styles, and without what is empty at the right."""
    return tuple("".join(one.text for one in line).rstrip() for line in spans(rows))


def printable(text: str) -> str:
    """Without control characters, line separators and marks of direction; a TAB is a blank."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(one for one in text.replace("\t", " ") if _shown(one))


def _shown(one: str) -> bool:
    return unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def width(one: str) -> int:
    """The columns that a printable character takes: 0, 1 or 2."""
    if one.isascii():
        return 1
    if unicodedata.category(one) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(one) in ("W", "F") else 1


def clip(line: Sequence[StyledSpan], left: int, columns: int, *, colour: bool = True) -> str:
    """The part of a row from column `left` on, at most `columns` wide, as what a terminal is to be sent. Of a wide
    character that is cut, a blank remains."""
    out: list[str] = []
    at, end, style = 0, left + columns, ""
    for span in line:
        for one in span.text:
            size = width(one)
            if at >= end:
                break
            inside = at >= left and at + size <= end
            shown = one if inside and (size or at > left) else " " * (min(at + size, end) - max(at, left))
            at += size
            if at <= left or not shown:
                continue
            wanted = span.style if colour else ""
            if wanted != style:
                out.append(wanted or RESET)
                style = wanted
            out.append(shown)
    if style:
        out.append(RESET)
    return "".join(out)
