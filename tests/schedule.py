"""In which order files are handed out to the workers of a parallel run: those that take longest come first.

By the number of their tests, as pytest-xdist does it, the files of booted machines come last, and the whole run waits
for one of them at its end.
"""

from __future__ import annotations

from pathlib import Path

import pytest

_TESTS = Path(__file__).parent
# Files and folders, the slowest first, after `pytest --durations=0`; whatever is not here takes seconds.
SLOWEST = (
    "conformance",
    "real_agents/test_delivery.py",
    "real_agents/test_typed.py",
    "scenarios/test_killed.py",
    "booted/test_resident.py",
    "real_agents/test_own_words.py",
    "scenarios/test_trouble.py",
    "scenarios/test_source_trouble.py",
    "scenarios/test_one_thing.py",
    "booted/test_timer.py",
    "real_agents",
    "scenarios/test_panes.py",
    "scenarios/test_heal.py",
    "scenarios/test_units.py",
    "booted",
    "remote",
    "laws/test_simulator_against_real.py",
    "truth",
    "scenarios",
    "update",
    "doctor",
    "delivery",
    "agents",
    "machine",
    "launch",
    "laws",
    "commands",
)
_RANKS = {name: rank for rank, name in enumerate(SLOWEST)}


def rank(path: Path) -> int:
    """The place of a test's file; those of the same rank stay in their order."""
    below = path.relative_to(_TESTS).as_posix()
    folder = below.partition("/")[0]
    return _RANKS.get(below, _RANKS.get(folder, len(SLOWEST)))


def by_rank(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the tests of a parallel run; a run of one process keeps the order of the folders."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank(item.path))


def keep_order(config: pytest.Config) -> None:
    """Have pytest-xdist hand files out in the order of their tests."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False
