"""A screen that is repainted in place, and restored however that ends."""

from __future__ import annotations

import os
import select
import shutil
import signal
import termios
import tty
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import FrameType, TracebackType
from typing import IO, Any, Self

from reconciler.terminal.key_reader import KeyReader

_ENTER = "\x1b[?1049h\x1b[?25l"  # a screen of its own, no cursor
_LEAVE = "\x1b[?25h\x1b[?1049l"
_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
HANGUP = b""  # stands for a key when nobody can type any more
LEAVING = frozenset((HANGUP, b"q", b"Q", b"\x03", b"\x04"))


def width_of(stream: IO[str], environ: Mapping[str, str]) -> int | None:
    """Columns of the terminal that a stream is, None if it is none. COLUMNS has the last word."""
    try:
        if not stream.isatty():
            return None
    except ValueError:  # closed
        return None
    given = environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def paints(stream: IO[str], environ: Mapping[str, str]) -> bool:
    """Whether a stream is a terminal on which something can be painted in place."""
    return width_of(stream, environ) is not None and environ.get("TERM", "dumb") not in ("", "dumb")


class Ended(Exception):
    """Somebody asked us to go: `signum` says how."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


class TerminalScreen:
    """A context manager. Inside, `show` paints and `wait` sleeps until a key, a signal or the time."""

    def __init__(self, out: IO[str], keys: IO[str]) -> None:
        """`keys`: what a person types at; without a terminal there, only ctrl-C and signals end it."""
        self._out, self._keys = out, keys
        self._reader = KeyReader()
        self._before: list[Any] | None = None
        self._handlers: dict[int, Any] = {}
        self._awake: tuple[int, int] | None = None
        self._ended = 0

    def __enter__(self) -> Self:
        with suppress(OSError, ValueError, termios.error):
            if self._keys.isatty():
                self._before = termios.tcgetattr(self._keys.fileno())
                tty.setcbreak(self._keys.fileno(), termios.TCSANOW)
        self._awake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        for signum in _ENDING:
            self._handlers[signum] = signal.signal(signum, self._end)
        # A stop by ctrl-Z would leave the shell with a screen that is not its own.
        self._handlers[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        self._handlers[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, self._resized)
        self.send(_ENTER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for signum, handler in self._handlers.items():
            signal.signal(signum, handler)
        with suppress(OSError):  # whoever looked may have gone away with the terminal
            self.send(_LEAVE)
        if self._before is not None:
            with suppress(OSError, ValueError, termios.error):
                termios.tcsetattr(self._keys.fileno(), termios.TCSADRAIN, self._before)
        if self._awake is not None:
            for end in self._awake:
                os.close(end)
            self._awake = None

    def size(self) -> tuple[int, int]:
        """Columns and lines, as they are now."""
        try:
            found = os.get_terminal_size(self._out.fileno())
            return found.columns or 80, found.lines or 24
        except (OSError, ValueError):
            return shutil.get_terminal_size((80, 24))

    def show(self, text: Callable[[int], Sequence[str]]) -> None:
        """Paint what `text` makes for so many columns. What does not fit below is counted in the last line."""
        columns, lines = self.size()
        wanted = list(text(columns))
        if len(wanted) > lines:
            wanted = [*wanted[: lines - 1], f"({len(wanted) - lines + 1} more lines: make the window taller)"[:columns]]
        body = "\r\n".join(f"{line}\x1b[K" for line in wanted)
        self.send(f"\x1b[H{body}\x1b[J")

    def wait(self, seconds: float) -> bool:
        """Sleep; False if it is time to leave. Ends early when the window has another size."""
        return LEAVING.isdisjoint(self.keys(seconds))

    def keys(self, seconds: float) -> tuple[bytes, ...]:
        """Sleep until something is typed: its keys, or HANGUP; nothing when the time is over or a key is incomplete.
        Ends early when the window has another size. Raises Ended if a signal has come, now or since the last time."""
        watched = [self._awake[0]] if self._awake is not None else []
        if self._before is not None:
            watched.append(self._keys.fileno())
        ready, _, _ = select.select(watched, [], [], 0.0 if self._ended else seconds)
        if self._ended:
            raise Ended(self._ended)
        for descriptor in ready:
            try:
                typed = os.read(descriptor, 64)
            except BlockingIOError:
                continue
            if self._before is not None and descriptor == self._keys.fileno():
                return self._reader.feed(typed) if typed else (HANGUP,)
        return ()

    def _resized(self, _signum: int, _frame: FrameType | None) -> None:
        self._wake()

    def _end(self, signum: int, _frame: FrameType | None) -> None:
        # Nothing is torn out of the middle of a look: that is bounded, and whoever made it sleeps next.
        self._ended = signum
        self._wake()

    def _wake(self) -> None:
        if self._awake is not None:
            with suppress(OSError):
                os.write(self._awake[1], b".")

    def send(self, text: str) -> None:
        """Raises OSError when the terminal is gone."""
        self._out.write(text)
        self._out.flush()
