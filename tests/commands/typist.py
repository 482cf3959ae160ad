"""Somebody at a terminal: a program in a pseudo-terminal of its own, what it shows, and what is typed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence

PATIENCE = 60.0  # seconds


class Typist:
    """A context manager. `screen` is all that was shown so far, without colours and with plain line ends."""

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], *, cwd: str, columns: int = 80, lines: int = 24
    ) -> None:
        self._raw = b""
        self._read = 0  # up to here `sees` has looked
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:  # the program itself
            os.chdir(cwd)
            os.execvpe(argv[0], list(argv), dict(env))  # noqa: S606  # an argument list, as everywhere
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def __enter__(self) -> Typist:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._terminal)
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    @property
    def screen(self) -> str:
        text = self._raw.decode(errors="replace")
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r\n", "\n")

    def sees(self, words: str) -> str:
        """Waits until these words are shown, after what was seen before; returns what came up to their end."""
        deadline = time.monotonic() + PATIENCE
        while True:
            at = self.screen.find(words, self._read)
            if at >= 0:
                shown = self.screen[self._read : at + len(words)]
                self._read = at + len(words)
                return shown
            assert self._more(deadline), f"never shown: {words!r}\n{self.screen}"

    def types(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def answers(self, question: str, text: str = "") -> str:
        """Waits for the question and types the answer, with Enter."""
        shown = self.sees(question)
        self.types(text + "\r")
        return shown

    def ends(self) -> int:
        """Waits for its end; the exit status."""
        deadline = time.monotonic() + PATIENCE
        while self._more(deadline):
            pass
        pid, self.pid = self.pid, 0
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def interrupts(self) -> int:
        """Presses Ctrl-C until it is heard (one that comes while a prompt is being set up may not be); the status."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.types("\x03")
            try:
                while self._more(time.monotonic() + 1.0):
                    pass
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
            else:
                return self.ends()

    def _more(self, deadline: float) -> bool:
        """False once the program has closed its terminal."""
        ready, _, _ = select.select([self._terminal], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"nothing more is shown:\n{self.screen}"
        try:
            part = os.read(self._terminal, 1 << 16)
        except OSError:
            return False
        self._raw += part
        return bool(part)
