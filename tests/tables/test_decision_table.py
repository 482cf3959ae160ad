"""The one function that evaluates a table."""

from __future__ import annotations

import pytest

from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise

SIGNS: tuple[DecisionRow[int, str], ...] = (
    DecisionRow("below", lambda number: number < 0, "-", "it is less than nothing"),
    DecisionRow("any", otherwise, "+", "all others"),
)


@pytest.mark.parametrize(("number", "sign"), [(-1, "-"), (0, "+")])
def test_the_first_row_that_holds_decides(number: int, sign: str) -> None:
    assert first_match(SIGNS, number).then == sign


def test_a_table_without_a_row_for_the_situation_says_so() -> None:
    with pytest.raises(LookupError, match="otherwise"):
        first_match(SIGNS[:1], 1)
