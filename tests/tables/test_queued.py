"""What becomes of a message in a program's own queue, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.delivery.queued import QUEUED, QueuedSituation
from tests.tables.rows import Examples, check, check_shape, expect, params


def of(**changes: Any) -> QueuedSituation:
    """Its agent was seen working in the process that has it, unless something else is said."""
    return QueuedSituation(**{"alive": True, "same": True, "later": True, "free": False, **changes})


OVER: dict[str, Any] = {"same": False}
EXAMPLES = Examples("queued", QUEUED, {
    "not seen": expect("keep", of(alive=False), of(later=False, free=True), of(alive=False, **OVER, taken=True)),
    "its process is free": expect("done", of(free=True), of(free=True, taken=False)),
    "its process works": expect("keep", of(), of(taken=True), of(taken=False)),
    "its turn had begun": expect("done", of(**OVER, taken=True), of(**OVER, taken=True, free=True)),
    "it was lost": expect("again", of(**OVER, taken=False), of(**OVER, taken=False, free=True)),
    "nobody knows": expect("unsure", of(**OVER), of(**OVER, free=True)),
})  # fmt: skip


@pytest.mark.parametrize(("one", "name", "decision", "situation"), params(EXAMPLES))
def test_each_row(one: Examples, name: str, decision: Any, situation: Any) -> None:
    check(one, name, decision, situation)


def test_the_table_decides_everything() -> None:
    check_shape(EXAMPLES)
