"""Events: each change once, valid by the schema, bounded, and readable after a crash."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.base import HeldReason, Kind, Reason, Verb
from reconciler.model import AgentHistory, History
from reconciler.schemas.registry import EVENT_FIELDS, schema_of
from reconciler.state.event_log import EventLog, read_events
from reconciler.state.store import ReadOnlyStore, Store
from reconciler.status.conditions import ConditionReason
from reconciler.status.events import Event, EventType, run_events
from reconciler.status.status import FleetStatus
from reconciler.status.values import Pause
from specs.compiled import Suspension
from tests import builders as make

NOW = make.NOW


def kinds(events: tuple[Event, ...]) -> list[str]:
    return [str(event.type) for event in events if event.type is not EventType.CONDITION_CHANGED]


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    store = Store(tmp_path / "state", tmp_path / "run")
    return EventLog(store=store, source="reconcile", fleet="demo", tenant_id="ada", host="build-1")


QUIET = make.status()
TROUBLE = make.status(
    plan=make.plan(
        held=(make.held(), make.held(HeldReason.CRASH_LOOP, "coder0")),
        unknown={Kind.LINGER: "hidden"},
        orphans=("unit mosaic-agent@old.service",),
        refused=("4 agents would be removed",),
    ),
    outcomes=(
        make.outcome(make.action(Verb.RESTART, reason=Reason.UNHEALTHY), captured="Traceback"),
        make.outcome(make.action(agent="coder1"), "failed", error="timeout"),
    ),
    history=History(agents={"coder0": AgentHistory(quarantined_since=NOW, restarts=5)}),
    source=make.source(ConditionReason.INVALID_CONFIGURATION, attempted="b" * 40, message="bad"),
    suspended={"coder0": Suspension(reason="pairing", by="ada", until=None)},
    pause=Pause(reason="storm", by="ada", since=NOW),
    now=NOW + 60,
)
TROUBLE_OUTCOMES = (
    make.outcome(make.action(Verb.RESTART, reason=Reason.UNHEALTHY), captured="Traceback"),
    make.outcome(make.action(agent="coder1"), "failed", error="timeout"),
)


def test_every_change_is_told() -> None:
    assert kinds(run_events(QUIET, TROUBLE, TROUBLE_OUTCOMES)) == [
        "revision-rejected",
        "paused",
        "suspended",
        "agent-crashed",
        "action-done",
        "action-failed",
        "quarantined",
        "held",
        "held",
        "guard-refused",
        "observation-lost",
        "orphan-found",
    ]


@pytest.mark.parametrize("status", [QUIET, TROUBLE])
def test_what_lasts_is_no_event(status: FleetStatus) -> None:
    assert run_events(status, status, ()) == ()


def test_a_failure_that_goes_on_is_told_once() -> None:
    failed = (make.outcome(result="failed", error="boom"),)
    first = make.status(outcomes=failed)
    assert kinds(run_events(QUIET, first, failed)) == ["action-failed"]
    second = make.status(first, outcomes=failed, now=NOW + 60)
    assert kinds(run_events(first, second, failed)) == []


def test_the_end_of_trouble_is_told_too() -> None:
    assert kinds(run_events(TROUBLE, QUIET, ())) == [
        "resumed",
        "unsuspended",
        "quarantine-ended",
        "unheld",
        "unheld",
        "observation-restored",
    ]


def test_the_source_comes_and_goes() -> None:
    gone = make.status(source=make.source(ConditionReason.SOURCE_UNREACHABLE, message="timeout"))
    assert kinds(run_events(QUIET, gone, ())) == ["source-unreachable"]
    assert kinds(run_events(gone, gone, ())) == []
    assert kinds(run_events(gone, QUIET, ())) == ["source-reachable"]
    newer = make.status(source=make.source(applied="c" * 40))
    assert kinds(run_events(QUIET, newer, ())) == ["revision-accepted"]


def test_a_condition_is_told_when_its_status_changes() -> None:
    told = [event.fields["condition"] for event in run_events(None, QUIET, ()) if "condition" in event.fields]
    assert told == [
        "SourceReady",
        "Observed",
        "Ready",
        "FrameworkCurrent",
        "FloorHealthy",
        "Reconciling",
        "Stalled",
        "Paused",
    ]
    busy = make.status(plan=make.plan(held=(make.held(),)))
    changed = [e for e in run_events(QUIET, busy, ()) if e.type is EventType.CONDITION_CHANGED]
    assert [(e.fields["condition"], e.fields["status"]) for e in changed] == [("Ready", "False")]


def test_events_fit_the_schema(log: EventLog) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of("event"))
    validator = jsonschema.Draft202012Validator(schema_of("event"))
    both = run_events(QUIET, TROUBLE, TROUBLE_OUTCOMES), run_events(TROUBLE, QUIET, ()), run_events(None, QUIET, ())
    everything = [event for events in both for event in events]
    for event in everything:
        validator.validate(log.record(event, now=NOW, revision=make.SHA))
    for kind in EVENT_FIELDS:
        bare = Event(type=kind, message="")
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(log.record(bare, now=NOW, revision=make.SHA))


def test_a_line_is_whole_and_private(log: EventLog) -> None:
    log.write([Event(type=EventType.RESUMED, message="a\nb\x1b[31m token=abcdef123456")], now=NOW, revision=make.SHA)
    line = log.path.read_text()
    assert line.count("\n") == 1
    record = json.loads(line)
    assert record["message"] == "a b token=[hidden]"
    assert (record["ts"], record["tenant_id"], record["host"]) == ("2025-11-20T03:16:00Z", "ada", "build-1")
    assert log.path.stat().st_mode & 0o777 == 0o600


def test_a_commit_id_is_no_secret(log: EventLog) -> None:
    event = Event(type=EventType.REVISION_REJECTED, message="no", fields={"rejected": make.SHA, "reason": "NoRevision"})
    assert log.record(event, now=NOW, revision=make.SHA)["rejected"] == make.SHA


def test_nothing_to_say_writes_nothing(log: EventLog) -> None:
    log.write([], now=NOW, revision="")
    assert not log.store.state.exists()


def test_a_torn_line_costs_only_itself(log: EventLog) -> None:
    log.write([Event(type=EventType.PAUSED, message="1", fields={"by": None})], now=NOW, revision="")
    with log.path.open("ab") as file:
        file.write(b'{"ts": "2025-11-20T03')
    log.write([Event(type=EventType.RESUMED, message="2")], now=NOW, revision="")
    assert [one["message"] for one in read_events(log.store)] == ["1", "2"]


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.binary(max_size=30), max_size=6))
def test_no_log_crashes_the_reader(lines: list[bytes]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), Path(folder))
        (Path(folder) / "events.ndjson").write_bytes(b"\n".join(lines))
        read_events(store)


def test_the_log_is_bounded(tmp_path: Path) -> None:
    store = Store(tmp_path / "state", tmp_path / "run")
    log = EventLog(store=store, source="watch", fleet="demo", tenant_id="ada", host="h", max_bytes=2000)
    for number in range(100):
        log.write([Event(type=EventType.RESUMED, message=f"{number}")], now=NOW, revision="")
    sizes = {path.name: path.stat().st_size for path in store.state.iterdir()}
    assert sizes.keys() == {"events.ndjson", "events.1.ndjson"}
    assert all(size <= 2000 for size in sizes.values())
    assert [one["message"] for one in read_events(store, limit=3)] == ["97", "98", "99"]
    assert read_events(store, agent="nobody") == ()


def test_a_preview_tells_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "state", tmp_path / "run", read_only=True)
    log = EventLog(store=store, source="reconcile", fleet="demo", tenant_id="ada", host="h")
    with pytest.raises(ReadOnlyStore):
        log.write([Event(type=EventType.RESUMED, message="")], now=NOW, revision="")


def _write_many(folder: str, who: str) -> None:
    store = Store(Path(folder) / "state", Path(folder) / "run")
    log = EventLog(store=store, source="operator", fleet="demo", tenant_id="ada", host="h", max_bytes=6_000)
    for number in range(20):
        log.write([Event(type=EventType.RESUMED, message=f"{who}{number}")], now=NOW, revision="")


def test_several_writers_lose_nothing(tmp_path: Path) -> None:
    """Senders of messages write without the fleet's lock, and the log is rotated under them."""
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write_many, args=(str(tmp_path), who)) for who in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    store = Store(tmp_path / "state", tmp_path / "run")
    told = [str(one["message"]) for one in read_events(store)]
    assert (store.state / "events.1.ndjson").exists()
    for who in "abc":  # each in its own order, and only the oldest are gone
        assert [one for one in told if one[0] == who] == [f"{who}{number}" for number in range(20)]
