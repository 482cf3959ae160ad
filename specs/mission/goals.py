"""Goals: which are done, which are ready, what the others wait for, and their order. Pure.

Every function takes a mission that was checked: each `depends_on` exists, and there is no circle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from specs.dataclass import dataclass

if TYPE_CHECKING:
    from specs.models.north_star import Goal, NorthStar

GoalState = Literal["done", "ready", "waiting"]
STATES: tuple[GoalState, ...] = ("done", "ready", "waiting")

# The words that most people use for it, the most urgent first; a word of one's own comes after them, as it is written.
_PRIORITIES = ("must-have", "should-have", "could-have", "wont-have")
_NO_PHASE = 1001  # after every phase that may be written


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A goal as it stands. `waits_for` are the goals before it that are not done; `layer` is 1 for what depends on
    nothing, and otherwise one more than that of the latest goal before it."""

    goal: Goal
    state: GoalState
    waits_for: tuple[str, ...]
    workstream: str | None
    layer: int


def standings(north_star: NorthStar) -> tuple[Standing, ...]:
    """Every goal, in the order of the file. Done is what the file says is done; ready is what is open and waits for
    nothing that is open."""
    done = {goal.id for goal in north_star.goals if goal.state == "done"}
    streams = north_star.workstream_of()
    layers = _layers(north_star.goals)
    found = []
    for goal in north_star.goals:
        waits = tuple(dict.fromkeys(other for other in goal.depends_on if other not in done))
        state: GoalState = "done" if goal.id in done else "waiting" if waits else "ready"
        found.append(
            Standing(
                goal=goal,
                state=state,
                waits_for=() if state == "done" else waits,
                workstream=streams.get(goal.id),
                layer=layers[goal.id],
            )
        )
    return tuple(found)


def ready(standing: Sequence[Standing]) -> tuple[Standing, ...]:
    """What can be begun now, the most urgent first: by phase, then by priority, then as written."""
    return tuple(sorted((one for one in standing if one.state == "ready"), key=_urgency))


def _urgency(one: Standing) -> tuple[int, int]:
    phase = _NO_PHASE if one.goal.phase is None else one.goal.phase
    word = (one.goal.priority or "").casefold().replace(" ", "-").replace("_", "-").replace("'", "")
    return phase, _PRIORITIES.index(word) if word in _PRIORITIES else len(_PRIORITIES)


def _layers(goals: Sequence[Goal]) -> dict[str, int]:
    """Without recursion: a chain may be as long as the file."""
    before = {goal.id: len(set(goal.depends_on)) for goal in goals}
    after: dict[str, list[str]] = {goal.id: [] for goal in goals}
    for goal in goals:
        for other in set(goal.depends_on):
            after[other].append(goal.id)
    layers = {goal.id: 1 for goal in goals}
    free = [goal.id for goal in goals if not before[goal.id]]
    for name in free:  # grows while it is read
        for other in after[name]:
            layers[other] = max(layers[other], layers[name] + 1)
            before[other] -= 1
            if not before[other]:
                free.append(other)
    return layers
