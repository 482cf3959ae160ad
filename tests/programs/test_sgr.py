"""Styled rows that stand alone: each begins with whatever still holds from the rows above it."""

from __future__ import annotations

import pytest

from providers.programs.sgr import self_contained

RED, BLUE, ON_RED, BOLD, NONE = "\x1b[31m", "\x1b[34m", "\x1b[41m", "\x1b[1m", "\x1b[0m"


@pytest.mark.parametrize(
    ("rows", "alone"),
    [
        (["a", "b"], ["a", "b"]),
        ([f"{RED}a", "b", f"{NONE}c", "d"], [f"{RED}a", f"{RED}b", f"{RED}{NONE}c", "\x1b[0md"]),
        ([f"{RED}a", f"{BLUE}b", "c"], [f"{RED}a", f"{RED}{BLUE}b", f"{BLUE}c"]),  # the newer colour takes its place
        ([f"{RED}{ON_RED}{BOLD}a", "b"], [f"{RED}{ON_RED}{BOLD}a", f"{RED}{ON_RED}{BOLD}b"]),
        ([], []),
    ],
)
def test_each_row_has_what_holds_there(rows: list[str], alone: list[str]) -> None:
    assert self_contained(rows) == tuple(alone)
