"""What of a pane may reach a viewer's terminal: characters and their styles, and no other sequence."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.terminal.styled_text import clip, plain_rows, printable, spans, width
from reconciler.terminal.viewport import Move, Port, Size, changed, framed

# All that a painted row may hold besides characters.
HARMLESS = re.compile(r"\x1b\[[0-9;]*m")
HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from("\x1b\x9b\x9d\x90\x07\x0e\x0f\x08\r\t[]?;:mPX^_\\0123456789hlJKHc é中\u200d\u202e\u0301"),
        st.characters(),
    ),
    max_size=60,
)


def text(row: str) -> str:
    """What a row shows."""
    return HARMLESS.sub("", row)


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "\x1b[0;1;31mred\x1b[0m"),
        ("\x1b[38;5;208mo\x1b[39mp", "\x1b[0;38;5;208mo\x1b[0mp"),
        ("\x1b[48;2;1;2;3mo", "\x1b[0;48;2;1;2;3mo\x1b[0m"),
        ("\x1b[38:2::1:2:3mo", "\x1b[0;38;2;1;2;3mo\x1b[0m"),
        ("\x1b[4:3mo\x1b[4:0mp", "\x1b[0;4mo\x1b[0mp"),
        ("\x1b[7mo\x1b[27mp", "\x1b[0;7mo\x1b[0mp"),
        ("\x1b[1m\x1b[2mo\x1b[22mp", "\x1b[0;1;2mo\x1b[0mp"),
        ("\x1b[99;38;5;999mo", "o"),
        ("\x1b[38;5mo", "o"),
        ("\x0elqk\x0f lq", "┌─┐ lq"),
        ("\x1b]8;;file:///x\x1b\\link\x1b]8;;\x1b\\!", "link!"),
        ("\x1b]2;title\x07a\x1b]52;c;eA==\x07b", "ab"),
        ("a\x1bPq#0\x1b\\b\x1b_x\x1b\\c", "abc"),
        ("a\x1b[2Jb\x1b[?1049hc\x1bcd\x9b2Je", "abcde"),
        ("a\tb\x07\x08c\x7f\x85d", "a bcd"),
        ("a\u202eb\u200bc\u2028d", "abcd"),
    ],
)
def test_a_row(row: str, shown: str) -> None:
    assert clip(spans([row])[0], 0, 80) == shown


def test_a_style_runs_on_into_the_next_row() -> None:
    first, second = spans(["\x1b[31mone", "two\x1b[0m."])
    assert clip(first, 0, 80) == "\x1b[0;31mone\x1b[0m"
    assert clip(second, 0, 80) == "\x1b[0;31mtwo\x1b[0m."
    assert plain_rows(["\x1b[31mone  ", "two\x1b[0m."]) == ("one", "two.")
    assert clip(first, 0, 80, colour=False) == "one"


@given(st.lists(HOSTILE, max_size=4), st.integers(0, 40), st.integers(0, 40))
def test_nothing_else_comes_through(rows: list[str], left: int, columns: int) -> None:
    for line in spans(rows):
        row = clip(line, left, columns)
        shown = text(row)
        assert shown == printable(shown)
        assert sum(map(width, shown)) <= columns
        assert not HARMLESS.search(row) or row.endswith("\x1b[0m") or "\x1b[0m" in row
    for plain in plain_rows(rows):
        assert plain == printable(plain).rstrip()


@given(st.text(alphabet="ab中e\u0301", max_size=30), st.integers(0, 20), st.integers(1, 20))
def test_what_is_cut_keeps_its_columns(line: str, left: int, columns: int) -> None:
    whole = sum(map(width, line))
    shown = clip(spans([line])[0], left, columns)
    assert sum(map(width, shown)) == max(0, min(columns, whole - left))


@given(
    st.lists(st.text(alphabet="abc ", max_size=30), min_size=1, max_size=20),
    st.integers(1, 40),
    st.integers(1, 30),
    st.lists(st.sampled_from(["up", "down", "left", "right", "home", "end"]), max_size=10),
)
def test_a_frame_fills_the_terminal_and_no_more(lines: list[str], columns: int, rows: int, moves: list[Move]) -> None:
    pane, terminal = Size(30, len(lines)), Size(columns, rows)
    port = Port()
    for move in moves:
        port = port.moved(move, pane, Size(columns, max(0, rows - 1)))
        assert 0 <= port.left <= max(0, pane.columns - columns)
        assert port.top is None or 0 <= port.top <= max(0, pane.rows - (rows - 1))
    frame = framed(spans(lines), pane, terminal, port, " name | state", colour=True)
    assert len(frame) == rows
    assert all(sum(map(width, text(row))) <= columns for row in frame)
    assert text(frame[-1]) == " name | state"[:columns].ljust(columns)


def test_a_small_terminal_shows_where_the_conversation_goes_on() -> None:
    lines = spans([*(f"line {at}" for at in range(6)), "", ""])
    frame = framed(lines, Size(20, 8), Size(20, 4), Port(), "", colour=True)
    assert frame[:3] == ("line 3", "line 4", "line 5")
    above = Port().moved("up", Size(20, 8), Size(20, 3))
    assert framed(lines, Size(20, 8), Size(20, 4), above, "", colour=True)[:3] == ("line 4", "line 5", "")
    top = framed(lines, Size(20, 8), Size(20, 4), Port().moved("home", Size(20, 8), Size(20, 3)), "", colour=True)
    assert top[:3] == ("line 0", "line 1", "line 2")


def test_only_what_changed_is_sent() -> None:
    assert changed(("a", "b"), ("a", "b")) == ""
    assert changed(("a", "b"), ("a", "c")) == "\x1b[2;1H\x1b[0m\x1b[2Kc"
    assert changed((), ("a",)) == "\x1b[1;1H\x1b[0m\x1b[2Ka"
