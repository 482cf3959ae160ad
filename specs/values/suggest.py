"""Suggest the name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection

BUDGET = 50_000  # comparisons in one load; each costs some microseconds, and a broken file could ask for millions


class Suggester:
    """Finds near misses until its budget of comparisons is spent, so that a broken file of a megabyte stays quick."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._left = budget

    def near(self, word: str, known: Collection[str], cutoff: float = 0.65) -> str | None:
        """The one of `known` that `word` was meant to be, or None."""
        if len(known) > self._left or not 0 < len(word) <= 64:
            return None
        self._left -= len(known)
        folded = {_fold(name): name for name in known}
        found = difflib.get_close_matches(_fold(word), folded, n=1, cutoff=cutoff)
        return folded[found[0]] if found else None

    def phrase(self, word: str, known: Collection[str]) -> str | None:
        """`did you mean "x"?`, or None."""
        near = self.near(word, known)
        return None if near is None else f'did you mean "{near}"?'


def _fold(name: str) -> str:
    return name.lower().replace("-", "_")
