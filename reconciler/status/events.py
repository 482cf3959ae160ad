"""Events: each change, reported once. Pure: `event_log.py` writes them down.

They come from comparing two statuses, so that a state that lasts is one event and not one for every look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Literal

from providers.base import HeldReason, Json, Reason, Verb
from providers.evidence import ReseedEvidence
from providers.kinds.reseed import OVERLAYS
from reconciler.helpers.times import rfc3339, rfc3339_or_none
from reconciler.model import Held, Outcome
from reconciler.status.conditions import ConditionReason, ConditionStatus, ConditionType
from reconciler.status.failures import final_outcomes
from reconciler.status.status import FleetStatus
from specs.dataclass import dataclass, field

EventSource = Literal[
    "reconcile", "watch", "operator", "agent"
]  # who says it: a run, a person, or an agent in its pane


class EventType(StrEnum):
    """The closed list; docs/schemas/event.schema.json has it too."""

    REVISION_ACCEPTED = "revision-accepted"
    REVISION_REJECTED = "revision-rejected"
    SOURCE_UNREACHABLE = "source-unreachable"
    SOURCE_REACHABLE = "source-reachable"
    ACTION_DONE = "action-done"
    ACTION_FAILED = "action-failed"
    AGENT_CRASHED = "agent-crashed"
    QUARANTINED = "quarantined"
    QUARANTINE_ENDED = "quarantine-ended"
    RELEASED = "released"
    RESET = "reset"
    HELD = "held"
    UNHELD = "unheld"
    GUARD_REFUSED = "guard-refused"
    PAUSED = "paused"
    RESUMED = "resumed"
    SUSPENDED = "suspended"
    UNSUSPENDED = "unsuspended"
    OBSERVATION_LOST = "observation-lost"
    OBSERVATION_RESTORED = "observation-restored"
    ORPHAN_FOUND = "orphan-found"
    CONDITION_CHANGED = "condition-changed"
    INSTALLED = "installed"
    KEPT = "kept"
    MESSAGE = "message"
    ANSWERED = "answered"
    CONVERSATION_RESUMED = "conversation-resumed"
    CONVERSATION_FRESH = "conversation-fresh"
    ATTENTION_RAISED = "attention-raised"
    ATTENTION_CLEARED = "attention-cleared"
    NOTIFIED = "notified"
    NOTIFY_FAILED = "notify-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`fields` are the words of the type, as the schema lists them."""

    type: EventType
    message: str
    agent: str | None = None
    fields: Mapping[str, Json] = field(default_factory=dict)


_REJECTED = frozenset(
    {
        ConditionReason.INVALID_CONFIGURATION,
        ConditionReason.VERIFICATION_FAILED,
        ConditionReason.NOT_A_DESCENDANT,
        ConditionReason.HISTORY_CUT,
        ConditionReason.NO_REVISION,
    }
)
_HEALS = frozenset({Reason.NOT_RUNNING, Reason.UNHEALTHY})


def run_events(previous: FleetStatus | None, current: FleetStatus, outcomes: Sequence[Outcome]) -> tuple[Event, ...]:
    """What a run changed, in the order in which a person would tell it."""
    return (
        *_source(previous, current),
        *_hands_off(previous, current),
        *_crashes(outcomes),
        *_actions(previous, outcomes),
        *kept(outcomes),
        *_quarantine(previous, current),
        *_held(previous, current),
        *_sets(previous, current),
        *_conditions(previous, current),
    )


def _source(previous: FleetStatus | None, current: FleetStatus) -> Iterable[Event]:
    now = current.condition(ConditionType.SOURCE_READY)
    old = previous.condition(ConditionType.SOURCE_READY) if previous else None
    before = old.reason if old else None
    attempted = previous.attempted_revision if previous else ""
    if current.applied_revision and current.applied_revision != (previous.applied_revision if previous else ""):
        short = current.applied_revision[:12]
        yield Event(
            type=EventType.REVISION_ACCEPTED,
            message=f"{short} is in force",
            fields={"previous": previous.applied_revision or None if previous else None},
        )
    if now is None:
        return
    if now.reason in _REJECTED and (now.reason is not before or current.attempted_revision != attempted):
        yield Event(
            type=EventType.REVISION_REJECTED,
            message=now.message,
            fields={"rejected": current.attempted_revision or None, "reason": str(now.reason)},
        )
    lost = ConditionReason.SOURCE_UNREACHABLE
    if now.reason is lost and before is not lost:
        yield Event(type=EventType.SOURCE_UNREACHABLE, message=now.message)
    elif now.reason is not lost and before is lost:
        yield Event(type=EventType.SOURCE_REACHABLE, message="the source answers again")


def _hands_off(previous: FleetStatus | None, current: FleetStatus) -> Iterable[Event]:
    was, is_now = (previous.pause if previous else None), current.pause
    if is_now is not None and (was is None or was.reason != is_now.reason):
        yield Event(type=EventType.PAUSED, message=is_now.reason, fields={"by": is_now.by or None})
    elif was is not None and is_now is None:
        yield Event(type=EventType.RESUMED, message="the kill switch was let go")
    before = previous.suspended if previous else {}
    for name, one in sorted(current.suspended.items()):
        if before.get(name) is None or before[name].reason != one.reason:
            yield Event(
                type=EventType.SUSPENDED,
                message=one.reason,
                agent=_agent(name),
                fields={"by": one.by, "until": rfc3339_or_none(one.until)},
            )
    for name in sorted(before.keys() - current.suspended.keys()):
        yield Event(type=EventType.UNSUSPENDED, message="it was lifted or has expired", agent=_agent(name))


