"""Rows as a document and back: the output of `mosaic fleet ps -o json` (kind AgentList), and the answers of other
hosts. Pure.

Times are RFC 3339 with whole seconds, "never" is null; `_s` are seconds. The JSON Schema is
docs/schemas/agents.schema.json.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import isfinite

from providers.base import Json, Parsed
from providers.evidence import RawEvidence
from reconciler.errors import unknown_agent
from reconciler.helpers.sealed_json import Damaged
from reconciler.helpers.times import parse_rfc3339, rfc3339, rfc3339_or_none
from reconciler.listing.row import Row, RowCase, Sync
from reconciler.model import Readiness
from reconciler.status.document import API_VERSION
from reconciler.status.values import Pause
from specs.dataclass import dataclass, replace

KIND = "AgentList"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a list is about. `compared` is the commit that the host was compared with, `in_force` the one that the last
    run applied, `newest` the one that the repository offers; "" is none. `rejected`: why the newest one is not taken.
    `problems` are of the fleet as a whole."""

    fleet: str
    tenant_id: str
    host: str
    observed_at: float
    compared: str
    in_force: str = ""
    newest: str = ""
    rejected: str = ""
    pause: Pause | None = None
    problems: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether a check says so; a fleet that is paused on purpose is not wrong for what it does not do."""
        fleet = bool(self.problems) and self.pause is None
        return fleet or bool(self.rejected) or any(row.wrong for row in self.rows)

    def rows_of(self, name: str) -> tuple[Row, ...]:
        """The rows of an agent, or of whatever goes by its name. Raises NotFound with near misses."""
        named = [row for row in self.rows if row.kind != "host"]
        found = tuple(row for row in named if row.name == name)
        if not found:
            raise unknown_agent(name, {row.name for row in named})
        return found

    def only(self, names: Sequence[str], homes: Mapping[str, str]) -> Listing:
        """With these agents alone; the same for no names. `homes`: the host of each agent that is elsewhere; one whose
        host does not answer has that host's row. Raises NotFound with near misses."""
        if not names:
            return self
        silent = {row.host for row in self.rows if row.kind == "host"}
        chosen = [row for name in names if homes.get(name) not in silent for row in self.rows_of(name)]
        hosts = {homes[name] for name in names if homes.get(name) in silent}
        rows = tuple(row for row in self.rows if row in chosen or (row.kind == "host" and row.host in hosts))
        return replace(self, rows=rows)


def listing_document(listing: Listing) -> dict[str, Json]:
    """The document, `agents` last."""
    pause = listing.pause
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "fleet": listing.fleet,
        "tenant_id": listing.tenant_id,
        "host": listing.host,
        "observed_at": rfc3339(listing.observed_at),
        "revision": revision_document(listing),
        "pause": None
        if pause is None
        else {"reason": pause.reason, "by": pause.by, "since": rfc3339_or_none(pause.since)},
        "wrong": listing.wrong,
        "problems": list(listing.problems),
        "agents": [row_document(row) for row in listing.rows],
    }


def revision_document(listing: Listing) -> dict[str, Json]:
    """Which commit the host was compared with, and how that relates to the others."""
    return {
        "compared": listing.compared or None,
        "in_force": listing.in_force or None,
        "newest": listing.newest or None,
        "rejected": listing.rejected or None,
    }


