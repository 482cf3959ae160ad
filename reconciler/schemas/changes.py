"""JSON Schemas of the documents about changes and files: a change, suspensions, a request to look, the roster, a
validation, and who reports to whom. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_args

from reconciler.schemas.pieces import (
    BOOL,
    COUNT,
    DIALECT,
    TEXT,
    TEXTS,
    TIME,
    Schema,
    document,
    items,
    or_null,
    record,
    words,
)
from reconciler.status.document import API_VERSION
from specs.compiled import AgentState

_STATE = words(get_args(AgentState))


def _of_files(kind: str, **properties: Schema) -> Schema:
    """A document about files, wherever they are: it is of no tenant and of no host."""
    head: dict[str, Schema] = {"apiVersion": {"const": API_VERSION}, "kind": {"const": kind}}
    return {"$schema": DIALECT, "title": f"Mosaic Fleet: {kind}", **record(**head, **properties)}


def _change() -> Schema:
    """`fleet` is empty where it has not run on this host; `sync` is null where nobody was to look at the commit;
    `forced`: whose processes --force ends, `despite` what ("" where nothing spoke against it)."""
    return document(
        "Change",
        repository=TEXT,
        branch=TEXT,
        dry_run=BOOL,
        message=TEXT,
        files=items(record(path=TEXT, diff=TEXT)),
        notes=TEXTS,
        commit=or_null(TEXT),
        pushed=or_null(TEXT),
        written=BOOL,
        forced=items(record(agent=TEXT, pid=COUNT, despite=TEXT)),
        sync=or_null(record(asked=BOOL, report=or_null({"type": "object"}))),
    )


def _suspensions() -> Schema:
    one = record(agent=TEXT, reason=TEXT, by=TEXT, until=or_null(TIME))
    return document("Suspensions", made=items(one), lifted=items(one))


def _sync() -> Schema:
    return document("Sync", asked=BOOL)


def _roster() -> Schema:
    agent = record(
        name=TEXT,
        tenant_id=TEXT,
        host=TEXT,
        **{"class": TEXT},
        runtime=TEXT,
        state=_STATE,
        alias=or_null(TEXT),
        model=or_null(TEXT),
        here=BOOL,
        fault=or_null(TEXT),
    )
    return document("AgentRoster", revision=TEXT, agents=items(agent))


def _validation() -> Schema:
    """`host` is the one that was asked about."""
    problem = record(
        severity=words(("error", "warning")),
        file=TEXT,
        line=COUNT,
        column=COUNT,
        message=TEXT,
        suggestion=or_null(TEXT),
        help=or_null(TEXT),
        agent=or_null(TEXT),
    )
    return _of_files(
        "Validation",
        valid=BOOL,
        fleet=or_null(TEXT),
        agents=TEXTS,
        host=or_null(TEXT),
        host_agents=or_null(TEXTS),
        held=TEXTS,
        problems=items(problem),
    )


def _org() -> Schema:
    member = record(name=TEXT, **{"class": TEXT}, runtime=TEXT, state=_STATE)
    seat = record(
        **{"class": TEXT},
        depth=COUNT,
        reports_to=or_null(TEXT),
        multiplicity=COUNT,
        open=COUNT,
        agents=items(member),
    )
    return _of_files(
        "Org",
        fleet=or_null(TEXT),
        type=TEXT,
        title=TEXT,
        source=words(("shipped", "changed", "own")),
        lead=TEXT,
        open=COUNT,
        seats=items(seat),
        beside=items(member),
    )


CHANGING: Mapping[str, Callable[[], Schema]] = {
    "change": _change,
    "suspensions": _suspensions,
    "sync": _sync,
    "agent-roster": _roster,
    "validation": _validation,
    "org": _org,
}
