"""The rows of a screen, and which of their characters are faint, from the SGR sequences of a capture. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.screen import Screen

_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
_OTHER = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_()])|[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class ScreenRow:
    """`bright` is `text` with blanks in place of faint characters: what a program suggests or only remembers."""

    text: str
    bright: str


@dataclass(slots=True)
class _Pen:
    faint: bool = False
    inverse: bool = False

    def write(self, codes: str) -> None:
        """Apply one SGR sequence; colours are skipped, with their parameters."""
        words = iter(codes.replace(":", ";").split(";"))
        for word in words:
            if word in ("", "0", "00"):
                self.faint = self.inverse = False
            elif word == "2":
                self.faint = True
            elif word == "22":
                self.faint = False
            elif word == "7":
                self.inverse = True
            elif word == "27":
                self.inverse = False
            elif word in ("38", "48", "58"):
                for _ in range({"5": 1, "2": 3}.get(next(words, ""), 0)):
                    next(words, "")


def rows(screen: Screen) -> list[ScreenRow]:
    """One for each line. In tmux's output, attributes continue from one line to the next."""
    pen = _Pen()
    seen = [_row(styled, pen) for styled in screen.styled]
    found = []
    for number, line in enumerate(screen.lines):
        row = seen[number] if number < len(seen) else ScreenRow(line, line)
        found.append(
            row if row.text == line else ScreenRow(line, line)
        )  # without its styles, no character counts as faint
    return found


def _row(styled: str, pen: _Pen) -> ScreenRow:
    text: list[str] = []
    faint: list[bool] = []
    inverse: list[bool] = []
    for piece in _pieces(styled, pen):
        text += piece
        faint += [pen.faint] * len(piece)
        inverse += [pen.inverse] * len(piece)
    for at in range(len(text) - 1):  # a cursor drawn on the first letter of a suggestion
        faint[at] = faint[at] or (inverse[at] and faint[at + 1])
    bright = (" " if hidden else letter for letter, hidden in zip(text, faint, strict=True))
    whole = "".join(text).rstrip()
    return ScreenRow(whole, "".join(bright)[: len(whole)])


def _pieces(styled: str, pen: _Pen) -> Iterator[str]:
    end = 0
    for found in _SGR.finditer(styled):
        yield _OTHER.sub("", styled[end : found.start()])
        pen.write(found.group(1))
        end = found.end()
    yield _OTHER.sub("", styled[end:])
