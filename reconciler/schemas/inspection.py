"""JSON Schemas of the documents about the present state: the list of agents, one agent, and the verification of a
fleet. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from providers.base import Health, HeldReason, Kind, Reason, Verb
from reconciler.attention.case import AttentionKind
from reconciler.inspection.describe import CONDITIONS
from reconciler.inspection.verify import RESULTS
from reconciler.listing.row import Sync
from reconciler.model import Readiness
from reconciler.schemas.pieces import (
    ANY,
    BOOL,
    COUNT,
    SECONDS,
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
from reconciler.status.events import EventType

_SOURCES = ("git", "systemd", "tmux", "screen", "proc", "cgroup", "heartbeat", "turn")
_EVIDENCE = record(source=words(_SOURCES), what=TEXT, value=ANY, at=or_null(TIME), age_s=or_null(SECONDS))
_NEXT = record(verb=words(Verb), reason=words([*Reason, *HeldReason]), at=or_null(TIME))
_REVISION = record(compared=or_null(TEXT), in_force=or_null(TEXT), newest=or_null(TEXT), rejected=or_null(TEXT))
_ROW = record(
    kind=words(("agent", "removed", "orphan", "unmanaged", "host")),
    name=TEXT,
    tenant_id=TEXT,
    host=TEXT,
    **{"class": TEXT},
    runtime=TEXT,
    desired=words(("running", "stopped", "absent", "undeclared")),
    state=words([*Readiness, "stopped", "absent"]),
    readiness=words(Readiness),
    readiness_why=TEXT,
    waiting=or_null(TEXT),
    question=or_null(TEXT),
    stuck=or_null(TEXT),
    until=or_null(TEXT),
    until_at=or_null(TIME),
    screen=or_null(words(("not-understood",))),
    attention=items(record(case=TEXT, kind=words(AttentionKind), since=TIME)),
    sync=words(Sync),
    wrong=BOOL,
    why=TEXT,
    problems=TEXTS,
    notes=TEXTS,
    unit=TEXT,
    enabled=or_null(BOOL),
    session=words(("alive", "dead", "missing", "foreign", "unknown")),
    socket=TEXT,
    pid=or_null(COUNT),
    program=TEXT,
    started=or_null(TIME),
    up_s=or_null(SECONDS),
    idle_s=or_null(SECONDS),
    # An age can lie a little in the future: another clock wrote it.
    heartbeat=record(
        state=words(("ok", "busy", "stale", "unknown")), age_s=or_null({"type": "number"}), source=or_null(TEXT)
    ),
    conversation=or_null(record(id=or_null(TEXT), began=words(("new", "resumed", "fresh")), why=or_null(TEXT))),
    mission=or_null(record(state=words(("current", "older")), since=or_null(TIME))),
    restarts=COUNT,
    cpu_s=or_null(SECONDS),
    memory_bytes=or_null(COUNT),
    health=words([*Health, ""]),
    available=or_null(BOOL),
    may_stop=BOOL,
    may_stop_why=TEXT,
    next=or_null(_NEXT),
    observed_at=TIME,
    evidence=items(_EVIDENCE),
)


def _agents() -> Schema:
    return document(
        "AgentList",
        observed_at=TIME,
        revision=_REVISION,
        pause=or_null(record(reason=TEXT, by=TEXT, since=or_null(TIME))),
        wrong=BOOL,
        problems=TEXTS,
        agents=items(_ROW),
    )


def _agent() -> Schema:
    condition = record(
        type=words(CONDITIONS), status=words(("True", "False", "Unknown")), message=TEXT, since=or_null(TIME)
    )
    held = record(
        verb=words(Verb), target=TEXT, reason=words(HeldReason), message=TEXT, since=or_null(TIME), until=or_null(TIME)
    )
    return document(
        "AgentStatus",
        observed_at=TIME,
        revision=_REVISION,
        agent=_ROW,
        conditions=items(condition),
        held=items(held),
        due=items(record(verb=words(Verb), target=TEXT, reason=words(Reason), provider=words(Kind))),
        next=items(record(what=TEXT, at=or_null(TIME))),
        events=items(record(ts=TIME, type=words(EventType), message=TEXT, agent=or_null(TEXT))),
        crash=or_null(record(lines=TEXTS, of_the_pane_that_is_there=BOOL)),
    )


def _verification() -> Schema:
    check = record(name=TEXT, agent=or_null(TEXT), result=words(RESULTS), found=TEXT, mend=or_null(TEXT))
    return document("FleetVerification", observed_at=TIME, revision=_REVISION, wrong=COUNT, checks=items(check))


def _sessions() -> Schema:
    session = record(
        id=TEXT,
        program=TEXT,
        working_directory=TEXT,
        started=TIME,
        last_turn=TIME,
        bytes=or_null(COUNT),
        present=BOOL,
        why_not=or_null(TEXT),
    )
    return document("AgentSessions", agent=TEXT, sessions=items(session))


SEEING: Mapping[str, Callable[[], Schema]] = {
    "agents": _agents,
    "agent": _agent,
    "agent-sessions": _sessions,
    "verification": _verification,
}
