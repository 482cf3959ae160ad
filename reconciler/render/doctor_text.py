"""What `mosaic doctor` says: first what needs a person, with the commands that mend it; then everything by group."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from reconciler.helpers.times import rfc3339
from reconciler.helpers.words import Paint, Tint, count, data, no_paint

if TYPE_CHECKING:
    from reconciler.doctor.check import Check, Report

WIDTH = 80
_TINTS: dict[str, Tint] = {"fail": "red", "warn": "yellow", "unknown": "yellow", "ok": "green"}
_ORDER = ("fail", "unknown", "warn")
_INDENT = " " * 9


def doctor_text(report: Report, *, paint: Paint = no_paint) -> str:
    """Prose is wrapped at 80 columns; a command is never broken, so that it can be copied."""
    lines = [*_head(report), ""]
    for result in _ORDER:
        for check in report.checks:
            if check.result == result:
                lines += [*_problem(check, paint), ""]
    group = ""
    for check in report.checks:
        if check.group != group:
            group = check.group
            lines.append(paint(group, "bold"))
        lines += _row(check, paint)
    return "\n".join(lines) + "\n"


def _head(report: Report) -> Iterator[str]:
    of = f"fleet {data(report.fleet)} of " if report.fleet else ""
    yield f"{of}{data(report.tenant_id)} on {data(report.host)}, {rfc3339(report.at)}"
    bad = [count(report.count("fail"), "failure")] if report.count("fail") else []
    bad += [f"{report.count('unknown')} unknown"] if report.count("unknown") else []
    bad += [count(report.count("warn"), "warning")] if report.count("warn") else []
    total = count(len(report.checks), "check")
    yield f"{total}: {', '.join(bad)}" if bad else f"{total}: all is well"


def _problem(check: Check, paint: Paint) -> Iterator[str]:
    yield from _wrapped(check, paint, f"{check.name}: {data(check.found)}")
    for command in check.mend:
        yield f"{_INDENT}$ {data(command)}"
    if check.advice:
        yield from _fold(data(check.advice), _INDENT)


def _row(check: Check, paint: Paint) -> Iterator[str]:
    if check.result != "ok":
        yield _label(check, paint) + f"{check.name} (above)"
        return
    yield from _wrapped(check, paint, f"{check.name}: {data(check.found)}")


def _wrapped(check: Check, paint: Paint, text: str) -> Iterator[str]:
    first, *rest = _fold(text, _INDENT)
    yield _label(check, paint) + first[len(_INDENT) :]
    yield from rest


def _label(check: Check, paint: Paint) -> str:
    word = check.result if check.result == "ok" else check.result.upper()
    return "  " + paint(word, _TINTS[check.result]) + " " * (len(_INDENT) - 2 - len(word))


def _fold(text: str, indent: str) -> Sequence[str]:
    """Long paths and commands inside of prose stay whole as well."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) or [indent]
