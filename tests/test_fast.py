"""The fast tests are told by what they use, and are enough to work with: each pure module is reached by one of them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests import uses
from tests.fast import STARTERS
from tests.test_layers import imports, pure


@pytest.mark.parametrize(
    ("module", "name", "starts"),
    [
        ("tests.hosts.test_dev", "dev", True),  # by itself
        ("tests.hosts.test_dev", "test_an_old_python_is_refused_in_words", True),  # by a helper
        ("tests.commands.test_change", "test_add_commits_one_more_entry", True),  # by a method of a helper's class
        ("tests.commands.test_help", "test_a_wrong_call_is_64", False),  # another test of its file does
        ("tests.commands.test_init", "test_a_person_answers", True),  # at a terminal
        ("tests.render.test_texts", "test_nothing_is_cut", False),
    ],
)
def test_what_starts_programs_is_told_by_what_it_uses(module: str, name: str, *, starts: bool) -> None:
    assert uses.reaches(module, name, STARTERS) is starts


def fast_files() -> set[str]:
    """The modules with at least one test that `./dev test --fast` runs."""
    argv = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "--fast", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(argv, cwd=uses.ROOT, env=os.environ, capture_output=True, text=True, timeout=300, check=True)
    return {uses.name_of(uses.ROOT / line.partition(":")[0]) for line in done.stdout.splitlines() if ".py:" in line}


def test_every_pure_module_is_imported_by_a_fast_test() -> None:
    """By the test's file or a helper of it, or by a pure module that one of them imports: what runs through the door
    of a room runs through the modules behind it."""
    modules = set(pure())
    waiting = [name for test in fast_files() for name in uses.imported_by(test) if name in modules]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [one.name for one in imports(name) if one.name in modules and not one.typing]
    assert modules - reached == set()


def test_no_test_is_left_out_in_silence() -> None:
    """What is missing is a failure that says so: a host, a program, a right."""
    ways = ("pytest.skip", "pytest.mark.skip", "pytest.importorskip", "pytest.mark.xfail", "unittest.skip")
    names = [uses.name_of(path) for path in (uses.ROOT / "tests").rglob("*.py")]
    assert [name for name in names if any(word.startswith(ways) for word in uses.words_of(name))] == []
