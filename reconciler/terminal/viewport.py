"""Paint a pane into a terminal of another size: which part of it, and what to send for what has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from reconciler.terminal.styled_text import RESET, StyledSpan, clip, width
from specs.dataclass import dataclass, replace

STEP = 10  # columns of one step aside

Move = Literal["up", "down", "left", "right", "home", "end"]


@dataclass(frozen=True, slots=True)
class Size:
    columns: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """Which part of the pane is on the terminal. `top` None: its end, where the conversation goes on."""

    left: int = 0
    top: int | None = None

    def moved(self, move: Move, pane: Size, room: Size) -> Port:
        """A step aside, never beyond the pane's border."""
        most, wide = max(0, pane.rows - room.rows), max(0, pane.columns - room.columns)
        top = most if self.top is None else min(self.top, most)
        match move:
            case "up":
                return replace(self, top=max(0, top - 1))
            case "down":
                return replace(self, top=None if top + 1 >= most else top + 1)
            case "left":
                return replace(self, left=max(0, min(self.left, wide) - STEP))
            case "right":
                return replace(self, left=min(wide, self.left + STEP))
            case "home":
                return Port(left=0, top=0)
            case "end":
                return Port()


def framed(
    lines: Sequence[Sequence[StyledSpan]], pane: Size, terminal: Size, port: Port, status: str, *, colour: bool
) -> tuple[str, ...]:
    """The rows of the terminal: as much of the pane as there is room for, and at the bottom the status line."""
    room = Size(terminal.columns, max(0, terminal.rows - 1))
    used = max((at for at, line in enumerate(lines, 1) if any(span.text.strip() for span in line)), default=0)
    end = max(0, min(max(used, room.rows), pane.rows) - room.rows)
    top = end if port.top is None else min(port.top, max(0, pane.rows - room.rows))
    left = min(port.left, max(0, pane.columns - room.columns))
    shown = [clip(line, left, room.columns, colour=colour) for line in lines[top : top + room.rows]]
    blank = [""] * (room.rows - len(shown))
    return (*shown, *blank, _bar(status, terminal.columns))[: max(1, terminal.rows)]


def changed(before: Sequence[str], after: Sequence[str]) -> str:
    """What to send to a terminal that shows `before`. Each row is placed by itself, so that a character of which the
    terminal thinks otherwise than we do spoils no other row."""
    out = []
    for at, row in enumerate(after):
        if at >= len(before) or before[at] != row:
            out.append(f"\x1b[{at + 1};1H{RESET}\x1b[2K{row}")
    return "".join(out)


def _bar(text: str, columns: int) -> str:
    """Reverse, as wide as the terminal."""
    taken, kept = 0, []
    for one in text:
        taken += width(one)
        if taken > columns:
            break
        kept.append(one)
    line = "".join(kept)
    return f"\x1b[0;7m{line}{' ' * (columns - sum(width(one) for one in line))}{RESET}"
