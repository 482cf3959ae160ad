"""Goals as text: which are ready, and their order. ASCII, and the graph folded at 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from providers.base import Json
from reconciler.helpers.words import Paint, count, data, no_paint
from reconciler.render.fold import columns, folded
from reconciler.render.table import table
from specs.mission.goals import STATES, GoalState, Standing, ready

MARKS: Mapping[GoalState, str] = {"done": "[x]", "ready": "[>]", "waiting": "[ ]"}
_MOST_ID = 16  # columns that ids may take of a line; a longer one takes its own


def next_text(standing: Sequence[Standing], *, paint: Paint = no_paint) -> str:
    """The goals that are ready, the most urgent first, and what the others wait for."""
    lines = [paint(_counted(standing), "bold")]
    rows = [
        [
            data(one.goal.id),
            "-" if one.goal.phase is None else str(one.goal.phase),
            data(one.goal.priority or "-"),
            data(one.workstream or "-"),
            data(one.goal.title),
        ]
        for one in ready(standing)
    ]
    if rows:
        lines += ["", *table(("READY", "PHASE", "PRIORITY", "WORKSTREAM", "TITLE"), rows, paint=paint)]
    waiting = [
        [data(one.goal.id), ", ".join(map(data, one.waits_for)), data(one.goal.title)]
        for one in standing
        if one.state == "waiting"
    ]
    if waiting:
        lines += ["", *table(("WAITING", "FOR", "TITLE"), waiting, paint=paint)]
    return "\n".join(lines) + "\n"


def graph_text(standing: Sequence[Standing], *, paint: Paint = no_paint) -> str:
    """A goal on each line, in an order in which they can be reached, with those that come right before it."""
    lines = [paint(_counted(standing), "bold")]
    if not standing:
        return lines[0] + "\n"
    wide = min(_MOST_ID, max(columns(data(one.goal.id)) for one in standing))
    digits = len(str(max(one.layer for one in standing)))
    layer = 0
    lines.append("")
    for one in sorted(standing, key=lambda one: one.layer):
        number = str(one.layer) if one.layer != layer else ""
        layer = one.layer
        name = data(one.goal.id)
        first = f"{number:>{digits}}  {MARKS[one.state]} "
        rest = " " * (columns(first) + wide + 2)
        words = data(one.goal.title).split()
        if one.goal.depends_on:
            words += ["(after", *_listed([data(other) for other in one.goal.depends_on])]
            words[-1] += ")"
        if columns(name) <= wide:
            lines += folded(f"{first}{name}{' ' * (wide - columns(name))}  ", rest, words)
        else:
            lines += [*folded(first, rest, [name]), *folded(rest, rest, words)]
    return "\n".join([*lines, "", "[x] done  [>] ready  [ ] waiting"]) + "\n"


def goal_document(one: Standing) -> dict[str, Json]:
    """A goal as documents have it."""
    goal = one.goal
    return {
        "id": goal.id,
        "title": goal.title,
        "state": one.state,
        "phase": goal.phase,
        "priority": goal.priority,
        "workstream": one.workstream,
        "depends_on": list(goal.depends_on),
        "waits_for": list(one.waits_for),
        "serves": list(goal.serves),
        "layer": one.layer,
    }


def _counted(standing: Sequence[Standing]) -> str:
    if not standing:
        return "no goals yet"
    states = [one.state for one in standing]
    counts = ", ".join(f"{states.count(state)} {state}" for state in STATES if state in states)
    return f"{count(len(standing), 'goal')}: {counts}"


def _listed(names: Sequence[str]) -> list[str]:
    return [f"{name}," for name in names[:-1]] + list(names[-1:])
