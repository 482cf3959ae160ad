"""Find a text on a screen. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, Self

from reconciler.delivery.text import begins, folded, letters, matches, shown
from specs.dataclass import dataclass, field

if TYPE_CHECKING:
    from providers.programs.base import Reading
    from providers.screen import Screen


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownText:
    """What a screen shows of a text, for comparison with what it showed before."""

    shown: tuple[int, int] = (0, 0)
    queued: int = 0
    placeholders: int = 0
    folded: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, screen: Screen, reading: Reading | None, text: str) -> Self:
        if reading is None:
            return cls()
        return cls(
            shown=shown(screen.lines, text),
            queued=sum(begins(one, text) for one in reading.queued),
            placeholders=reading.placeholders,
            folded=folded(screen.lines),
        )

    def shows_more(self, before: ShownText) -> bool:
        return self.shown[0] > before.shown[0] or self.shown[1] > before.shown[1]


def ours(reading: Reading, text: str, placeholders: int = 0) -> Literal["whole", "part", "no"]:
    """Whether the draft is the text. A collapsed-paste placeholder counts as the whole text, if it is not among the
    `placeholders` from before and the composer holds nothing but our text besides."""
    holders = folded([reading.draft])
    if not holders and reading.placeholders <= placeholders:
        return matches(reading.draft, text)
    rest = reading.draft
    for holder in holders:
        rest = rest.replace(holder, "")
    return "whole" if letters(rest) in letters(text) else "no"
