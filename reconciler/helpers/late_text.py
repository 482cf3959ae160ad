"""A text that is made when somebody first asks for it, since most runs never do."""

from __future__ import annotations

from collections.abc import Callable


class LateText:
    """`str()` makes the text once; it compares and prints as that text. `make` must give the same text whenever it is
    called."""

    __slots__ = ("_make", "_text")

    def __init__(self, make: Callable[[], str]) -> None:
        self._make, self._text = make, ""

    def __str__(self) -> str:
        self._text = self._text or self._make()
        return self._text

    def __repr__(self) -> str:
        return repr(str(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str | LateText) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))
