"""Screens of the real programs, captured with `tmux capture-pane -e -p`; ESC is stored as its picture.

The first line of a file is the cursor's column and row, the width and height, and the title.
"""

from __future__ import annotations

import re
from pathlib import Path

from providers.screen import Screen

FOLDER = Path(__file__).with_name("captures")
_SGR = re.compile(r"\x1b\[[0-9;:]*m")


def screen(name: str) -> Screen:
    head, *styled = (FOLDER / f"{name}.txt").read_text().replace("\N{SYMBOL FOR ESCAPE}", "\x1b").split("\n")
    column, row, width, height, title = head.split(" ", 4)
    drawn = tuple(styled[: int(height)])
    return Screen(
        lines=tuple(_SGR.sub("", line).rstrip() for line in drawn),
        styled=drawn,
        cursor=(int(column), int(row)),
        title=title,
        width=int(width),
        height=int(height),
    )


def plain(*lines: str, title: str = "") -> Screen:
    """A screen without any style."""
    return Screen(lines=lines, styled=lines, cursor=(0, 0), title=title, width=80, height=len(lines))
