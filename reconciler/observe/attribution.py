"""Credit: which process a heartbeat or a turn record is about, and whether it still says something. Pure.

Both are files that anybody may have left behind. They count for the process that wrote them, never for a folder or a
name: one from an earlier life, of another process, or from the future says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from providers.base import Kind, ResourceKey
from providers.evidence import HeartbeatRecords
from reconciler.model import Observation
from reconciler.observe.clock_steps import stamp
from reconciler.observe.readiness import is_stale
from specs.compiled import Heartbeats

if TYPE_CHECKING:
    from providers.evidence import SessionEvidence
    from providers.host import HeartbeatFile

CLOCK_SLACK_S = 2.0  # /proc knows a start to 10 ms, a heartbeat to 1 s
NO_HEARTBEAT = "no heartbeat file"


@dataclass(frozen=True, slots=True)
class AttributedHeartbeat:
    """A heartbeat or a turn record, judged. `age` is None where there is none to speak of; `note` says why it is not
    believed. `own`: written by a process in the pane, and not by something that answers for it."""

    state: Literal["ok", "busy", "stale", "unknown"]
    age: float | None
    ts: float
    note: str
    own: bool = False
    status: Literal["ok", "busy"] = "ok"  # what it says, also of a stale one
    stale_after: float = 0.0
    waiting: str = ""
    stuck: str = ""
    source: str = ""
    event: str = ""


NOTHING = AttributedHeartbeat("unknown", None, 0.0, "no turn record")


def judge_heartbeat(
    observation: Observation, name: str, session: SessionEvidence, beats: Heartbeats
) -> AttributedHeartbeat:
    """The heartbeat of an agent. An old one is stale, by what git says and by what its writer keeps to."""
    key = ResourceKey(Kind.HEARTBEAT, name)
    if why := observation.hidden(key):
        return AttributedHeartbeat("unknown", None, 0.0, why)
    records = HeartbeatRecords.of(observation.present.get(key))
    if records is None:
        return AttributedHeartbeat("unknown", None, 0.0, NO_HEARTBEAT)
    judged = _credited(records.beat, observation, session)
    if judged.note or judged.age is None:
        return judged
    if judged.age < -beats.stale_after:
        return AttributedHeartbeat("unknown", judged.age, judged.ts, "its time lies in the future")
    stale_after = max(beats.stale_after, 3.0 * _interval(records.beat))
    stale = is_stale(judged.age, stale_after)
    return AttributedHeartbeat(
        "stale" if stale else judged.status,
        judged.age if stale else max(0.0, judged.age),
        judged.ts,
        f"last heartbeat {judged.age:.0f} s ago" if stale else "",
        own=judged.own,
        status=judged.status,
        stale_after=stale_after,
        waiting=judged.waiting,
        stuck=judged.stuck,
        source=judged.source,
        event=judged.event,
    )


def judge_turn(observation: Observation, name: str, session: SessionEvidence) -> AttributedHeartbeat:
    """The newest word of the program's hooks. It is written when something happens, so that it does not age while its
    process lives."""
    records = HeartbeatRecords.of(observation.present.get(ResourceKey(Kind.HEARTBEAT, name)))
    if records is None or records.turn is None:
        return NOTHING
    judged = _credited(records.turn, observation, session)
    return judged if judged.note else AttributedHeartbeat(
        judged.status, max(0.0, judged.age or 0.0), judged.ts, "", own=True, status=judged.status,
        waiting=judged.waiting, stuck=judged.stuck, source=judged.source, event=judged.event,
    )  # fmt: skip


def _credited(record: HeartbeatFile, observation: Observation, session: SessionEvidence) -> AttributedHeartbeat:
    """What a record says, with a `note` if it is not about the process in the pane."""
    if record.error:
        return AttributedHeartbeat("unknown", None, 0.0, record.error)
    ts = stamp(record.ts, observation)
    age = observation.taken_at - ts
    if not session.alive:
        return AttributedHeartbeat("unknown", age, ts, "no process to credit it to")
    if session.started and ts < session.started - CLOCK_SLACK_S:
        return AttributedHeartbeat("unknown", age, ts, "from before this process started")
    if session.pids and record.pid not in session.pids:
        return AttributedHeartbeat("unknown", age, ts, f"written by pid {record.pid}, which is not in the pane")
    words = record.words
    source = words.get("source", "native")
    status: Literal["ok", "busy"] = "busy" if record.status == "busy" else "ok"
    return AttributedHeartbeat(
        status, age, ts, "", own=source != "sidecar", status=status, source=source,
        waiting=words.get("waiting", ""), stuck=words.get("stuck", ""), event=words.get("event", ""),
    )  # fmt: skip


def _interval(record: HeartbeatFile) -> float:
    """The interval that the writer itself keeps to: what git says now holds from its next start on. At most an hour, or
    a word in a file could put off the judgement for ever."""
    try:
        value = float(record.words.get("interval", ""))
    except ValueError:
        return 0.0
    return value if 0.0 < value <= 3600.0 else 0.0
