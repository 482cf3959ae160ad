"""Small pieces of text that every view uses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Literal

from providers.base import Json
from reconciler.helpers.redact import one_line
from reconciler.helpers.times import spell_duration

Tint = Literal["red", "green", "yellow", "bold", "dim"]
Paint = Callable[[str, Tint], str]


def no_paint(text: str, _tint: Tint) -> str:
    """For a pipe, a file and a test."""
    return text


def data(text: object) -> str:
    """A name, a reason or an error: somebody else's words, on one line and without control characters."""
    return one_line(str(text))


def short(revision: str) -> str:
    """A commit as people write it."""
    return data(revision)[:12] or "(none)"


def as_typed(word: str) -> str:
    """A word of a command as a person would type it: quoted where a shell needs that, and with `~` for the home."""
    import shlex
    from os.path import expanduser

    home = expanduser("~").rstrip("/")
    clean = data(word)
    if home and clean.startswith(f"{home}/"):
        return f"~/{shlex.quote(clean.removeprefix(f'{home}/'))}"
    return shlex.quote(clean)


def value(item: Json) -> str:
    """A field's value: strings bare where that is clear, everything else as JSON; `(absent)` for nothing."""
    if item is None:
        return "(absent)"
    if isinstance(item, str):
        clean = data(item)
        return clean if clean and clean == item and not clean.startswith(('"', "(absent")) else json.dumps(clean)
    return data(json.dumps(item, ensure_ascii=False))


def count(number: int, noun: str) -> str:
    """`1 action`, `2 actions`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def when(moment: float, now: float) -> str:
    """`5m ago`, `in 5m`."""
    if moment <= now:
        return f"{spell_duration(now - moment)} ago"
    return f"in {spell_duration(moment - now)}"