def row_document(row: Row) -> dict[str, Json]:
    """One row, with every raw observation behind it."""
    due = {"verb": row.next_verb, "reason": row.next_reason, "at": rfc3339_or_none(row.next_at)}
    return {
        "kind": row.kind,
        "name": row.name,
        "tenant_id": row.tenant_id,
        "host": row.host,
        "class": row.agent_class,
        "runtime": row.runtime,
        "desired": row.desired,
        "state": row.state,
        "readiness": str(row.readiness),
        "readiness_why": row.readiness_why,
        "waiting": row.waiting or None,
        "question": row.question or None,
        "stuck": row.stuck or None,
        "until": row.until or None,
        "until_at": rfc3339_or_none(row.until_at),
        "screen": "not-understood" if row.blank else None,
        "attention": [{"case": one.case, "kind": one.kind, "since": rfc3339(one.since)} for one in row.attention],
        "sync": str(row.sync),
        "wrong": row.wrong,
        "why": row.why,
        "problems": list(row.problems),
        "notes": list(row.notes),
        "unit": row.unit,
        "enabled": row.enabled,
        "session": row.session,
        "socket": row.socket,
        "pid": row.pid or None,
        "program": row.program,
        "started": rfc3339_or_none(row.started),
        "up_s": _rounded(row.up),
        "idle_s": _rounded(row.idle),
        "heartbeat": {
            "state": row.heartbeat,
            "age_s": _rounded(row.heartbeat_age),
            "source": row.heartbeat_source or None,
        },
        "mission": {"state": row.mission, "since": rfc3339_or_none(row.mission_since)} if row.mission else None,
        "conversation": {"id": row.conversation or None, "began": row.began, "why": row.began_why or None}
        if row.began
        else None,
        "restarts": row.restarts,
        "cpu_s": None if row.cpu_s is None else round(row.cpu_s, 3),
        "memory_bytes": row.memory,
        "health": row.health,
        "available": row.available,
        "may_stop": row.may_stop,
        "may_stop_why": row.may_stop_why,
        "next": due if row.next_verb else None,
        "observed_at": rfc3339(row.observed_at),
        "evidence": [evidence_document(one, row.observed_at) for one in row.evidence],
    }


def evidence_document(one: RawEvidence, now: float) -> dict[str, Json]:
    """One observation with its source and age."""
    return {
        "source": one.source,
        "what": one.what,
        "value": one.value,
        "at": rfc3339_or_none(one.at),
        "age_s": None if one.at is None else _rounded(max(0.0, now - one.at)),
    }


def steady(document: Mapping[str, Parsed]) -> Json:
    """What of a document tells that something happened: without ages, counters that always run, and the time."""
    rows = [{key: value for key, value in row.items() if key not in _RUNNING} for row in document["agents"]]
    for row in rows:
        row["heartbeat"] = {key: row["heartbeat"][key] for key in ("state", "source")}
        row["problems"] = _ageless(row["problems"])
    rest = {key: value for key, value in document.items() if key != "observed_at"}
    return {**rest, "problems": _ageless(document["problems"]), "agents": rows}


def _ageless(sentences: Sequence[str]) -> list[str]:
    """A stale heartbeat gets older with each look, and that is all that happens."""
    return [_AGE.sub("some time ago", sentence) for sentence in sentences]


_AGE = re.compile(r"\b\d+ s ago\b")
_RUNNING = frozenset(
    {"up_s", "idle_s", "cpu_s", "memory_bytes", "observed_at", "evidence", "readiness_why", "may_stop_why", "why"}
)


def listing_back(document: Parsed) -> Listing:
    """What another host answers, as far as somebody here asks for it. Raises Damaged."""
    rows = rows_back(document)
    try:
        return Listing(
            fleet=str(document["fleet"]),
            tenant_id=str(document["tenant_id"]),
            host=str(document["host"]),
            observed_at=_time(document["observed_at"]),
            compared=str(document["revision"]["compared"] or ""),
            rejected=str(document["revision"]["rejected"] or ""),
            rows=rows,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"it is not a list of agents: {type(error).__name__}") from error


def rows_back(document: Parsed) -> tuple[Row, ...]:
    """The rows of another host's answer. Raises Damaged for anything that is not a list of agents."""
    try:
        if document["kind"] != KIND:
            raise Damaged("it is another kind of document")
        return tuple(_row_back(one) for one in document["agents"])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise Damaged(f"it is not a list of agents: {type(error).__name__}") from error


