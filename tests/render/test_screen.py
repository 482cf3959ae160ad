"""What is typed at a screen that is painted in place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from reconciler.screen import Screen

PATIENCE = 30.0


@pytest.fixture
def seat() -> Iterator[tuple[Screen, int]]:
    """A screen on a terminal, and the end that a person types at."""
    with ExitStack() as stack:
        hands, terminal = os.openpty()
        stack.callback(os.close, hands)
        keys = stack.enter_context(os.fdopen(terminal, "r"))
        out = stack.enter_context(open(os.devnull, "w"))
        yield stack.enter_context(Screen(out, keys)), hands


@pytest.mark.parametrize("typed", [b"q", b"Q", b"\x04", b"jjq", b"\x1b[Aq", b"\x1bOQq", b"xqx"])
def test_it_is_left(seat: tuple[Screen, int], typed: bytes) -> None:
    screen, hands = seat
    os.write(hands, typed)
    assert not all(screen.wait(PATIENCE) for _ in typed)  # however they come in


@pytest.mark.parametrize("typed", [b"j", b"\x1b[A", b"\x1bOQ", b"\x1b[1;5Q", b"hello"])
def test_another_key_means_nothing(seat: tuple[Screen, int], typed: bytes) -> None:
    screen, hands = seat
    os.write(hands, typed)
    assert screen.wait(PATIENCE)
