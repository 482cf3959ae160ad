"""Decision tables: rows that a reader can check one by one. The first row whose condition holds decides. Pure.

A table is a tuple of rows at the top of its module. Its last row has the condition `otherwise`, so every situation has
a decision. Rows are ordered: a row may rely on none of the rows above it holding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from specs.dataclass import dataclass

Situation = TypeVar("Situation")
Decision = TypeVar("Decision")


@dataclass(frozen=True, slots=True)
class DecisionRow(Generic[Situation, Decision]):
    """`name` is unique within its table. `when` is true (or anything that counts as true) in the row's situation,
    `then` is the decision, and `why` is the reason for it, for the reader of the table."""

    name: str
    when: Callable[[Situation], object]
    then: Decision
    why: str


def otherwise(situation: object) -> bool:
    """The condition of a table's last row."""
    del situation
    return True


def first_match(
    table: Sequence[DecisionRow[Situation, Decision]], situation: Situation
) -> DecisionRow[Situation, Decision]:
    """The row that decides. Raises LookupError if the table has no row for the situation, which a last row with
    `otherwise` rules out."""
    for row in table:
        if row.when(situation):
            return row
    raise LookupError("no row of the table applies: its last row must have the condition `otherwise`")
