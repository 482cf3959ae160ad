"""One thing wrong with a file: what, where, how to mend it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from specs import secrets

Severity = Literal["error", "warning"]

WINDOW = 120  # columns of a source line that are shown; a longer one is cut around the caret


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a file: 1-based line and column, and how many columns the caret underlines."""

    line: int = 1
    column: int = 1
    width: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`source` is the offending line with secrets masked, or None when the file cannot be shown."""

    file: str
    line: int
    column: int
    message: str
    width: int = 1
    severity: Severity = "error"
    source: str | None = None
    suggestion: str | None = None
    help: str | None = None
    agent: str | None = None

    def render(self) -> str:
        """The error layout of the command line, without a final newline."""
        number = str(self.line)
        gutter = " " * len(number)
        rows = [f"{self.severity}: {self.message}", f"{gutter}--> {self.file}:{self.line}:{self.column}"]
        hint = f" {self.suggestion}" if self.suggestion else ""
        if self.source is None:
            rows += [f"{gutter} = {self.suggestion}"] if self.suggestion else []
        else:
            shown, start = _window(self.source, self.column)
            caret = _blanks(shown[:start]) + "^" * max(1, _columns(shown[start : start + self.width]))
            rows += [f"{gutter} |", f"{number} | {shown}".rstrip(), f"{gutter} | {caret}{hint}"]
        if self.help:
            rows.append(f"help: {self.help}")
        return "\n".join(rows)


@dataclass(slots=True)
class SourceFile:
    """A file's lines, and the parts of them that must never be shown."""

    name: str
    lines: Sequence[str] = ()
    hidden: list[tuple[int, int, int]] = field(default_factory=list)  # line, first and last column, all 1-based

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
        source = self._shown(line)
        column = span.column if source is None else min(max(span.column, 1), len(source) + 1)
        width = 1 if source is None else max(1, min(span.width, len(source) - column + 1))
        return Problem(
            file=self.name,
            line=line,
            column=column,
            width=width,
            message=secrets.mask_tokens(message),
            severity=severity,
            source=source,
            suggestion=secrets.mask_tokens(suggestion) if suggestion else None,
            help=secrets.mask_tokens(help) if help else None,
            agent=agent,
        )

    def _shown(self, line: int) -> str | None:
        if line > len(self.lines):
            return None
        text = self.lines[line - 1]
        for row, first, last in self.hidden:
            if row == line:
                text = text[: first - 1] + "*" * len(text[first - 1 : last]) + text[last:]
        return "".join(" " if c == "\t" else c if c.isprintable() else "?" for c in secrets.mask_line(text))


def render_all(problems: Iterable[Problem]) -> str:
    """Every problem, separated by blank lines."""
    return "\n\n".join(problem.render() for problem in problems)


def _window(line: str, column: int) -> tuple[str, int]:
    """The part of `line` around `column`, and the 0-based place of the column in it."""
    if len(line) <= WINDOW:
        return line, column - 1
    start = max(0, min(column - 1 - WINDOW // 2, len(line) - WINDOW))
    before, after = ("..." if start else ""), ("..." if start + WINDOW < len(line) else "")
    return before + line[start : start + WINDOW] + after, column - 1 - start + len(before)


def _wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


def _columns(text: str) -> int:
    return sum(2 if _wide(char) else 1 for char in text)


def _blanks(text: str) -> str:
    return " " * _columns(text)
