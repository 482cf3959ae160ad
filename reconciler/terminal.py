"""The terminal of whoever looks: taken over as a whole for a while, and given back as it was on every way out."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal, NoReturn

from reconciler.render.viewport import ENTER, LEAVE, Move, Size

if TYPE_CHECKING:
    from types import FrameType

_KEYS: dict[bytes, Move] = {
    b"\x1b[A": "up", b"\x1bOA": "up", b"k": "up",
    b"\x1b[B": "down", b"\x1bOB": "down", b"j": "down",
    b"\x1b[C": "right", b"\x1bOC": "right", b"l": "right",
    b"\x1b[D": "left", b"\x1bOD": "left", b"h": "left",
    b"\x1b[H": "home", b"\x1bOH": "home", b"\x1b[1~": "home", b"g": "home",
    b"\x1b[F": "end", b"\x1bOF": "end", b"\x1b[4~": "end", b"G": "end",
}  # fmt: skip
_QUIT = (b"q", b"Q", b"\x03")


class HungUp(BaseException):
    """The terminal is gone. Not an Exception: nothing on the way up may take it for a failure that it can mend."""


def is_terminal() -> bool:
    """Whether a person sits at both ends, with a terminal that can be painted on."""
    if os.environ.get("TERM", "dumb") in ("", "dumb"):
        return False
    with suppress(OSError, ValueError):
        return os.isatty(0) and os.isatty(sys.stdout.fileno())
    return False


class Terminal:
    """Ours, between `whole_terminal`'s beginning and end."""

    def __init__(self, out: int) -> None:
        self._out = out

    def size(self) -> Size:
        """As it is now; a terminal that does not say has 80 columns and 24 rows."""
        with suppress(OSError):
            found = os.get_terminal_size(self._out)
            if found.columns and found.lines:
                return Size(found.columns, found.lines)
        return Size(80, 24)

    def send(self, text: str) -> None:
        """Raises HungUp when nobody is there any more."""
        data = memoryview(text.encode("utf-8", "replace"))
        try:
            while data:
                data = data[os.write(self._out, data) :]
        except OSError as error:
            raise HungUp from error

    def key(self, wait_s: float) -> Move | Literal["quit"] | None:
        """What was pressed within so many seconds; None: nothing, or nothing that means anything. Raises HungUp."""
        try:
            ready, _, _ = select.select([0], [], [], wait_s)
            if not ready:
                return None
            data = os.read(0, 64)
        except OSError as error:
            raise HungUp from error
        if not data:
            raise HungUp
        return "quit" if data[:1] in _QUIT or b"\x03" in data else _KEYS.get(data)


@contextmanager
def whole_terminal() -> Iterator[Terminal]:
    """Take the terminal: keys come as they are pressed, a screen of its own. It is given back however this ends."""
    out = sys.stdout.fileno()
    sys.stdout.flush()
    before = termios.tcgetattr(0)
    mode = termios.tcgetattr(0)
    mode[0] &= ~(termios.IXON | termios.ICRNL)
    mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
    mode[6] = [*mode[6]]
    mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
    hangup = signal.signal(signal.SIGHUP, _hung_up)
    stop = signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # a stopped viewer would leave the terminal as it is
    terminal = Terminal(out)
    try:
        termios.tcsetattr(0, termios.TCSADRAIN, mode)
        terminal.send(ENTER)
        yield terminal
    finally:
        with suppress(HungUp):
            terminal.send(LEAVE)
        with suppress(termios.error):
            termios.tcsetattr(0, termios.TCSADRAIN, before)
        signal.signal(signal.SIGTSTP, stop)
        signal.signal(signal.SIGHUP, hangup)


def _hung_up(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise HungUp
