"""The YAML parser's complaints in plain words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from specs.values.problems import Problem, SourceFile, Span

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError


def syntax_problem(error: MarkedYAMLError, source: SourceFile) -> Problem:
    """What `error` means, at the place where the parser noticed it."""
    raw = str(error.problem or error.context or "not readable as YAML")
    # What was begun and not ended is fixed where it begins; anything else where the parser stopped.
    begun = error.context_mark if re.search(_NOT_ENDED, raw) else None
    mark = begun or error.problem_mark or error.context_mark
    span = Span(mark.line + 1, mark.column + 1) if mark else Span()
    line = source.lines[span.line - 1] if span.line <= len(source.lines) else ""
    if _INDENTED_BY_TAB.match(line[: span.column]):
        return source.problem(
            span, "a tab is used for indentation", help="YAML allows only spaces at the start of a line"
        )
    if "\\t" in raw:
        return source.problem(span, "a tab is not expected here", help="write a space, or put the text in quotes")
    for pattern, message, help_ in _PLAIN_ENGLISH:
        if re.search(pattern, raw):
            return source.problem(span, message, help=help_)
    return source.problem(span, f"not readable as YAML: {raw}")


# Also what an item begins with: its keys are indented as much as the first one is.
_INDENTED_BY_TAB = re.compile(r"[ ]*(?:[-?][ ]+)*(?:[-?][ ]*)?\t")
_NOT_ENDED = r"end of stream|stream end|could not find expected ':'"
_PLAIN_ENGLISH = (
    (
        r"mapping values are not allowed",
        "a colon that begins a new value is not expected here",
        'text that contains ": " needs quotes; otherwise look at the indentation of this line and the one above',
    ),
    (
        r"end of stream|stream end",
        "a quoted text, a list or a mapping that begins here has no end",
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
        "a key without a colon, or a text that should be in quotes",
        "write `key: value`",
    ),
    (
        r"cannot start any token",
        "a text may not begin with this character unless it is quoted",
        'put the text in quotes: "..."',
    ),
)