def problems_back(document: Parsed) -> tuple[str, ...]:
    """What another host says is wrong with it as a whole; while it is paused on purpose, only that it does not take the
    newest commit. Raises Damaged."""
    try:
        rejected = document["revision"]["rejected"]
        own = () if document["pause"] is not None else _texts(document["problems"])
    except (KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"it is not a list of agents: {type(error).__name__}") from error
    return (*own, *((f"the newest commit is not taken: {rejected}",) if rejected else ()))


def _case_back(one: Mapping[str, Parsed]) -> RowCase:
    return RowCase(str(one["case"]), str(one["kind"]), parse_rfc3339(one["since"]))


def _row_back(one: Mapping[str, Parsed]) -> Row:
    due = one["next"] or {"verb": "", "reason": "", "at": None}
    if one["kind"] not in ("agent", "removed", "orphan", "unmanaged", "host"):
        raise ValueError("not a kind of row")
    return Row(
        kind=one["kind"],
        name=str(one["name"]),
        tenant_id=str(one["tenant_id"]),
        host=str(one["host"]),
        agent_class=str(one["class"]),
        runtime=str(one["runtime"]),
        desired=str(one["desired"]),
        readiness=Readiness(one["readiness"]),
        readiness_why=str(one["readiness_why"]),
        attention=tuple(_case_back(case) for case in one.get("attention") or ()),
        waiting=str(one.get("waiting") or ""),  # an older version does not say these
        question=str(one.get("question") or ""),
        stuck=str(one.get("stuck") or ""),
        until=str(one.get("until") or ""),
        until_at=_time(one.get("until_at")),
        blank=one.get("screen") == "not-understood",
        may_stop=bool(one.get("may_stop", False)),
        may_stop_why=str(one.get("may_stop_why", "its host does not say")),
        sync=Sync(one["sync"]),
        wrong=bool(one["wrong"]),
        problems=_texts(one["problems"]),
        notes=_texts(one["notes"]),
        unit=str(one["unit"]),
        enabled=_yes_no(one["enabled"]),
        session=str(one["session"]),
        socket=str(one["socket"]),
        pid=int(one["pid"] or 0),
        program=str(one["program"]),
        started=_time(one["started"]),
        idle=_seconds(one["idle_s"]),
        heartbeat=str(one["heartbeat"]["state"]),
        heartbeat_age=_seconds(one["heartbeat"]["age_s"]),
        heartbeat_source=str(one["heartbeat"]["source"] or ""),
        mission=str((one.get("mission") or {}).get("state", "")),
        mission_since=_time((one.get("mission") or {}).get("since")),
        began=str((one.get("conversation") or {}).get("began", "")),
        began_why=str((one.get("conversation") or {}).get("why") or ""),
        conversation=str((one.get("conversation") or {}).get("id") or ""),
        restarts=int(one["restarts"]),
        cpu_s=_seconds(one["cpu_s"]),
        memory=None if one["memory_bytes"] is None else int(one["memory_bytes"]),
        health=str(one["health"]),
        available=_yes_no(one["available"]),
        next_verb=str(due["verb"]),
        next_reason=str(due["reason"]),
        next_at=_time(due["at"]),
        observed_at=_time(one["observed_at"]),
        evidence=tuple(
            RawEvidence(str(it["source"]), str(it["what"]), _plain(it["value"]), _time(it["at"]) or None)
            for it in one["evidence"]
        ),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _texts(values: Sequence[Parsed]) -> tuple[str, ...]:
    return tuple(str(value) for value in values)


def _time(text: Parsed) -> float:
    return parse_rfc3339(text) if text else 0.0


def _seconds(value: Parsed) -> float | None:
    return None if value is None else float(_plain(value))


def _yes_no(value: Parsed) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise TypeError("neither yes nor no")
    return value


def _plain(value: Parsed) -> Parsed:
    """A single value, that could be written again."""
    if isinstance(value, dict | list) or (isinstance(value, float) and not isfinite(value)):
        raise TypeError("not a single value")
    return value
