"""JSON Schemas of the documents of `mosaic fleet north-star`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.schemas.pieces import (
    ANY,
    BOOL,
    COUNT,
    TEXT,
    TEXTS,
    Schema,
    items,
    of_files,
    or_null,
    problem,
    record,
    words,
)
from specs.mission.diff import CHANGES, SECTIONS
from specs.mission.goals import STATES
from specs.mission.projection import FRESHNESS

_PROBLEM = problem()
_GOAL = record(
    id=TEXT,
    title=TEXT,
    state=words(STATES),
    phase=or_null(COUNT),
    priority=or_null(TEXT),
    workstream=or_null(TEXT),
    depends_on=TEXTS,
    waits_for=TEXTS,
    serves=TEXTS,
    layer={"type": "integer", "minimum": 1},
)


def _validation() -> Schema:
    counts = {"goals": COUNT, "success_criteria": COUNT, "workstreams": COUNT}
    return of_files("NorthStarValidation", valid=BOOL, problems=items(_PROBLEM), **counts)


def _projection() -> Schema:
    return of_files("NorthStarProjection", path=TEXT, state=words(FRESHNESS), written=BOOL, diff=TEXT)


def _next() -> Schema:
    return of_files("NorthStarNext", ready=items(_GOAL), waiting=items(_GOAL), done=items(_GOAL))


def _graph() -> Schema:
    return of_files("NorthStarGraph", goals=items(_GOAL), edges=items(record(**{"from": TEXT, "to": TEXT})))


def _diff() -> Schema:
    side = record(revision=or_null(TEXT), there=BOOL)
    change = record(
        section=words(SECTIONS),
        id=or_null(TEXT),
        change=words(CHANGES),
        title=or_null(TEXT),
        fields=items(record(name=TEXT, before=ANY, after=ANY)),
        text=TEXT,
    )
    return of_files("NorthStarDiff", **{"from": side, "to": side}, changes=items(change))


NORTH_STAR: Mapping[str, Callable[[], Schema]] = {
    "north-star-validation": _validation,
    "north-star-projection": _projection,
    "north-star-next": _next,
    "north-star-graph": _graph,
    "north-star-diff": _diff,
}
