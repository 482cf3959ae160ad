"""Waiting on a condition, with a deadline: what tests do instead of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# For what comes within moments on an idle machine: nothing is lost by a longer deadline but in a test that fails.
WAIT_S = 90.0


def eventually(look: Callable[[], T], *, timeout: float = WAIT_S, what: str = "", every: float = 0.01) -> T:
    """The first true value that `look` returns; AssertionError with the last one if there is none in `timeout` s."""
    deadline = time.monotonic() + timeout
    while not (value := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or look!r}; last seen: {value!r}")
        time.sleep(every)
    return value
