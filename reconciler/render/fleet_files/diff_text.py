"""A unified diff for people: coloured if wanted, without anything that a terminal would obey."""

from __future__ import annotations

from reconciler.helpers.redact import plain
from reconciler.helpers.words import Paint, Tint, no_paint

_TINTS: tuple[tuple[str, Tint], ...] = (("+++", "bold"), ("---", "bold"), ("@@", "dim"), ("+", "green"), ("-", "red"))


def diff_text(diff: str, *, paint: Paint = no_paint) -> str:
    """Line by line, without a final newline; what a file should not hold (a secret) is masked as in its problems."""
    from specs.values.secrets import mask_line

    return "\n".join(_painted(mask_line(line), paint) for line in plain(diff).split("\n")).rstrip("\n")


def _painted(line: str, paint: Paint) -> str:
    tint = next((tint for start, tint in _TINTS if line.startswith(start)), None)
    return paint(line, tint) if tint else line
