"""The YAML parser's complaints in words that need no knowledge of parsers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from specs.problems import Problem, SourceFile, Span

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError


def syntax_problem(error: MarkedYAMLError, source: SourceFile) -> Problem:
    """What `error` means, at the place where the parser noticed it."""
    mark = error.problem_mark or error.context_mark
    span = Span(mark.line + 1, mark.column + 1) if mark else Span()
    raw = str(error.problem or error.context or "not readable as YAML")
    line = source.lines[span.line - 1] if span.line <= len(source.lines) else ""
    if "\\t" in raw or line[: span.column].lstrip(" ").startswith("\t"):
        return source.problem(
            span, "a tab is used for indentation", help="YAML allows only spaces at the start of a line"
        )
    for pattern, message, help_ in _PLAIN_ENGLISH:
        if re.search(pattern, raw):
            return source.problem(span, message, help=help_)
    return source.problem(span, f"not readable as YAML: {raw}")


_PLAIN_ENGLISH = (
    (
        r"mapping values are not allowed",
        "a colon that begins a new value is not expected here",
        'text that contains ": " needs quotes; otherwise look at the indentation of this line and the one above',
    ),
    (
        r"end of stream|stream end",
        "the file ends in the middle of a quoted text, a list or a mapping",
        "close the quote or the bracket",
    ),
    (
        r"expected ',' or '[\]}]'",
        "a list or mapping in brackets is not closed before this",
        "close the bracket, or put a comma between the items",
    ),
    (
        r"expected <block end>",
        "this line does not belong to what is above it",
        "look at the indentation: items of one list, and keys of one mapping, begin in the same column",
    ),
    (
        r"could not find expected ':'",
        "a key without a colon, or a text that should be in quotes, begins before this",
        "write `key: value`",
    ),
    (
        r"cannot start any token",
        "a text may not begin with this character unless it is quoted",
        'put the text in quotes: "..."',
    ),
)
