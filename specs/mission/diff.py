"""What has changed between two missions: each thing is identified by its id, wherever it is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from specs.dataclass import dataclass
from specs.mission.projection import paragraphs

if TYPE_CHECKING:
    from specs.models.north_star import Goal, NorthStar

GoalChange = Literal["added", "removed", "changed", "reordered"]
CHANGES: tuple[GoalChange, ...] = ("added", "removed", "changed", "reordered")
GoalValue = str | int | bool | tuple[str, ...] | None
Thing = Mapping[str, GoalValue]

# Section of the file, and what one of its things is called.
SECTIONS: Mapping[str, str] = {
    "mission": "mission",
    "substrate": "substrate",
    "standing_objectives": "objective",
    "success_criteria": "criterion",
    "workstreams": "workstream",
    "goals": "goal",
    "assumptions": "assumption",
    "spend": "spend",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    """`before` or `after` is None where there is no value. Lists are compared as sets, but shown as written."""

    name: str
    before: GoalValue
    after: GoalValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing. `id` is "" for what there is only one of, and for a list whose order has changed; `title` is what it
    is called now, or was. `fields` are all of them for what was added or removed."""

    section: str
    id: str
    change: GoalChange
    title: str = ""
    fields: tuple[FieldDifference, ...] = ()


def differences(old: NorthStar | None, new: NorthStar | None) -> tuple[Difference, ...]:
    """In the order of the file; None is a fleet without a mission."""
    return tuple(_all(_sections(old), _sections(new)))


def _sections(north_star: NorthStar | None) -> dict[str, dict[str, Thing]]:
    """Each section's things by id. What there is only one of has the id ""."""
    if north_star is None:
        return {}
    streams = north_star.workstream_of()
    alone: dict[str, dict[str, Thing]] = {"mission": {"": {"text": north_star.mission}}}
    if north_star.substrate is not None:
        alone["substrate"] = {"": {"text": north_star.substrate.note}}
    if north_star.spend is not None:
        alone["spend"] = {"": {"advisory": north_star.spend.advisory, "note": north_star.spend.note}}
    return alone | {
        "standing_objectives": {one.id: {"text": one.text} for one in north_star.standing_objectives},
        "success_criteria": {one.id: {"text": one.text} for one in north_star.success_criteria},
        "workstreams": {one.id: {"title": one.title} for one in north_star.workstreams},
        "goals": {one.id: _goal(one, streams.get(one.id)) for one in north_star.goals},
        "assumptions": {one.id: {"text": one.text, "vetoable": one.vetoable} for one in north_star.assumptions},
    }


def _goal(goal: Goal, stream: str | None) -> Thing:
    return {
        "title": goal.title,
        "state": goal.state,
        "phase": goal.phase,
        "priority": goal.priority,
        "depends_on": goal.depends_on,
        "workstream": stream,
        "serves": goal.serves,
    }


def _all(old: Mapping[str, Mapping[str, Thing]], new: Mapping[str, Mapping[str, Thing]]) -> Iterator[Difference]:
    for section in SECTIONS:
        before, after = old.get(section, {}), new.get(section, {})
        for name, thing in before.items():
            if name not in after:
                yield _whole(section, name, "removed", thing)
        for name, thing in after.items():
            if name not in before:
                yield _whole(section, name, "added", thing)
            elif fields := _fields(before[name], thing):
                yield Difference(section=section, id=name, change="changed", title=_title(thing), fields=fields)
        if _order(before, after) != _order(after, before):
            yield Difference(section=section, id="", change="reordered")


def _order(these: Mapping[str, Thing], others: Mapping[str, Thing]) -> Sequence[str]:
    return [name for name in these if name in others]


def _whole(section: str, name: str, change: Literal["added", "removed"], thing: Thing) -> Difference:
    kept = ((key, value) for key, value in thing.items() if value not in (None, ()))
    fields = tuple(
        FieldDifference(name=key, before=None, after=value)
        if change == "added"
        else FieldDifference(name=key, before=value, after=None)
        for key, value in kept
    )
    return Difference(section=section, id=name, change=change, title=_title(thing), fields=fields)


def _fields(before: Thing, after: Thing) -> tuple[FieldDifference, ...]:
    return tuple(
        FieldDifference(name=key, before=before[key], after=after[key])
        for key in after
        if _compared(before[key]) != _compared(after[key])
    )


def _compared(value: GoalValue) -> object:
    """Text is the same however it is folded."""
    if isinstance(value, tuple):
        return frozenset(value)
    return tuple(paragraphs(value)) if isinstance(value, str) else value


def _title(thing: Thing) -> str:
    return str(thing.get("title") or "")
