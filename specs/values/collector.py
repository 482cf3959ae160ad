"""The garbage collector, paused while many values are made that stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """Python's collector looks through all values again and again while their number grows, and finds nothing: for the
    tree of a roster with 5,000 agents that is two thirds of the time. What nothing refers to is freed all the same."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
