"""The line on a terminal that shows what a command is doing while it runs, and leaves no trace.

It appears only where stderr is a terminal that can be painted on and that is ours, and only after a second: what is
quick says nothing but its result.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TextIO

from reconciler.helpers.redact import one_line

if TYPE_CHECKING:
    import threading

AFTER_S = 1.0
EVERY_S = 0.25
ERASE = "\r\x1b[K"


class Activity:
    """A context manager. Inside, call it with what is going on now; a thread of its own paints, since what takes long
    may well be one call that does not return."""

    def __init__(
        self, stream: TextIO, environ: Mapping[str, str], *, after_s: float = AFTER_S, every_s: float = EVERY_S
    ) -> None:
        self._stream, self._environ = stream, environ
        self._after_s, self._every_s = after_s, every_s
        self._text = ""
        self._painted = ""
        self._over: threading.Event | None = None
        self._thread: threading.Thread | None = None
        self._lock: contextlib.AbstractContextManager[object] = contextlib.nullcontext()

    def __call__(self, text: str) -> None:
        """What is going on now, such as `12 of 32 done: start coder0`."""
        self._text = text

    def __enter__(self) -> Activity:
        if self._can_be_painted_on():
            import threading

            self._over, self._lock = threading.Event(), threading.RLock()
            self._thread = threading.Thread(target=self._paint_on, args=(self._over,), daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._over is not None and self._thread is not None:
            self._over.set()
            self._thread.join()
            self._over = self._thread = None
            self._erase()

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """While something else is written to the terminal."""
        with self._lock:
            self._erase()
            yield

    def _can_be_painted_on(self) -> bool:
        try:
            if not self._stream.isatty():
                return False
        except ValueError:  # closed
            return False
        from reconciler.terminal.screen import paints  # which a run by the timer does not need

        return paints(self._stream, self._environ)

    def _paint_on(self, over: threading.Event) -> None:
        began = time.monotonic()
        wait = self._after_s
        while not over.wait(wait):
            wait = self._every_s
            with self._lock:
                self._paint(time.monotonic() - began)

    def _paint(self, seconds: float) -> None:
        from reconciler.terminal.screen import width_of

        width = width_of(self._stream, self._environ) or 0
        # What is not ASCII may be two columns wide, and a line that wraps cannot be erased.
        plain = one_line(self._text).encode("ascii", "replace").decode()
        line = f"... {plain or 'working'} ({int(seconds)} s)"[: max(0, width - 1)]
        if line != self._painted and self._is_ours():
            self._write(ERASE + line)
            self._painted = line

    def _is_ours(self) -> bool:
        """Whether this command has the terminal: one in the background leaves it alone."""
        try:
            return os.tcgetpgrp(self._stream.fileno()) == os.getpgrp()
        except (OSError, ValueError):
            return False

    def _erase(self) -> None:
        if self._painted and self._is_ours():
            self._write(ERASE)
        self._painted = ""

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # the terminal went away
            self._stream.write(text)
            self._stream.flush()
