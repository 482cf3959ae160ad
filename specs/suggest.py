"""Near misses: the name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection

BUDGET = 200  # comparisons of a name with a list in one load: each costs milliseconds for a large fleet


class Suggester:
    """Finds near misses; stops looking after `BUDGET` questions, so that a broken file of a megabyte stays quick."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._left = budget

    def near(self, word: str, known: Collection[str]) -> str | None:
        """The one of `known` that `word` was meant to be, or None."""
        if self._left <= 0 or not 0 < len(word) <= 64:
            return None
        self._left -= 1
        folded = {name.lower().replace("-", "_"): name for name in known}
        found = difflib.get_close_matches(word.lower().replace("-", "_"), folded, n=1, cutoff=0.65)
        return folded[found[0]] if found else None

    def phrase(self, word: str, known: Collection[str]) -> str | None:
        """`did you mean "x"?`, or None."""
        near = self.near(word, known)
        return None if near is None else f'did you mean "{near}"?'
