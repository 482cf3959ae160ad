"""What is typed at a screen that is painted in place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from reconciler.terminal.key_reader import KeyReader
from reconciler.terminal.pane_screen import Terminal
from reconciler.terminal.screen import HANGUP, TerminalScreen

PATIENCE = 30.0


@pytest.fixture
def seat() -> Iterator[tuple[TerminalScreen, int]]:
    """A screen on a terminal, and the end that a person types at."""
    with ExitStack() as stack:
        hands, terminal = os.openpty()
        stack.callback(os.close, hands)
        keys = stack.enter_context(os.fdopen(terminal, "r"))
        out = stack.enter_context(open(os.devnull, "w"))
        yield stack.enter_context(TerminalScreen(out, keys)), hands


@pytest.mark.parametrize("typed", [b"q", b"Q", b"\x04", b"jjq", b"\x1b[Aq", b"\x1bOQq", b"xqx"])
def test_it_is_left(seat: tuple[TerminalScreen, int], typed: bytes) -> None:
    screen, hands = seat
    os.write(hands, typed)
    assert not all(screen.wait(PATIENCE) for _ in typed)  # however they come in


@pytest.mark.parametrize("typed", [b"j", b"\x1b[A", b"\x1bOQ", b"\x1b[1;5Q", b"hello"])
def test_another_key_means_nothing(seat: tuple[TerminalScreen, int], typed: bytes) -> None:
    screen, hands = seat
    os.write(hands, typed)
    assert screen.wait(PATIENCE)


KEYS = (b"\x1b[C", b"\x1b[1;5Q", b"\x1bOH", b"q", b"\x1b[1~", b"g", b"\xc3", b"\xa4", b"\x1b[A")


@pytest.mark.parametrize("size", range(1, 32))
def test_keys_are_the_same_however_their_bytes_arrive(size: int) -> None:
    reader, typed = KeyReader(), b"".join(KEYS)
    pieces = [typed[at : at + size] for at in range(0, len(typed), size)]
    assert tuple(key for piece in pieces for key in reader.feed(piece)) == KEYS


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (b"", ()),
        (b"\x1b", ()),
        (b"\x1bq", (b"\x1b", b"q")),
        (b"\x1b\x1b[A", (b"\x1b", b"\x1b[A")),
        (b"\x1b[\x1b[A", (b"\x1b", b"[", b"\x1b[A")),
    ],
)
def test_an_escape_by_itself_hides_no_key(typed: bytes, keys: tuple[bytes, ...]) -> None:
    assert KeyReader().feed(typed) == keys


def test_a_pane_is_moved_by_each_key_that_came(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = [(b"\x1b[C", b"x", b"\x1b[H", b"j"), (), (b"l", b"\x04", b"h"), (HANGUP,)]
    monkeypatch.setattr(TerminalScreen, "keys", lambda *_: typed.pop(0))
    terminal = Terminal()
    assert terminal.pressed(0) == ["right", "home", "down"]
    assert terminal.pressed(0) == []
    assert terminal.pressed(0) == ["right", "quit", "left"]
    assert terminal.pressed(0) == ["quit"]
