"""JSON Schemas of the documents of `mosaic fleet north-star`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.schemas.pieces import ANY, BOOL, COUNT, DIALECT, TEXT, TEXTS, Schema, items, or_null, record, words
from reconciler.status.document import API_VERSION
from specs.mission.diff import CHANGES, SECTIONS
from specs.mission.goals import STATES
from specs.mission.projection import FRESHNESS

_PROBLEM = record(
    severity=words(("error", "warning")),
    file=TEXT,
    line=COUNT,
    column=COUNT,
    message=TEXT,
    suggestion=or_null(TEXT),
    help=or_null(TEXT),
)
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


def _document(kind: str, **properties: Schema) -> Schema:
    """About a file, and not about a host: it names neither a host nor a tenant."""
    head: dict[str, Schema] = {"apiVersion": {"const": API_VERSION}, "kind": {"const": kind}}
    return {"$schema": DIALECT, "title": f"Mosaic Fleet: {kind}", **record(**head, **properties)}


def _validation() -> Schema:
    counts = {"goals": COUNT, "success_criteria": COUNT, "workstreams": COUNT}
    return _document("NorthStarValidation", valid=BOOL, problems=items(_PROBLEM), **counts)


def _projection() -> Schema:
    return _document("NorthStarProjection", path=TEXT, state=words(FRESHNESS), written=BOOL, diff=TEXT)


def _next() -> Schema:
    return _document("NorthStarNext", ready=items(_GOAL), waiting=items(_GOAL), done=items(_GOAL))


def _graph() -> Schema:
    return _document("NorthStarGraph", goals=items(_GOAL), edges=items(record(**{"from": TEXT, "to": TEXT})))


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
    return _document("NorthStarDiff", **{"from": side, "to": side}, changes=items(change))


STAR: Mapping[str, Callable[[], Schema]] = {
    "north-star-validation": _validation,
    "north-star-projection": _projection,
    "north-star-next": _next,
    "north-star-graph": _graph,
    "north-star-diff": _diff,
}
