"""What was typed and not submitted: how it is remembered, and how it is recognised."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from providers.programs.base import Reading
from providers.screen import Screen
from reconciler.delivery.text import at_cursor
from reconciler.delivery.typed_text import Memory, Typed, standing, still_typed
from reconciler.delivery.verdict import Delivery
from reconciler.state.store import Store

TYPED = Typed(text="[a:operator -> a:b] status check", life="7.8", as_is=False, at=1.0)


@pytest.mark.parametrize(
    ("lines", "cursor", "text", "word"),
    [
        (("> /reset",), (8, 0), "/reset", "ours"),
        (("> /reset", ""), (0, 1), "/reset", "no"),  # it was submitted
        (("> /reset now",), (12, 0), "/reset", "more"),
        (("/reset",), (0, 0), "/reset", "no"),  # the cursor stands before it
        (("0123456789", "01234"), (5, 1), "012345678901234", "ours"),  # wrapped at the edge
        (("one", "two words"), (9, 1), "one\ntwo words", "ours"),
        (("one", "two words"), (9, 1), "one\nother words", "no"),
        (("a ?!",), (4, 0), "?!", "ours"),
        (("a",), (1, 0), "?!", "no"),
        (("a much longer tail of it",), (24, 0), "the head is gone, and a much longer tail of it", "ours"),
        (("tail",), (4, 0), "the head is gone, and only a short tail", "no"),
        ((), (0, 0), "x", "no"),
        (("x",), (1, 7), "x", "no"),
        (("x  ",), (9, 0), "x ", "ours"),
    ],
)
def test_what_stands_before_the_cursor(lines: tuple[str, ...], cursor: tuple[int, int], text: str, word: str) -> None:
    assert at_cursor(lines, 10 if len(lines[:1]) and len(lines[0]) == 10 else 80, cursor, text) == word


def reading(**changes: Any) -> Reading:
    return Reading(**{"composer": "draft", **changes})


@pytest.mark.parametrize(
    ("seen", "word"),
    [
        (reading(draft=TYPED.text), "ours"),
        (reading(draft="status check, as typed by me"), "more"),
        (reading(draft="[Pasted text #1 +3 lines]"), "ours"),
        (reading(draft="[Pasted text #1 +3 lines] and mine"), "more"),
        (reading(composer="empty"), "no"),
        (reading(composer="hidden"), "unclear"),
    ],
)
def test_what_stands_in_a_composer_that_can_be_read(seen: Reading, word: str) -> None:
    screen = Screen(lines=(), styled=(), cursor=(0, 0), title="", width=80, height=24)
    assert standing(TYPED, screen, seen) == word


def test_a_rest_of_it_is_known_once_clearing_has_begun() -> None:
    screen = Screen(lines=(), styled=(), cursor=(0, 0), title="", width=80, height=24)
    assert standing(TYPED, screen, reading(draft="[a:op")) == "more"
    assert standing(replace(TYPED, clearing=True), screen, reading(draft="[a:op")) == "ours"
    assert standing(replace(TYPED, clearing=True), screen, reading(draft="mine")) == "more"


def test_when_it_is_over() -> None:
    unsure, done = Delivery(word="unconfirmed"), Delivery(word="delivered")
    assert still_typed(unsure, presses=0, stands=False)
    assert still_typed(unsure, presses=2, stands=True)
    assert not still_typed(unsure, presses=1, stands=False)
    assert not still_typed(done, presses=0, stands=True)


def test_it_is_remembered_until_it_is_forgotten(tmp_path: Path) -> None:
    memory = Memory(Store(tmp_path / "state", tmp_path / "run"), tmp_path / "run" / "send" / "b")
    path = tmp_path / "run" / "send" / "b" / "typed.json"
    assert memory.read() is None
    memory.forget()
    memory.write(TYPED)
    assert memory.read() == TYPED
    assert path.stat().st_mode & 0o777 == 0o600
    for text in ("", "{", "[]", '{"text": 1, "life": "", "as_is": true}', '{"other": 1}'):
        path.write_text(text)
        assert memory.read() is None
    memory.forget()
    assert not path.exists()
