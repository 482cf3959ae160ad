"""Every recorded screen of the real programs, and what becomes of one that is cut or garbled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from providers.programs.base import Reading
from providers.programs.registry import READERS, program
from providers.screen import Screen
from tests.programs.captures import Frame, frames

FRAMES = frames()
NOISE = "▚ 7f#: ~ noise ~"


def ready(reading: Reading) -> bool:
    """What a listing would call available, and a sender would write to."""
    return reading.turn == "idle" and reading.composer == "empty" and not reading.asks and not reading.trouble


@pytest.mark.parametrize("frame", FRAMES, ids=str)
def test_a_screen_is_read_as_it_is_with_its_version_and_without(frame: Frame) -> None:
    read = program(frame.program).read
    assert read(frame.screen, frame.version) == frame.reading
    assert read(frame.screen) == frame.reading


@pytest.mark.parametrize("frame", FRAMES, ids=str)
def test_no_version_makes_work_or_a_question_look_like_rest(frame: Frame) -> None:
    versions = {one.version for one in FRAMES if one.program == frame.program} | {"0.0.1", "99.0.0"}
    readings = [program(frame.program).read(frame.screen, version) for version in versions]
    assert [one for one in readings if ready(one) and not ready(frame.reading)] == []


@pytest.mark.parametrize("frame", FRAMES, ids=str)
def test_no_other_reader_takes_a_screen_for_its_own(frame: Frame) -> None:
    for name in sorted(READERS - {frame.program}):
        found = program(name).read(frame.screen)
        assert (found.composer, found.draft, found.trouble, found.choices) == ("hidden", "", "", ()), name
        assert found.turn != "idle"
        assert not found.asks or frame.reading.asks


# What keeps a program from working is in one row, and so was the work of this pi: nothing else would tell of it.
WHOLE = [one for one in FRAMES if not ready(one.reading) and not one.reading.trouble and one.version != "0.73.1"]


@pytest.mark.parametrize("frame", WHOLE, ids=str)
def test_no_part_of_a_screen_looks_like_rest(frame: Frame) -> None:
    read = program(frame.program).read
    assert [what for what, seen in damaged(frame.screen) if ready(read(seen))] == []


def damaged(seen: Screen) -> Iterator[tuple[str, Screen]]:
    """Without some of its rows, without its right edge, and with one row of it replaced."""
    for rows in (1, seen.height // 2):
        yield f"without its first {rows}", _of(seen, seen.styled[rows:], seen.lines[rows:])
        yield f"without its last {rows}", _of(seen, seen.styled[:-rows], seen.lines[:-rows])
    for column in range(8, seen.width, seen.width // 4):
        lines = tuple(line[:column].rstrip() for line in seen.lines)
        yield f"without what is beyond column {column}", _of(seen, lines, lines)
    for row, line in list(enumerate(seen.lines))[-14:]:
        if line:
            styled, lines = [*seen.styled], (*seen.lines[:row], NOISE, *seen.lines[row + 1 :])
            styled[row] = NOISE
            yield f"with noise in row {row}: {line}", _of(seen, tuple(styled), lines)


def _of(seen: Screen, styled: tuple[str, ...], lines: tuple[str, ...]) -> Screen:
    return replace(seen, styled=styled, lines=lines)
