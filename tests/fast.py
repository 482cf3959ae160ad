"""`./dev test --fast`: what one runs while coding. No host, no program that is started, and few examples of properties.

Nobody lists these tests. A test makes hosts if it has the fixture `real_hosts`, itself or through another fixture (to
start a host without it is an error: `hosts/permission.py`). It starts programs if it, a fixture of it, or a helper that
they call uses `subprocess` or another way to start one. All others are fast, wherever they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import settings

from tests import uses
from tests.hosts import permission

STARTERS = ("subprocess", "multiprocessing", "pty", "os.fork", "os.forkpty", "os.posix_spawn")
EXAMPLES = 5  # of each property; the whole suite tries as many as the test says


def is_fast(item: pytest.Item) -> bool:
    return not makes_hosts(item) and not starts_programs(item)


def makes_hosts(item: pytest.Item) -> bool:
    return permission.FIXTURE in getattr(item, "fixturenames", ())


def starts_programs(item: pytest.Item) -> bool:
    return any(uses.reaches(module, name, STARTERS) for module, name in _functions(item))


def _functions(item: pytest.Item) -> Iterator[tuple[str, str]]:
    """The test itself, and its fixtures, but for those of every test."""
    if isinstance(item, pytest.Function):
        yield item.function.__module__, item.originalname
        for fixtures in item._fixtureinfo.name2fixturedefs.values():
            yield from ((one.func.__module__, one.func.__name__) for one in fixtures if one.baseid != "tests")


def only_fast(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the others out, and try each property a few times."""
    slow = [item for item in items if not is_fast(item)]
    items[:] = [item for item in items if is_fast(item)]
    config.hook.pytest_deselected(items=slow)
    _few_examples(items)


def watch(item: pytest.Item) -> None:
    """Before its fixtures are made: say whether this test may make hosts."""
    permission.note(allowed=makes_hosts(item))


def _few_examples(items: Iterable[pytest.Item]) -> None:
    for item in items:
        test = getattr(item, "obj", None)
        # A profile would not do: the properties that take longest say themselves how many examples they want.
        given: settings | None = getattr(test, "_hypothesis_internal_use_settings", None)
        if test is not None and getattr(test, "is_hypothesis_test", False):
            few = settings(given, max_examples=min(EXAMPLES, (given or settings()).max_examples))
            getattr(test, "__func__", test)._hypothesis_internal_use_settings = few
