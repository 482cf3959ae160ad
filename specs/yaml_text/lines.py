"""The lines of a YAML text, by offset: what stands before a value on its line, what belongs to it below."""

from __future__ import annotations

import re

from specs.dataclass import dataclass

_BREAK = re.compile(r"\r\n|\n|\r")
_DASH = re.compile(r" *-(?=[ \t\r\n]|$)")


@dataclass(frozen=True, slots=True)
class LineIndex:
    """The lines of a text, by offset. `eol` is how its lines end."""

    text: str
    eol: str

    @classmethod
    def of(cls, text: str) -> LineIndex:
        found = _BREAK.search(text)
        return cls(text, found[0] if found else "\n")

    def start(self, at: int) -> int:
        """Where the line begins that `at` is in."""
        return max(self.text.rfind("\n", 0, at), self.text.rfind("\r", 0, at)) + 1

    def end(self, at: int) -> int:
        """Where that line ends, before its line break."""
        found = _BREAK.search(self.text, at)
        return found.start() if found else len(self.text)

    def after(self, at: int) -> int:
        """Where the next line begins; the end of the text after the last one."""
        found = _BREAK.search(self.text, at)
        return found.end() if found else len(self.text)

    def before(self, at: int) -> int | None:
        """Where the line above the one of `at` begins; None above the first."""
        start = self.start(at)
        if start == 0:
            return None
        return self.start(start - 2 if self.text[start - 2 : start] == "\r\n" else start - 1)

    def line(self, at: int) -> str:
        """The line, without its break."""
        return self.text[self.start(at) : self.end(at)]

    def indent(self, at: int) -> str:
        """What stands before `at` on its line, with everything but blanks replaced by blanks."""
        return re.sub(r"[^ \t]", " ", self.text[self.start(at) : at])

    def first(self, at: int) -> bool:
        """Whether nothing but blanks stands before `at` on its line."""
        return not self.text[self.start(at) : at].strip()

    def number(self, at: int) -> int:
        """The line's number, from 1."""
        return len(_BREAK.findall(self.text, 0, at)) + 1

    def dash(self, entry: int) -> int:
        """Where the dash stands that begins the item of a block sequence whose value begins at `entry`."""
        at: int | None = self.start(entry)
        while at is not None:
            found = _DASH.match(self.text, at)
            if found and found.end() - 1 < entry:
                return found.end() - 1
            at = self.before(at)
        return self.start(entry)

    def tail(self, at: int, column: int) -> int:
        """The end of the last line that belongs to what ends at `at`: comments below it that are indented by more than
        `column` belong to it."""
        end = self.end(at)
        while True:
            begin = self.after(end)
            line = self.text[begin : self.end(begin)] if begin > end else ""
            words = line.lstrip(" ")
            if not words.startswith("#") or len(line) - len(words) <= column:
                return end
            end = self.end(begin)

    def gap(self, at: int) -> int:
        """The first offset from `at` on that is neither blank nor in a comment."""
        found = re.compile(r"(?:[ \t\r\n]+|(?<=[ \t\r\n])#[^\r\n]*)*").match(self.text, at)
        return found.end() if found else at
