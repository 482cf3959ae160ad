"""The terminal of a person who watches a pane, painted row by row."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self

from reconciler.terminal.screen import LEAVING, TerminalScreen, paints
from reconciler.terminal.styled_text import RESET
from reconciler.terminal.viewport import Move, Size, changed

_KEYS: dict[bytes, Move] = {
    b"\x1b[A": "up", b"\x1bOA": "up", b"k": "up",
    b"\x1b[B": "down", b"\x1bOB": "down", b"j": "down",
    b"\x1b[C": "right", b"\x1bOC": "right", b"l": "right",
    b"\x1b[D": "left", b"\x1bOD": "left", b"h": "left",
    b"\x1b[H": "home", b"\x1bOH": "home", b"\x1b[1~": "home", b"g": "home",
    b"\x1b[F": "end", b"\x1bOF": "end", b"\x1b[4~": "end", b"G": "end",
}  # fmt: skip
_WRAP, _NO_WRAP = "\x1b[?7h", "\x1b[?7l"


def is_terminal() -> bool:
    """Whether a person sits at both ends, with a terminal that can be painted on."""
    with suppress(OSError, ValueError):
        return paints(sys.stdout, os.environ) and sys.stdin.isatty()
    return False


class Terminal(TerminalScreen):
    """A context manager, as `TerminalScreen` is."""

    def __init__(self) -> None:
        super().__init__(sys.stdout, sys.stdin)
        self._shown: tuple[str, ...] = ()
        self._room = Size(0, 0)

    def __enter__(self) -> Self:
        super().__enter__()
        self.send(_NO_WRAP)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self.send(RESET + _WRAP)
        super().__exit__(kind, error, trace)

    def room(self) -> Size:
        """As it is now. Whatever stood there before another size is painted again."""
        now = Size(*self.size())
        if now != self._room:
            self._room, self._shown = now, ()
        return now

    def paint(self, rows: tuple[str, ...]) -> None:
        """Rows of `framed`; what stands there already is not sent. Raises OSError when the terminal is gone."""
        self.send(changed(self._shown, rows))
        self._shown = rows

    def pressed(self, seconds: float) -> list[Move | Literal["quit"]]:
        """What was pressed within so many seconds, in order, without the keys that mean nothing."""
        meant: list[Move | Literal["quit"]] = []
        for key in self.keys(seconds):
            if key in LEAVING:
                meant.append("quit")
            elif key in _KEYS:
                meant.append(_KEYS[key])
        return meant
