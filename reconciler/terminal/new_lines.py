"""What is new on a screen: lines that scrolled by, and lines that stopped changing. Pure.

A program draws its spinner and its half-written answer over and over. A line is told when it has scrolled off the
screen, or has stood still for a few looks; what was told is not told again because a dialog was over it for a while.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from difflib import SequenceMatcher

from specs.dataclass import dataclass

SETTLED = 3  # looks that a line has to stand still
REMEMBERED = 500  # lines that were told, for what comes back into view


@dataclass(slots=True)
class _Line:
    text: str
    reported: bool
    looks: int = 1


class Follower:
    """Lines of one pane. Each look is a `window`, which begins where the screen of the look before began, and the
    `screen`, which is the end of it."""

    def __init__(self, screen: Sequence[str]) -> None:
        """`screen`: what was told already."""
        self._known = [_Line(text, True) for text in screen]
        self._reported: deque[str] = deque((text for text in screen if text), maxlen=REMEMBERED)

    def look(self, window: Sequence[str], screen: Sequence[str], *, aligned: bool = True) -> list[str]:
        """The lines to be told now. `aligned` False: the window may begin further up than the screen before did; what
        is above everything that is known is not news then."""
        lines = self._matched(window, aligned)
        scrolled = max(0, len(window) - len(screen))
        fresh = self._emit(lines, scrolled)
        self._known = _end_of(lines, screen)
        return fresh

    def end(self) -> list[str]:
        """What is left to be told when nothing comes any more."""
        return self._emit(self._known, len(self._known))

    def _matched(self, window: Sequence[str], aligned: bool) -> list[_Line]:
        before = [line.text for line in self._known]
        found: list[_Line] = []
        matcher = SequenceMatcher(None, before, window, autojunk=False)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes():
            if tag == "equal":
                for line in self._known[i1:i2]:
                    line.looks += 1
                    found.append(line)
            elif tag == "insert":
                found += [_Line(text, i1 == 0 and bool(before) and not aligned) for text in window[j1:j2]]
            elif tag == "replace":
                again = j2 - j1 <= i2 - i1  # drawn over, as a dialog does that comes and goes; a log only grows
                found += [_Line(text, again and text in self._reported) for text in window[j1:j2]]
        return found

    def _emit(self, lines: Sequence[_Line], final: int) -> list[str]:
        """In order; of the empty lines between two that are told one is kept."""
        fresh: list[str] = []
        gap = False
        for at, line in enumerate(lines):
            if not line.text:
                gap = True
                continue
            if line.reported or (at >= final and line.looks < SETTLED):
                gap = False
                continue
            if gap and fresh:
                fresh.append("")
            line.reported, gap = True, False
            fresh.append(line.text)
            self._reported.append(line.text)
        return fresh


def _end_of(lines: Sequence[_Line], screen: Sequence[str]) -> list[_Line]:
    """What is known of the screen, which is the end of the window. Its first row may be the end of a line that began
    above, and a long secret may be hidden in one and cut in the other: then it counts as told."""
    kept: list[_Line] = []
    for line, text in zip(reversed(lines), reversed(screen), strict=False):
        kept.append(line if line.text == text else _Line(text, True))
    kept += [_Line(text, True) for text in reversed(screen[: len(screen) - len(kept)])]
    return kept[::-1]
