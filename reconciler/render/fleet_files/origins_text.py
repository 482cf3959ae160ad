"""The text of `mosaic fleet validate --explain AGENT`. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.helpers.words import Paint, Tint, data, no_paint
from reconciler.render.table import table
from specs.fleet_files import ROSTER
from specs.loading.origins import ValueOrigin

_FROM = {"agent": "its entry", "defaults": "defaults", "runtime": "its runtime", "shipped": "the default"}


def origins_text(found: Sequence[ValueOrigin], *, paint: Paint = no_paint) -> str:
    """A row for each value: what it is, who says so, and where."""
    cells = [
        [
            one.key,
            one.value or "-",
            _FROM[one.source] + (", without effect beside its command" if one.lost else ""),
            f"{ROSTER}:{one.line}:{one.column}" if one.line else "-",
        ]
        for one in found
    ]
    tints: list[Tint | None] = ["yellow" if one.lost else "dim" if one.source == "shipped" else None for one in found]
    return "\n".join(
        table(("KEY", "VALUE", "FROM", "WHERE"), [[data(cell) for cell in row] for row in cells], tints, paint)
    )