def _agent(name: str) -> str | None:
    return None if name == "*" else name


def _crashes(outcomes: Iterable[Outcome]) -> Iterable[Event]:
    """One for each heal of a running agent: backoff bounds them."""
    seen = set()
    for outcome in outcomes:
        action = outcome.action
        heals = action.verb in (Verb.START, Verb.RESTART) and action.reason in _HEALS and outcome.result != "skipped"
        if action.agent and action.agent not in seen and (heals or outcome.captured):
            seen.add(action.agent)
            yield Event(
                type=EventType.AGENT_CRASHED,
                message=f"{action.reason}",
                agent=action.agent,
                fields={"log": f"crashes/{action.agent}.log" if outcome.captured else None},
            )


def _actions(previous: FleetStatus | None, outcomes: Iterable[Outcome]) -> Iterable[Event]:
    known = {(old.verb, old.target, old.error) for old in previous.failed} if previous else set()
    for outcome in final_outcomes(outcomes):
        action = outcome.action
        words: dict[str, Json] = {"verb": str(action.verb), "target": action.target, "reason": str(action.reason)}
        words["duration_s"] = round(outcome.duration_s, 3)
        said = f"{action.verb} {action.target}"
        if action.forced:
            words |= {"forced": True, "by": action.forced}
            said += f"; forced by {action.forced}, though {action.despite}"
        if outcome.result == "done":
            yield Event(type=EventType.ACTION_DONE, message=said, agent=action.agent, fields=words)
        elif outcome.result == "failed" and (str(action.verb), action.target, outcome.error or "") not in known:
            error = outcome.error or ""
            yield Event(
                type=EventType.ACTION_FAILED,
                message=f"{said}: {error}",
                agent=action.agent,
                fields={**words, "error": error},
            )


def kept(outcomes: Iterable[Outcome]) -> Iterable[Event]:
    """What somebody had written into a file of the framework: where it is now."""
    for outcome in outcomes:
        seen = ReseedEvidence.of(outcome.action.present)
        if outcome.action.verb is not Verb.RESEED or outcome.result != "done" or seen is None:
            continue
        moved = {path: OVERLAYS[path] for path in seen.moved}
        for path, where in {**seen.kept, **moved}.items():
            yield Event(
                type=EventType.KEPT,
                message=f"{path} was edited by hand; that is in {where} now",
                fields={"path": path, "kept": where},
            )


def _quarantine(previous: FleetStatus | None, current: FleetStatus) -> Iterable[Event]:
    before = {agent.name for agent in previous.agents if agent.quarantined_since} if previous else set()
    for agent in current.agents:
        if agent.quarantined_since and agent.name not in before:
            yield Event(
                type=EventType.QUARANTINED,
                message=agent.why,
                agent=agent.name,
                fields={"restarts": agent.restarts, "until": rfc3339_or_none(agent.next_at)},
            )
        elif agent.name in before and not agent.quarantined_since:
            yield Event(type=EventType.QUARANTINE_ENDED, message="it may be started again", agent=agent.name)


_Key = tuple[str | None, str, Verb, HeldReason]


def _held(previous: FleetStatus | None, current: FleetStatus) -> Iterable[Event]:
    before = _held_by_key(previous)
    after = _held_by_key(current)
    for key, one in after.items():
        if key not in before:
            yield Event(
                type=EventType.HELD,
                message=one.message,
                agent=one.agent,
                fields={
                    "verb": str(one.verb),
                    "target": one.target,
                    "reason": str(one.reason),
                    "until": rfc3339_or_none(one.until),
                },
            )
    for key, one in before.items():
        if key not in after:
            yield Event(
                type=EventType.UNHELD,
                message=f"{one.verb} {one.target} is no longer held",
                agent=one.agent,
                fields={"verb": str(one.verb), "target": one.target, "reason": str(one.reason)},
            )


def _held_by_key(status: FleetStatus | None) -> dict[_Key, Held]:
    held = status.held if status else ()
    return {(one.agent, one.target, one.verb, one.reason): one for one in held}


def _sets(previous: FleetStatus | None, current: FleetStatus) -> Iterable[Event]:
    refused = set(previous.refused) if previous else set()
    unknown = previous.unknown if previous else {}
    orphans = set(previous.orphans) if previous else set()
    for sentence in current.refused:
        if sentence not in refused:
            yield Event(type=EventType.GUARD_REFUSED, message=sentence)
    for kind, why in current.unknown.items():
        if kind not in unknown:
            yield Event(type=EventType.OBSERVATION_LOST, message=why, fields={"kind": kind})
    for kind in sorted(unknown.keys() - current.unknown.keys()):
        yield Event(type=EventType.OBSERVATION_RESTORED, message=f"{kind} is seen again", fields={"kind": kind})
    for name in current.orphans:
        if name not in orphans:
            yield Event(type=EventType.ORPHAN_FOUND, message="nothing declares it", fields={"name": name})


def _conditions(previous: FleetStatus | None, current: FleetStatus) -> Iterable[Event]:
    for one in current.conditions:
        old = previous.condition(one.type) if previous else None
        before = old.status if old else ConditionStatus.UNKNOWN
        if before is not one.status:
            yield Event(
                type=EventType.CONDITION_CHANGED,
                message=one.message,
                fields={
                    "condition": str(one.type),
                    "status": str(one.status),
                    "reason": str(one.reason),
                    "since": rfc3339(one.since),
                },
            )
