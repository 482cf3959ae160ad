"""JSON Schemas of the documents about changes and files: a change, suspensions, a request to look, the roster, a
validation, and who reports to whom. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_args

from reconciler.schemas.pieces import (
    BOOL,
    COUNT,
    TEXT,
    TEXTS,
    TIME,
    Schema,
    document,
    items,
    of_files,
    or_null,
    problem,
    record,
    words,
)
from specs.compiled import AgentState

_STATE = words(get_args(AgentState))


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
        groups=TEXTS,
        here=BOOL,
        fault=or_null(TEXT),
    )
    return document("AgentRoster", revision=TEXT, agents=items(agent))


def _validation() -> Schema:
    """`host` is the one that was asked about; `origins`: where the values of the agent come from that was asked
    about."""
    return of_files(
        "Validation",
        valid=BOOL,
        fleet=or_null(TEXT),
        agents=TEXTS,
        host=or_null(TEXT),
        host_agents=or_null(TEXTS),
        held=TEXTS,
        origins=or_null(
            items(
                record(
                    key=TEXT,
                    value=TEXT,
                    source=words(("agent", "defaults", "runtime", "shipped")),
                    line=or_null(COUNT),
                    column=or_null(COUNT),
                    lost=BOOL,
                )
            )
        ),
        problems=items(problem(agent=or_null(TEXT))),
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
    return of_files(
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
