"""What all tests of tables share: situations for each row of a table, and what the row decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise

Table = Sequence[DecisionRow[Any, Any]]


@dataclass(frozen=True)
class Expected:
    """What a row decides, and situations in which it does. Give those, too, in which rows below it apply as well: they
    show that the order of the rows matters."""

    decision: Any
    situations: tuple[Any, ...]


def expect(decision: Any, *situations: Any) -> Expected:
    return Expected(decision, situations)


@dataclass(frozen=True)
class Examples:
    """A table and what is expected of its rows, by their names. `outcome`: what counts of a decision that is made by a
    function."""

    name: str
    table: Table
    rows: Mapping[str, Expected]
    outcome: Callable[[Any], Any] = field(default=lambda made: made)

    def decided(self, row: DecisionRow[Any, Any], situation: Any) -> Any:
        return self.outcome(row.then(situation)) if callable(row.then) else row.then


def params(*examples: Examples) -> list[Any]:
    """For `parametrize`: one set of arguments for each situation of each row, named after the row. A row without a
    situation gets one that fails."""
    found = []
    for one in examples:
        unknown = one.rows.keys() - {row.name for row in one.table}
        if unknown:
            raise ValueError(f"{one.name} has no row {', '.join(sorted(unknown))}")
        for row in one.table:
            expected = one.rows.get(row.name, expect(None))
            for number, situation in enumerate(expected.situations or (None,)):
                identity = f"{one.name}: {row.name} {number + 1}"
                found.append(pytest.param(one, row.name, expected.decision, situation, id=identity))
    return found


def check(one: Examples, name: str, decision: Any, situation: Any) -> None:
    """The row is the one that decides in this situation, and this is what it decides."""
    assert situation is not None, f'row "{name}" of {one.name} has no direct test'
    row = first_match(one.table, situation)
    assert row.name == name
    assert one.decided(row, situation) == decision


def check_shape(one: Examples) -> None:
    """Names are unique, each row gives a reason, and the last one is for everything else."""
    names = [row.name for row in one.table]
    assert len(names) == len(set(names))
    assert all(row.why for row in one.table)
    assert [row.when is otherwise for row in one.table] == [False] * (len(names) - 1) + [True]
