"""JSON Schemas of the documents that programs read. `docs/schemas/` has the same as files; a test compares them.

Enumerations come from the code, so that a new word cannot be forgotten here. Objects are open: additions are allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from providers.base import Health, HeldReason, Json, Kind, Reason, Verb
from reconciler.answering.verdict import HOWS
from reconciler.attention.case import DIALOGS
from reconciler.conformance.model import OUTCOMES, PROOFS
from reconciler.delivery.verdict import DELIVERIES, EVIDENCE
from reconciler.doctor import check as doctor
from reconciler.model import Readiness
from reconciler.schemas.attention import ATTENTION, ATTENTION_EVENTS, CASE
from reconciler.schemas.pieces import ANY as _ANY
from reconciler.schemas.pieces import BOOL as _BOOL
from reconciler.schemas.pieces import COUNT as _COUNT
from reconciler.schemas.pieces import DIALECT as _DIALECT
from reconciler.schemas.pieces import SECONDS as _SECONDS
from reconciler.schemas.pieces import TEXT as _TEXT
from reconciler.schemas.pieces import TEXTS as _TEXTS
from reconciler.schemas.pieces import TIME as _TIME
from reconciler.schemas.pieces import Schema
from reconciler.schemas.pieces import document as _document
from reconciler.schemas.pieces import items as _list
from reconciler.schemas.pieces import or_null as _or_null
from reconciler.schemas.pieces import record as _object
from reconciler.schemas.pieces import record_or as _object_or
from reconciler.schemas.pieces import words as _words
from reconciler.status.conditions import ConditionReason, ConditionStatus, ConditionType
from reconciler.status.events import EventSource, EventType

_OUTCOMES = ("converged", "partial", "failed", "held", "paused", "refused")
_CHANGE = _object(path=_TEXT, live=_ANY, desired=_ANY)
_ACTION = {
    "id": _TEXT,
    "verb": _words(Verb),
    "provider": _words(Kind),
    "target": _TEXT,
    "agent": _or_null(_TEXT),
    "reason": _words(Reason),
    "disrupts": _BOOL,
    "depends_on": _TEXTS,
    "changes": _list(_CHANGE),
    "steps": _TEXTS,
}
_LOSSES = {"losses": _TEXTS}  # only where other people lose something
_FORCED = {"forced": _object(by=_TEXT, despite=_TEXT)}  # only where somebody has said --force
_HELD = _object_or(
    _LOSSES,
    agent=_or_null(_TEXT),
    verb=_words(Verb),
    target=_TEXT,
    reason=_words(HeldReason),
    message=_TEXT,
    since=_TIME,
    until=_or_null(_TIME),
    changes=_list(_CHANGE),
)
_UNKNOWN = _object(kind=_words(Kind), name=_or_null(_TEXT), error=_TEXT)
_CONDITION = _object(
    type=_words(ConditionType),
    status=_words(ConditionStatus),
    reason=_words(ConditionReason),
    message=_TEXT,
    since=_TIME,
)


def _plan() -> Schema:
    counts = dict.fromkeys(("create", "update", "remove", "heal", "held", "unchanged"), _COUNT)
    return _document(
        "Plan",
        revision=_TEXT,
        observed_at=_TIME,
        observed_digest=_TEXT,
        digest={"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
        paused=_BOOL,
        paused_reason=_or_null(_TEXT),
        commits=_list(_object(sha=_TEXT, subject=_TEXT, author=_TEXT, when=_TEXT)),
        actions=_list(_object_or({**_LOSSES, **_FORCED}, **_ACTION)),
        held=_list(_HELD),
        unknown=_list(_UNKNOWN),
        orphans=_TEXTS,
        refused=_TEXTS,
        settling=_TEXTS,
        summary=_object(**counts),
    )


def _report() -> Schema:
    done = _object_or(
        {**_LOSSES, **_FORCED},
        **_ACTION,
        result=_words(("done", "unchanged", "failed", "skipped")),
        error=_or_null(_TEXT),
        duration_s=_SECONDS,
    )
    return _document(
        "ReconcileReport",
        outcome=_words(_OUTCOMES),
        revision=_TEXT,
        attempted_revision=_or_null(_TEXT),
        passes=_COUNT,
        started_at=_TIME,
        duration_s=_SECONDS,
        actions=_list(done),
        held=_list(_HELD),
        unknown=_list(_UNKNOWN),
        orphans=_TEXTS,
        refused=_TEXTS,
        pending=_TEXTS,
        warnings=_TEXTS,
        conditions=_list(_CONDITION),
    )


def _status() -> Schema:
    due = _object(verb=_words(Verb), reason=_words([*Reason, *HeldReason]), at=_or_null(_TIME))
    agent = _object(
        name=_TEXT,
        **{"class": _TEXT},
        runtime=_TEXT,
        desired=_words(("running", "stopped", "absent", "undeclared")),
        live=_words(("running", "dead", "stopped", "foreign", "unknown")),
        unit=_TEXT,
        enabled=_or_null(_BOOL),
        health=_words(Health),
        in_sync=_BOOL,
        in_sync_since=_or_null(_TIME),
        restarts=_COUNT,
        quarantined_since=_or_null(_TIME),
        next=_or_null(due),
        held=_or_null(_words(HeldReason)),
        why=_TEXT,
        pid=_or_null(_COUNT),
        started=_or_null(_TIME),
        last_activity=_or_null(_TIME),
        heartbeat=_words(("ok", "busy", "stale", "unknown")),
        heartbeat_age=_or_null({"type": "number"}),
        readiness=_words(Readiness),
        readiness_why=_TEXT,
        waiting=_or_null(_TEXT),
        stuck=_or_null(_TEXT),
        until=_or_null(_TEXT),
        began=_or_null(_TEXT),
    )
    run = _object(
        started_at=_TIME, duration_s=_SECONDS, trigger=_TEXT, outcome=_words(_OUTCOMES), exit_code=_COUNT, passes=_COUNT
    )
    return _document(
        "FleetStatus",
        updated_at=_TIME,
        revision=_object(attempted=_or_null(_TEXT), applied=_or_null(_TEXT)),
        conditions=_list(_CONDITION),
        pending=_COUNT,
        drift=_COUNT,
        held=_list(_HELD),
        failed=_list(_object(verb=_words(Verb), target=_TEXT, agent=_or_null(_TEXT), error=_TEXT, since=_TIME)),
        refused=_TEXTS,
        unknown=_list(_UNKNOWN),
        orphans=_TEXTS,
        pause=_or_null(_object(reason=_TEXT, by=_TEXT, since=_or_null(_TIME))),
        suspended=_list(_object(agent=_TEXT, reason=_TEXT, by=_TEXT, until=_or_null(_TIME))),
        last_run=_or_null(run),
        last_success=_or_null(_TIME),
        attention=_list(CASE),
        agents=_list(agent),
    )


_DONE = {"verb": _words(Verb), "target": _TEXT, "reason": _words(Reason), "duration_s": _SECONDS}
_HELD_WORDS = {"verb": _words(Verb), "target": _TEXT, "reason": _words(HeldReason)}
_CONVERSATION = {"session": _or_null(_TEXT), "reason": _or_null(_TEXT), "interrupted": _BOOL, "life": _TEXT}
EVENT_FIELDS: Mapping[EventType, Mapping[str, Schema]] = {
    EventType.REVISION_ACCEPTED: {"previous": _or_null(_TEXT)},
    EventType.REVISION_REJECTED: {"rejected": _or_null(_TEXT), "reason": _words(ConditionReason)},
    EventType.ACTION_DONE: _DONE,
    EventType.ACTION_FAILED: {**_DONE, "error": _TEXT},
    EventType.AGENT_CRASHED: {"log": _or_null(_TEXT)},
    EventType.QUARANTINED: {"restarts": _COUNT, "until": _or_null(_TIME)},
    EventType.RELEASED: {"by": _TEXT},
    EventType.RESET: {"by": _TEXT, "how": _words(("runtime", "new", "clear", "restart")), "forced": _BOOL},
    EventType.HELD: {**_HELD_WORDS, "until": _or_null(_TIME)},
    EventType.UNHELD: _HELD_WORDS,
    EventType.PAUSED: {"by": _or_null(_TEXT)},
    EventType.SUSPENDED: {"by": _TEXT, "until": _or_null(_TIME)},
    EventType.OBSERVATION_LOST: {"kind": _words(Kind)},
    EventType.OBSERVATION_RESTORED: {"kind": _words(Kind)},
    EventType.ORPHAN_FOUND: {"name": _TEXT},
    EventType.CONDITION_CHANGED: {
        "condition": _words(ConditionType),
        "status": _words(ConditionStatus),
        "reason": _words(ConditionReason),
        "since": _TIME,
    },
    EventType.MESSAGE: {
        "result": _words(DELIVERIES),
        "evidence": _or_null(_words(EVIDENCE)),
        "queued": _BOOL,
        "sender": _TEXT,
        "bytes": _COUNT,
        "id": _or_null(_TEXT),
    },
    EventType.ANSWERED: {
        "by": _TEXT,
        "rule": _or_null(_TEXT),
        "case": _TEXT,
        "kind": _words(sorted(DIALOGS)),
        "how": _words(HOWS),
        "pressed": _TEXT,
        "result": _words(("answered", "unconfirmed")),
    },
    EventType.CONVERSATION_RESUMED: _CONVERSATION,
    EventType.CONVERSATION_FRESH: _CONVERSATION,
    EventType.INSTALLED: {"by": _TEXT, "mode": _words(("timer", "watch"))},
    EventType.KEPT: {"path": _TEXT, "kept": _TEXT},
    **ATTENTION_EVENTS,
}

_BY_FORCE: Mapping[str, Schema] = {"forced": _BOOL, "by": _TEXT}
EVENT_ADDED: Mapping[EventType, Mapping[str, Schema]] = {  # fields that only some events of the type have
    EventType.ACTION_DONE: _BY_FORCE,
    EventType.ACTION_FAILED: _BY_FORCE,
    EventType.RELEASED: {"forced": _BOOL},
}


def _event() -> Schema:
    every = _object(
        ts=_TIME,
        type=_words(EventType),
        source=_words(get_args(EventSource)),
        fleet=_TEXT,
        tenant_id=_TEXT,
        host=_TEXT,
        agent=_or_null(_TEXT),
        revision=_or_null(_TEXT),
        message=_TEXT,
    )
    rules: list[Json] = [
        {
            "if": {"properties": {"type": {"const": str(kind)}}},
            "then": {"properties": {**fields, **EVENT_ADDED.get(kind, {})}, "required": list(fields)},
        }
        for kind, fields in EVENT_FIELDS.items()
    ]
    return {"$schema": _DIALECT, "title": "Mosaic Fleet: one line of events.ndjson", **every, "allOf": rules}


def _doctor() -> Schema:
    check = _object(
        name=_TEXT, group=_words(doctor.GROUPS), result=_words(doctor.RESULTS), found=_TEXT, mend=_TEXTS, advice=_TEXT
    )
    summary = _object(**dict.fromkeys(doctor.RESULTS, _COUNT))
    return _document("DoctorReport", observed_at=_TIME, summary=summary, checks=_list(check))


def _contract() -> Schema:
    proof = _object(name=_words(PROOFS), outcome=_words(OUTCOMES), evidence=_TEXT, seconds=_SECONDS)
    runtime = _object(
        runtime=_TEXT,
        installed=_BOOL,
        path=_or_null(_TEXT),
        version=_or_null(_TEXT),
        passed=_BOOL,
        seconds=_SECONDS,
        proofs=_list(proof),
    )
    return _document("ContractReport", observed_at=_TIME, passed=_BOOL, runtimes=_list(runtime))


_SCHEMAS = {
    "plan": _plan,
    "report": _report,
    "status": _status,
    "event": _event,
    "doctor": _doctor,
    "contract": _contract,
}


def schema_of(which: str) -> Schema:
    """The schema of a document, by the words of `mosaic fleet schema`. Raises KeyError for another name."""
    from reconciler.schemas.changes import CHANGING
    from reconciler.schemas.inspection import SEEING
    from reconciler.schemas.north_star import NORTH_STAR
    from reconciler.schemas.persona import PERSONA
    from reconciler.schemas.talking import TALKING

    return {**_SCHEMAS, **SEEING, **CHANGING, **NORTH_STAR, **PERSONA, **TALKING, **ATTENTION}[which]()
