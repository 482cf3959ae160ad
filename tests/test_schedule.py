"""The list of slow files names files, and puts them first."""

from __future__ import annotations

from pathlib import Path

from tests.schedule import SLOWEST, rank

TESTS = Path(__file__).parent


def test_what_is_named_is_there() -> None:
    assert [name for name in SLOWEST if not (TESTS / name).exists()] == []


def test_a_file_comes_before_its_folder_and_both_before_the_rest() -> None:
    paths = [
        TESTS / name for name in ("specs/test_x.py", "scenarios/test_x.py", "scenarios/test_killed.py", "test_x.py")
    ]
    first, second, *rest = sorted(paths, key=rank)
    assert (first, second, rest) == (paths[2], paths[1], [paths[0], paths[3]])
