"""The text of `mosaic doctor`: what needs a person, with the commands that fix it, and how many checks are fine."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from reconciler.helpers.words import Paint, Tint, count, data, no_paint

if TYPE_CHECKING:
    from reconciler.doctor.check import Check, Report

WIDTH = 80
_TINTS: dict[str, Tint] = {"fail": "red", "warn": "yellow", "unknown": "yellow", "ok": "green"}
_ORDER = ("fail", "unknown", "warn")
_INDENT = " " * 11


def doctor_text(report: Report, *, everything: bool = False, paint: Paint = no_paint) -> str:
    """What is not as it should be, failures first and warnings last; `everything`: above it, by group, what is. Prose
    is wrapped at 80 columns; a command is never broken, so that it can be copied."""
    blocks = [_head(report, everything)]
    if everything and report.count("ok"):
        blocks.append(_well(report, paint))
    blocks += [list(_problem(check, paint)) for result in _ORDER for check in report.checks if check.result == result]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _head(report: Report, everything: bool) -> list[str]:
    of = f"fleet {data(report.fleet)} of " if report.fleet else ""
    bad = [count(report.count("fail"), "failure")] if report.count("fail") else []
    bad += [f"{report.count('unknown')} unknown"] if report.count("unknown") else []
    bad += [count(report.count("warn"), "warning")] if report.count("warn") else []
    well = f", {report.count('ok')} ok" if bad else ""
    more = " (--all lists them)" if report.count("ok") and not everything else ""
    summary = f"{count(len(report.checks), 'check')}: {', '.join(bad) or 'all is well'}{well}{more}"
    return [f"{of}{data(report.tenant_id)} on {data(report.host)}", *_fold(summary, "")]


def _well(report: Report, paint: Paint) -> list[str]:
    lines: list[str] = []
    group = ""
    for check in report.checks:
        if check.result == "ok":
            lines += [paint(check.group, "bold")] if check.group != group else []
            lines += _wrapped(check, paint, f"{check.name}: {data(check.found)}")
            group = check.group
    return lines


def _problem(check: Check, paint: Paint) -> Iterator[str]:
    yield from _wrapped(check, paint, f"{check.name}: {data(check.found)}")
    for command in check.mend:
        yield f"{_INDENT}$ {data(command)}"
    if check.advice:
        yield from _fold(data(check.advice), _INDENT)


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
