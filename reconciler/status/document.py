"""`FleetStatus` as a document and back: the contents of `status.json` and of `mosaic fleet status -o json`. Pure.

Times are RFC 3339 with whole seconds; "never" is null. The JSON Schema is docs/schemas/status.schema.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from providers.base import FieldChange, HeldReason, Json, Parsed, Verb
from reconciler.helpers.sealed_json import Damaged
from reconciler.helpers.times import parse_rfc3339, rfc3339, rfc3339_or_none
from reconciler.model import Held
from reconciler.status.conditions import Condition, ConditionReason, ConditionStatus, ConditionType
from reconciler.status.failures import FailedAction
from reconciler.status.status import AgentStatus, FleetStatus, LastRun
from reconciler.status.values import Pause
from specs.compiled import Suspension

if TYPE_CHECKING:
    from reconciler.attention.case import AttentionCase

API_VERSION = "mosaic.fleet/v1"


def status_text(status: FleetStatus) -> str:
    """One agent on a line: readable by people, quick to write for a thousand agents."""
    document = status_document(status)
    del document["agents"]
    top = json.dumps(document, ensure_ascii=False, indent=1)
    encode = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
    rows = ",\n  ".join([encode(_agent(agent)) for agent in status.agents])
    body = f"[\n  {rows}\n ]" if rows else "[]"
    return f'{top[:-2]},\n "agents": {body}\n}}\n'


def status_document(status: FleetStatus) -> dict[str, Json]:
    """The document, `agents` last."""
    return {
        "apiVersion": API_VERSION,
        "kind": "FleetStatus",
        "fleet": status.fleet,
        "tenant_id": status.tenant_id,
        "host": status.host,
        "updated_at": rfc3339(status.updated_at),
        "revision": {"attempted": status.attempted_revision or None, "applied": status.applied_revision or None},
        "conditions": [condition_document(one) for one in status.conditions],
        "pending": status.pending,
        "drift": status.drift,
        "held": [held_document(one) for one in status.held],
        "failed": [
            {
                "verb": one.verb,
                "target": one.target,
                "agent": one.agent,
                "error": one.error,
                "since": rfc3339(one.since),
            }
            for one in status.failed
        ],
        "refused": list(status.refused),
        "unknown": [hidden_document(what, why) for what, why in sorted(status.unknown.items())],
        "orphans": list(status.orphans),
        "pause": _pause(status.pause),
        "suspended": [
            {"agent": name, "reason": one.reason, "by": one.by, "until": rfc3339_or_none(one.until)}
            for name, one in sorted(status.suspended.items())
        ],
        "last_run": _last_run(status.last_run),
        "last_success": rfc3339_or_none(status.last_success),
        "attention": _attention(status.attention),
        "agents": [_agent(agent) for agent in status.agents],
    }


def _attention(cases: Sequence[AttentionCase]) -> list[Json]:
    if not cases:
        return []  # the usual case imports nothing
    from reconciler.attention.document import case_document

    return [case_document(one) for one in cases]


def condition_document(one: Condition) -> dict[str, Json]:
    """As in the report document."""
    return {
        "type": str(one.type),
        "status": str(one.status),
        "reason": str(one.reason),
        "message": one.message,
        "since": rfc3339(one.since),
    }


def held_document(one: Held) -> dict[str, Json]:
    """As in the plan document."""
    return {
        "agent": one.agent,
        "verb": str(one.verb),
        "target": one.target,
        "reason": str(one.reason),
        "message": one.message,
        "since": rfc3339(one.since),
        "until": rfc3339_or_none(one.until),
        "changes": [{"path": it.path, "live": it.live, "desired": it.desired} for it in one.changes],
        **({"losses": list(one.losses)} if one.losses else {}),
    }


def hidden_document(what: str, why: str) -> dict[str, Json]:
    """What could not be seen: a kind of thing, or one by its name (`kind/name`)."""
    kind, _, name = what.partition("/")
    return {"kind": kind, "name": name or None, "error": why}


def _hidden_back(one: Mapping[str, Parsed]) -> str:
    name = one.get("name")  # versions before knew only whole kinds
    return f"{_text(one['kind'])}/{_text(name)}" if name else _text(one["kind"])


def _pause(pause: Pause | None) -> dict[str, Json] | None:
    if pause is None:
        return None
    return {"reason": pause.reason, "by": pause.by, "since": rfc3339_or_none(pause.since)}


def _last_run(run: LastRun | None) -> dict[str, Json] | None:
    if run is None:
        return None
    return {
        "started_at": rfc3339(run.started_at),
        "duration_s": round(run.duration_s, 3),
        "trigger": run.trigger,
        "outcome": run.outcome,
        "exit_code": run.exit_code,
        "passes": run.passes,
    }


def _agent(agent: AgentStatus) -> dict[str, Json]:
    due = {"verb": agent.next_verb, "reason": agent.next_reason, "at": rfc3339_or_none(agent.next_at)}
    return {
        "name": agent.name,
        "class": agent.agent_class,
        "runtime": agent.runtime,
        "desired": agent.desired,
        "live": agent.live,
        "unit": agent.unit,
        "enabled": agent.enabled,
        "health": agent.health,
        "in_sync": agent.in_sync,
        "in_sync_since": rfc3339_or_none(agent.in_sync_since),
        "restarts": agent.restarts,
        "quarantined_since": rfc3339_or_none(agent.quarantined_since),
        "next": due if agent.next_verb else None,
        "held": agent.held or None,
        "why": agent.why,
        "pid": agent.pid or None,
        "started": rfc3339_or_none(agent.started),
        "last_activity": rfc3339_or_none(agent.last_activity),
        "heartbeat": agent.heartbeat,
        "heartbeat_age": None if agent.heartbeat_age is None else round(agent.heartbeat_age, 1),
        "readiness": agent.readiness,
        "readiness_why": agent.readiness_why,
        "waiting": agent.waiting or None,
        "stuck": agent.stuck or None,
        "until": agent.until or None,
        "began": agent.began or None,
    }


def status_from_bytes(raw: bytes) -> FleetStatus:
    """The inverse of `status_text`, as far as whole seconds go. Raises Damaged."""
    try:
        return _status(json.loads(raw))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise Damaged(f"it is not a status document: {type(error).__name__}") from error


def _status(document: Parsed) -> FleetStatus:
    if document["apiVersion"] != API_VERSION or document["kind"] != "FleetStatus":
        raise Damaged("it is another kind of document")
    pause, run = document["pause"], document["last_run"]
    return FleetStatus(
        fleet=_text(document["fleet"]),
        tenant_id=_text(document["tenant_id"]),
        host=_text(document["host"]),
        updated_at=_time(document["updated_at"]),
        attempted_revision=_text(document["revision"]["attempted"] or ""),
        applied_revision=_text(document["revision"]["applied"] or ""),
        conditions=tuple(
            Condition(
                type=ConditionType(one["type"]),
                status=ConditionStatus(one["status"]),
                reason=ConditionReason(one["reason"]),
                message=_text(one["message"]),
                since=_time(one["since"]),
            )
            for one in document["conditions"]
        ),
        agents=tuple(_agent_back(one) for one in document["agents"]),
        held=tuple(_held_back(one) for one in document["held"]),
        failed=tuple(FailedAction(**{**one, "since": _time(one["since"])}) for one in document["failed"]),
        refused=tuple(_text(one) for one in document["refused"]),
        unknown={_hidden_back(one): _text(one["error"]) for one in document["unknown"]},
        orphans=tuple(_text(one) for one in document["orphans"]),
        pause=Pause(reason=_text(pause["reason"]), by=_text(pause["by"]), since=_time(pause["since"]))
        if pause
        else None,
        suspended={
            _text(one["agent"]): Suspension(
                reason=_text(one["reason"]), by=_text(one["by"]), until=_time(one["until"]) if one["until"] else None
            )
            for one in document["suspended"]
        },
        pending=int(document["pending"]),
        last_run=LastRun(**{**run, "started_at": _time(run["started_at"])}) if run else None,
        last_success=_time(document["last_success"]),
        attention=_attention_back(document.get("attention") or ()),
    )


def _attention_back(found: Sequence[Parsed]) -> tuple[AttentionCase, ...]:
    """Raises Damaged."""
    if not found:
        return ()
    from reconciler.attention.document import case_from_document

    return tuple(case_from_document(one) for one in found)


def _agent_back(one: Mapping[str, Parsed]) -> AgentStatus:
    due = one["next"] or {"verb": "", "reason": "", "at": None}
    return AgentStatus(
        name=_text(one["name"]),
        agent_class=_text(one["class"]),
        runtime=_text(one["runtime"]),
        desired=_text(one["desired"]),
        live=_text(one["live"]),
        unit=_text(one["unit"]),
        enabled=one["enabled"],
        health=_text(one["health"]),
        in_sync=bool(one["in_sync"]),
        in_sync_since=_time(one["in_sync_since"]),
        restarts=int(one["restarts"]),
        quarantined_since=_time(one["quarantined_since"]),
        next_verb=_text(due["verb"]),
        next_reason=_text(due["reason"]),
        next_at=_time(due["at"]),
        held=_text(one["held"] or ""),
        why=_text(one["why"]),
        pid=int(one.get("pid") or 0),  # an older document does not have these
        started=_time(one.get("started")),
        last_activity=_time(one.get("last_activity")),
        heartbeat=_text(one.get("heartbeat", "unknown")),
        heartbeat_age=None if one.get("heartbeat_age") is None else float(one["heartbeat_age"]),
        readiness=_text(one.get("readiness", "unknown")),
        readiness_why=_text(one.get("readiness_why", "")),
        waiting=_text(one.get("waiting") or ""),
        stuck=_text(one.get("stuck") or ""),
        until=_text(one.get("until") or ""),
        began=_text(one.get("began") or ""),
    )


def _held_back(one: Mapping[str, Parsed]) -> Held:
    return Held(
        agent=one["agent"],
        target=_text(one["target"]),
        verb=Verb(one["verb"]),
        reason=HeldReason(one["reason"]),
        message=_text(one["message"]),
        since=_time(one["since"]),
        until=_time(one["until"]) if one["until"] else None,
        changes=tuple(FieldChange(path=it["path"], live=it["live"], desired=it["desired"]) for it in one["changes"]),
        losses=tuple(_text(it) for it in one.get("losses", [])),
    )


def _time(text: Parsed) -> float:
    return parse_rfc3339(text) if text else 0.0


def _text(value: Parsed) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
