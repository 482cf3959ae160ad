"""SIGTERM and SIGINT held back while a process starts, so that the one who has to end it knows it.

Both raise an exception between two instructions. Raised while a process starts, or before its starter has kept it, that
process would go on with nobody to end it.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def held_signals() -> Iterator[Callable[[], None]]:
    """Hold both back. What is yielded lets them through again, and raises what has come meanwhile; so does the end of
    the block. A signal without a Python handler stays as it is. Does nothing outside of the main thread."""
    came: list[int] = []
    before: dict[signal.Signals, Callable[[int, FrameType | None], object]] = {}

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    def release() -> None:
        for number in list(before):
            signal.signal(number, before.pop(number))
        while came:
            signal.raise_signal(came.pop(0))

    for number in _SIGNALS:
        handler = signal.getsignal(number)
        if callable(handler):
            with suppress(ValueError):  # outside of the main thread; `threading` would cost every start a millisecond
                signal.signal(number, note)
                before[number] = handler
    try:
        yield release
    finally:
        release()
