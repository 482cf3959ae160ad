"""One problem in a file: what, where, and how to fix it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal

from specs.dataclass import dataclass, field
from specs.values import secrets

Severity = Literal["error", "warning"]

WINDOW = 120  # columns of a source line that are shown; a longer one is cut around the caret
LONGEST_MESSAGE = 400
MASKED = 1000  # columns around the caret that are searched for secrets before the line is cut


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a file: 1-based line and column, and how many columns the caret underlines."""

    line: int = 1
    column: int = 1
    width: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`source` is the offending line, or the part of it around the caret, with secrets masked; `caret` is 0-based.

    `source` is None when there is no line to show.
    """

    file: str
    line: int
    column: int
    message: str
    width: int = 1
    severity: Severity = "error"
    source: str | None = None
    caret: int = 0
    suggestion: str | None = None
    help: str | None = None
    agent: str | None = None

    def render(self, also: Sequence[Problem] = ()) -> str:
        """The error layout of the command line, without a final newline. `also`: the same in other agents."""
        number = str(self.line)
        gutter = " " * len(number)
        rows = [f"{self.severity}: {self.message}", f"{gutter}--> {self.file}:{self.line}:{self.column}"]
        hint = f" {self.suggestion}" if self.suggestion else ""
        if self.source is None:
            rows += [f"{gutter} = {self.suggestion}"] if self.suggestion else []
        else:
            before, under = self.source[: self.caret], self.source[self.caret : self.caret + self.width]
            carets = " " * _columns(before) + "^" * max(1, _columns(under))
            rows += [f"{gutter} |", f"{number} | {self.source}".rstrip(), f"{gutter} | {carets}{hint}"]
        if also:
            rows.append("also: " + ", ".join(f"{one.agent} (line {one.line})" for one in also))
        if self.help:
            rows.append(f"help: {self.help}")
        return "\n".join(rows)

    def same_mistake(self) -> tuple[object, ...]:
        """Equal for the same mistake in different agents, whatever they are called."""
        if self.agent is None:
            return (self,)
        under = self.source[self.caret : self.caret + self.width] if self.source is not None else ""
        said = (self.message, self.suggestion or "", self.help or "")
        return (self.file, self.severity, under, *(text.replace(f'"{self.agent}"', '"*"') for text in said))


@dataclass(slots=True)
class SourceFile:
    """A file's lines, and the parts of them that must never be shown."""

    name: str
    lines: Sequence[str] = ()
    hidden: list[tuple[int, int, int]] = field(default_factory=list)  # line, first and last column, all 1-based
    simple: bool = False  # the fast parser has read it

    def problem(
        self,
        span: Span,
        message: str,
        *,
        severity: Severity = "error",
        suggestion: str | None = None,
        help: str | None = None,
        agent: str | None = None,
    ) -> Problem:
        """A problem at `span`, with secrets masked in everything that could quote the file."""
        line = min(max(span.line, 1), max(len(self.lines), 1))
        length = len(self.lines[line - 1]) if line <= len(self.lines) else 0
        column = min(max(span.column, 1), length + 1)
        source, caret = self._shown(line, column)
        return Problem(
            file=self.name,
            line=line,
            column=column,
            width=1 if source is None else max(1, min(span.width, len(source) - caret)),
            message=_said(message),
            severity=severity,
            source=source,
            caret=caret,
            suggestion=_said(suggestion) if suggestion else None,
            help=_said(help) if help else None,
            agent=agent,
        )

    def _shown(self, line: int, column: int) -> tuple[str | None, int]:
        """What is shown of a line, and where in it the column is."""
        if line > len(self.lines):
            return None, 0
        text = self.lines[line - 1]
        start = max(0, column - 1 - MASKED // 2) if len(text) > MASKED else 0
        shown = text[start : start + MASKED]
        for row, first, last in self.hidden:
            if row == line and last > start:
                begin, end = max(0, first - 1 - start), last - start
                shown = shown[:begin] + "*" * len(shown[begin:end]) + shown[end:]
        shown = "".join(" " if c == "\t" else c if c.isprintable() else "?" for c in secrets.mask_line(shown))
        return _window(shown, column - 1 - start)


def render_each(problems: Iterable[Problem]) -> tuple[str, ...]:
    """Every problem, in their order; a mistake that is repeated from agent to agent is one, with all its lines."""
    groups: dict[tuple[object, ...], list[Problem]] = {}
    for problem in problems:
        groups.setdefault(problem.same_mistake(), []).append(problem)
    return tuple(first.render(more) for first, *more in groups.values())


def render_all(problems: Iterable[Problem]) -> str:
    """Every problem as `render_each` has it, separated by blank lines."""
    return "\n\n".join(render_each(problems))


def _said(text: str) -> str:
    """What a message may quote of a file: no secrets, nothing that a terminal would obey, no endless names."""
    text = text if len(text) <= LONGEST_MESSAGE else text[:LONGEST_MESSAGE] + "..."
    return "".join(c if c.isprintable() else "?" for c in secrets.mask_tokens(text))


def _window(line: str, caret: int) -> tuple[str, int]:
    """The part of `line` around the caret, and the place of the caret in it."""
    if len(line) <= WINDOW:
        return line, caret
    start = max(0, min(caret - WINDOW // 2, len(line) - WINDOW))
    before, after = ("..." if start else ""), ("..." if start + WINDOW < len(line) else "")
    return before + line[start : start + WINDOW] + after, caret - start + len(before)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
