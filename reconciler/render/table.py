"""Columns as wide as their widest cell: nothing is cut, whatever the width of the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.helpers.words import Paint, Tint, no_paint


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    tints: Sequence[Tint | None] | None = None,
    paint: Paint = no_paint,
) -> list[str]:
    """One line for the head and one for each row; no line at all where there is no row."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()

    tinted = zip(rows, tints if tints is not None else [None] * len(rows), strict=True)
    return [paint(line(head), "bold"), *(paint(line(row), tint) if tint else line(row) for row, tint in tinted)]
