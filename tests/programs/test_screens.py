"""Every recorded screen of the real programs, and what becomes of one that is cut or garbled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from providers.programs.base import Reading
from providers.programs.registry import READERS, program
from providers.screen import Screen
from tests.programs.captures import frames

NOISE = "▚ 7f#: ~ noise ~"


def ready(reading: Reading) -> bool:
    """What a listing would call available, and a sender would write to."""
    return reading.turn == "idle" and reading.composer == "empty" and not reading.asks and not reading.trouble


@pytest.mark.parametrize("name", sorted(READERS))
def test_each_screen_is_read_as_it_is_with_its_version_and_without(name: str) -> None:
    read = program(name).read
    for frame in frames(name):
        assert read(frame.screen, frame.version) == frame.reading, frame
        assert read(frame.screen) == frame.reading, frame


@pytest.mark.parametrize("name", sorted(READERS))
def test_no_version_makes_work_or_a_question_look_like_rest(name: str) -> None:
    read, known = program(name).read, frames(name)
    versions = {one.version for one in known} | {"0.0.1", "99.0.0"}
    wrong = [
        (str(frame), version)
        for frame in known
        for version in versions
        if not ready(frame.reading) and ready(read(frame.screen, version))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", sorted(READERS))
def test_no_reader_takes_a_screen_of_another_program_for_its_own(name: str) -> None:
    for frame in [one for one in frames() if one.program != name]:
        found = program(name).read(frame.screen)
        assert (found.composer, found.draft, found.trouble, found.choices) == ("hidden", "", "", ()), frame
        assert found.turn != "idle", frame
        assert not found.asks or frame.reading.asks, frame


@pytest.mark.parametrize("name", sorted(READERS))
def test_no_part_of_a_screen_looks_like_rest(name: str) -> None:
    """But for what one row alone tells: what keeps a program from working, and the work of this old pi."""
    whole = [one for one in frames(name) if not ready(one.reading) and not one.reading.trouble]
    read = program(name).read
    wrong = [
        f"{frame} {what}"
        for frame in whole
        if frame.version != "0.73.1"
        for what, seen in damaged(frame.screen)
        if ready(read(seen))
    ]
    assert wrong == []


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
