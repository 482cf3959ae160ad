"""Fold lines to a width: a longer word is broken, and nothing is left out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

WIDTH = 80


def columns(text: str) -> int:
    """How many columns a terminal gives a text."""
    return sum(_wide(char) for char in text)


def folded(first: str, rest: str, words: Iterable[str], *, width: int = WIDTH) -> list[str]:
    """`first` stands before the words of the first line, `rest` before those of the others."""
    lines: list[str] = []
    line, empty = first, True
    for word in words:
        if not empty and columns(line) + 1 + columns(word) <= width:
            line += f" {word}"
            continue
        if not empty:
            lines.append(line.rstrip())
            line = rest
        *whole, last = _pieces(word, width - columns(line), width - columns(rest))
        for piece in whole:
            lines.append(line + piece)
            line = rest
        line, empty = line + last, False
    return [*lines, line.rstrip()]


def _pieces(word: str, room: int, later: int) -> list[str]:
    """A word in pieces that fit: the first into `room` columns, the others into `later`; a character at least."""
    pieces: list[str] = []
    piece, used = "", 0
    for char in word:
        if piece and used + _wide(char) > (room if not pieces else later):
            pieces.append(piece)
            piece, used = "", 0
        piece, used = piece + char, used + _wide(char)
    return [*pieces, piece]


def _wide(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
