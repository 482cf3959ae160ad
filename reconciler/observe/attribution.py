"""Attribution: decide which process a heartbeat or a turn record is about, and whether it still counts. Pure.

Anybody may have left either file behind. A record counts for the process that wrote it, never for a folder or a name:
one from an earlier life, of another process, or from the future says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from providers.base import Kind, ResourceKey
from providers.evidence import HeartbeatRecords
from providers.programs.base import ANSWERED
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.model import Observation
from reconciler.observe.clock_steps import stamp
from reconciler.observe.readiness import is_stale
from specs.compiled import Heartbeats
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from providers.evidence import SessionEvidence
    from providers.host import HeartbeatFile

CLOCK_SLACK_S = 2.0  # /proc gives a start to 10 ms, a heartbeat to 1 s
NO_HEARTBEAT = "no heartbeat file"


@dataclass(frozen=True, slots=True)
class AttributedHeartbeat:
    """A heartbeat or a turn record, judged. `age` is None if there is no usable time; `note` says why it is not
    believed. `own`: a process in the pane wrote it, and not a responder that answers for it."""

    state: Literal["ok", "busy", "stale", "unknown"]
    age: float | None
    ts: float
    note: str
    own: bool = False
    status: Literal["ok", "busy"] = "ok"  # what it says, even if stale
    stale_after: float = 0.0
    waiting: str = ""
    stuck: str = ""
    source: str = ""
    event: str = ""
    session: str = ""
    answered: float = 0.0  # when a model last answered, as far as this record tells; Unix seconds


@dataclass(frozen=True, slots=True)
class WrittenRecord:
    """A record, the time it was written and its age, and the session that it may be about."""

    record: HeartbeatFile
    ts: float
    age: float
    session: SessionEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributedRecord:
    """What is known about an agent's heartbeat. `hidden`: why it could not be looked at. `said`: what it says.
    `future_s`: how far in the future its time may lie; `stale_after`: how old it may be (seconds)."""

    hidden: str
    found: bool  # there is a heartbeat
    said: AttributedHeartbeat
    future_s: float
    stale_after: float

    @property
    def age(self) -> float:
        return self.said.age or 0.0


NOTHING = AttributedHeartbeat("unknown", None, 0.0, "no turn record")


def judge_heartbeat(
    observation: Observation, name: str, session: SessionEvidence, heartbeats: Heartbeats
) -> AttributedHeartbeat:
    """Judge the heartbeat of an agent. It is stale when it is older than git and its writer's own interval allow."""
    key = ResourceKey(Kind.HEARTBEAT, name)
    records = HeartbeatRecords.of(observation.present.get(key))
    heartbeat = (records or HeartbeatRecords()).heartbeat
    known = AttributedRecord(
        hidden=observation.hidden(key),
        found=records is not None,
        said=credited(heartbeat, observation, session),
        future_s=heartbeats.stale_after,
        stale_after=max(heartbeats.stale_after, 3.0 * interval_of(heartbeat)),
    )
    return first_match(HEARTBEATS, known).then(known)


def judge_turn(observation: Observation, name: str, session: SessionEvidence) -> AttributedHeartbeat:
    """The newest report of the program's hooks. Hooks write when something happens, so the report does not age while
    its process lives."""
    records = HeartbeatRecords.of(observation.present.get(ResourceKey(Kind.HEARTBEAT, name)))
    turn = records.turn if records is not None else None
    said = credited(turn, observation, session) if turn is not None else None
    return first_match(TURNS, said).then(said or NOTHING)


def credited(record: HeartbeatFile, observation: Observation, session: SessionEvidence) -> AttributedHeartbeat:
    """What a record says, with a `note` if it is not about the process in the pane."""
    ts = stamp(record.ts, observation)
    written = WrittenRecord(record, ts, observation.taken_at - ts, session)
    return first_match(ATTRIBUTION, written).then(written)


def answered_at(record: HeartbeatFile, ts: float) -> float:
    """When a model last answered, as far as a record that was written at `ts` tells; 0 if it does not."""
    if record.source == "hook":
        return ts if record.event in ANSWERED and not record.stuck else 0.0
    return record.answered + ts - record.ts if record.answered else 0.0


def interval_of(record: HeartbeatFile) -> float:
    """The interval that the writer itself keeps: git's present value applies from the writer's next start. At most an
    hour, or one word in a file could put off the judgement forever."""
    try:
        value = float(record.interval)
    except ValueError:
        return 0.0
    return value if 0.0 < value <= 3600.0 else 0.0


