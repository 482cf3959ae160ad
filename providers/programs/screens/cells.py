"""The cells of a screen: characters with their colours, from lines with SGR sequences. Pure and total."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from specs.dataclass import dataclass

_ESCAPE = re.compile(r"\x1b(?:\[([0-9;:]*)([@-~])|\].*?(?:\x07|\x1b\\)|[()].|.)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Cell:
    """`text`: one character as tmux prints it. `colour` and `back`: as in SGR, "" being the terminal's own."""

    text: str
    colour: str = ""
    back: str = ""
    reverse: bool = False


def cells(styled: str) -> tuple[Cell, ...]:
    """One line, which must be self-contained: it begins with the terminal's own colours."""
    found: list[Cell] = []
    pen = Cell("")
    at = 0
    while at < len(styled):
        escape = _ESCAPE.match(styled, at)
        if escape is None:
            found.append(Cell(styled[at], pen.colour, pen.back, pen.reverse))
            at += 1
            continue
        at = escape.end()
        if escape[2] == "m":
            pen = _dip(pen, escape[1])
    return tuple(found)


def columns(line: Iterable[Cell], start: int, end: int) -> str:
    """The text from column `start` up to `end`, from 0; a wide character fills two columns."""
    found, at = [], 0
    for cell in line:
        if start <= at < end:
            found.append(cell.text)
        wide = unicodedata.east_asian_width(cell.text) in ("W", "F")
        at += 0 if unicodedata.combining(cell.text) else 2 if wide else 1
    return "".join(found)


def _dip(pen: Cell, words: str) -> Cell:
    colour, back, reverse = pen.colour, pen.back, pen.reverse
    parts = words.split(";")
    while parts:
        word = parts.pop(0)
        number = word.partition(":")[0].lstrip("0")
        if number in ("38", "48") and ":" not in word:
            taken = 2 if parts[:1] == ["5"] else 4
            word, parts = ";".join([word, *parts[:taken]]), parts[taken:]
        if number == "":
            colour, back, reverse = "", "", False
        elif number in ("7", "27"):
            reverse = number == "7"
        elif len(number) == 2 and number[0] in "39":
            colour = "" if number == "39" else word
        elif (len(number) == 2 and number[0] == "4") or number[:2] == "10":
            back = "" if number == "49" else word
    return Cell("", colour, back, reverse)
