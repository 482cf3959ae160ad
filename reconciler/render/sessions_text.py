"""The conversations of an agent, for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reconciler.helpers.times import rfc3339
from reconciler.helpers.words import Paint, Tint, data, no_paint, when
from reconciler.render.table import table

if TYPE_CHECKING:
    from providers.base import Json
    from reconciler.agents.sessions import AgentSession

_UNITS = ("B", "kB", "MB", "GB")


def sessions_text(name: str, sessions: Sequence[AgentSession], *, now: float, paint: Paint = no_paint) -> str:
    """A row for each, the newest first; then why a start cannot go back to some of them."""
    if not sessions:
        return f"no conversation of {name} is recorded here\n"
    rows = [
        [
            data(one.id),
            when(one.started, now),
            when(one.last, now),
            _size(one.size),
            "present" if one.present else "no way back" if one.why_not else "",
        ]
        for one in sessions
    ]
    tints: list[Tint | None] = [None if not one.why_not else "dim" for one in sessions]
    lines = table(("ID", "STARTED", "LAST TURN", "SIZE", ""), rows, tints, paint)
    lines += [f"{data(one.id)}: {data(one.why_not)}" for one in sessions if one.why_not]
    return "\n".join(lines) + "\n"


def sessions_json(sessions: Sequence[AgentSession]) -> list[Json]:
    """The list in the document of kind AgentSessions."""
    return [
        {
            "id": one.id,
            "program": one.program,
            "working_directory": one.directory,
            "started": rfc3339(one.started),
            "last_turn": rfc3339(one.last),
            "bytes": one.size,
            "present": one.present,
            "why_not": one.why_not or None,
        }
        for one in sessions
    ]


def _size(size: int | None) -> str:
    if size is None:
        return "-"
    number, unit = float(size), 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.0f} {_UNITS[unit]}" if unit == 0 else f"{number:.1f} {_UNITS[unit]}"
