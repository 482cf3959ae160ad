"""What a pane shows, as values. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specs.dataclass import dataclass

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What a person sees: `lines` plain and stripped at the right, `styled` the same with SGR sequences, both from top
    to bottom; the cursor as column and row from 0."""

    lines: tuple[str, ...]
    styled: tuple[str, ...]
    cursor: tuple[int, int]
    title: str
    width: int
    height: int

    @property
    def whole(self) -> bool:
        """Whether every row is there, once without styles and once with them: only then nothing is out of sight."""
        return len(self.lines) == len(self.styled) == self.height