def _unreadable(one: WrittenRecord) -> AttributedHeartbeat:
    return AttributedHeartbeat("unknown", None, 0.0, one.record.error or "")


def _not_credited(note: str) -> Callable[[WrittenRecord], AttributedHeartbeat]:
    return lambda one: AttributedHeartbeat("unknown", one.age, one.ts, note.format(pid=one.record.pid))


def _credited(one: WrittenRecord) -> AttributedHeartbeat:
    record = one.record
    status: Literal["ok", "busy"] = "busy" if record.status == "busy" else "ok"
    return AttributedHeartbeat(
        status, one.age, one.ts, "", own=record.own, status=status, source=record.source, waiting=record.waiting,
        stuck=record.stuck, event=record.event, session=record.session, answered=answered_at(record, one.ts),
    )  # fmt: skip


# Whether a record is about the process in the pane.
ATTRIBUTION: tuple[DecisionRow[WrittenRecord, Callable[[WrittenRecord], AttributedHeartbeat]], ...] = (
    DecisionRow("unreadable", lambda one: one.record.error, _unreadable,
        "a file that could not be read proves nothing"),
    DecisionRow("no process", lambda one: not one.session.alive,
        _not_credited("no process to credit it to"),
        "no process is alive that could have written it"),
    DecisionRow("an earlier life", lambda one: one.session.started and one.ts < one.session.started - CLOCK_SLACK_S,
        _not_credited("from before this process started"),
        "an earlier process left it behind"),
    DecisionRow("another process", lambda one: one.session.pids and one.record.pid not in one.session.pids,
        _not_credited("written by pid {pid}, which is not in the pane"),
        "a report counts only for the process that wrote it"),
    DecisionRow("its own", otherwise, _credited,
        "a process in the pane wrote it, or something that reports for one"),
)  # fmt: skip


def _hidden(known: AttributedRecord) -> AttributedHeartbeat:
    return AttributedHeartbeat("unknown", None, 0.0, known.hidden)


def _missing(known: AttributedRecord) -> AttributedHeartbeat:
    del known
    return AttributedHeartbeat("unknown", None, 0.0, NO_HEARTBEAT)


def _as_credited(known: AttributedRecord) -> AttributedHeartbeat:
    return known.said


def _in_the_future(known: AttributedRecord) -> AttributedHeartbeat:
    return AttributedHeartbeat("unknown", known.age, known.said.ts, "its time lies in the future")


def _stale(known: AttributedRecord) -> AttributedHeartbeat:
    note = f"last heartbeat {known.age:.0f} s ago"
    return replace(known.said, state="stale", note=note, stale_after=known.stale_after)


def _fresh(known: AttributedRecord) -> AttributedHeartbeat:
    return replace(known.said, age=max(0.0, known.age), stale_after=known.stale_after)


# The judgement on a heartbeat.
HEARTBEATS: tuple[DecisionRow[AttributedRecord, Callable[[AttributedRecord], AttributedHeartbeat]], ...] = (
    DecisionRow("unseen", lambda known: known.hidden, _hidden,
        "it could not be inspected"),
    DecisionRow("none", lambda known: not known.found, _missing,
        "nothing reports for the agent"),
    DecisionRow("not about this process", lambda known: known.said.note, _as_credited,
        "it says nothing about what is in the pane now"),
    DecisionRow("from the future", lambda known: known.age < -known.future_s, _in_the_future,
        "a clock was wrong, so its age proves nothing"),
    DecisionRow("too old", lambda known: is_stale(known.age, known.stale_after), _stale,
        "its writer has been silent for longer than git and its own interval allow"),
    DecisionRow("in time", otherwise, _fresh,
        "its writer keeps to its interval"),
)  # fmt: skip


def _nothing(said: AttributedHeartbeat) -> AttributedHeartbeat:
    return said


def _turn(said: AttributedHeartbeat) -> AttributedHeartbeat:
    return replace(said, age=max(0.0, said.age or 0.0), own=True)


# The judgement on a turn record; None if there is none.
TURNS: tuple[DecisionRow[AttributedHeartbeat | None, Callable[[AttributedHeartbeat], AttributedHeartbeat]], ...] = (
    DecisionRow("none", lambda said: said is None, _nothing,
        "its program's hooks have reported nothing"),
    DecisionRow("not about this process", lambda said: said is not None and said.note, _nothing,
        "it says nothing about what is in the pane now"),
    DecisionRow("its newest word", otherwise, _turn,
        "it is written when something happens, so it does not grow stale"),
)  # fmt: skip
