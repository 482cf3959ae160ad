"""Describe: everything known of one agent, and what happens to it next. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from providers.base import Action, HeldReason, Json
from reconciler.helpers.times import rfc3339, rfc3339_or_none, spell_duration
from reconciler.listing.document import Listing, revision_document, row_document
from reconciler.listing.row import Row, Sync
from reconciler.model import AgentHistory, Held, Plan, Readiness
from reconciler.plan.holding.suspensions import WHOLE_FLEET
from reconciler.status.document import API_VERSION
from reconciler.status.held_ways import way
from reconciler.status.status import FleetStatus
from specs.compiled import Suspension
from specs.dataclass import dataclass

DescribeWord = Literal["True", "False", "Unknown"]
CONDITIONS = ("InSync", "Running", "Answering", "AbleToWork", "BootSafe", "CrashLooping", "Suspended")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCondition:
    """`since` is Unix seconds, 0 where nobody remembers."""

    type: str
    status: DescribeWord
    message: str
    since: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What is done to it next without anybody's doing; `at` is Unix seconds, 0 for "with the next look" or never."""

    what: str
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """`events` are oldest first. `crash`: the last lines of its pane when it last ended, None if nothing is kept;
    `crash_now`: they are of the dead pane that is there."""

    listing: Listing
    row: Row
    conditions: tuple[AgentCondition, ...]
    held: tuple[Held, ...]
    due: tuple[Action, ...]
    next: tuple[Next, ...]
    events: tuple[Mapping[str, Json], ...] = ()
    crash: tuple[str, ...] | None = None
    crash_now: bool = False


def describe(
    listing: Listing,
    row: Row,
    plan: Plan,
    history: AgentHistory,
    status: FleetStatus | None,
    suspended: Mapping[str, Suspension],
    *,
    install: Literal["none", "timer", "watch"],
    interval: float,
) -> Description:
    """All of it but the events and the crash. `suspended`: those that are in force."""
    held = tuple(one for one in plan.held if one.agent == row.name)
    due = tuple(one for one in plan.actions if one.agent == row.name)
    known = next((one for one in status.agents if one.name == row.name), None) if status is not None else None
    entry = suspended.get(WHOLE_FLEET) or suspended.get(row.name)
    return Description(
        listing=listing,
        row=row,
        conditions=tuple(_conditions(row, history, known.in_sync_since if known is not None else 0.0, entry)),
        held=held,
        due=due,
        next=tuple(
            _next(held, due, entry, plan.paused, _look(status, install, interval, row.observed_at), row.desired)
        ),
    )


def _conditions(
    row: Row, history: AgentHistory, in_sync_since: float, entry: Suspension | None
) -> Iterable[AgentCondition]:
    synced = row.sync is Sync.SYNCED
    wrong = "" if _only_unable(row) else "".join(f": {problem}" for problem in row.problems[:1])
    yield _condition("InSync", synced, f"{row.sync}{wrong}", in_sync_since if synced else 0.0)
    if row.session == "unknown":
        yield AgentCondition(type="Running", status="Unknown", message="its pane could not be seen")
    else:
        alive = row.session == "alive"
        text = f"{row.program}, pid {row.pid}" if alive else f"its session is {row.session}"
        yield _condition("Running", alive, text, row.started if alive else 0.0)
    if row.session == "alive":
        answers = row.heartbeat in ("ok", "busy")
        age = f"{row.heartbeat_age:.0f} s ago" if row.heartbeat_age is not None else ""
        text = f"{row.heartbeat}, {age} ({row.heartbeat_source})" if answers else row.readiness_why
        yield _condition("Answering", answers, text)
        if row.readiness in (Readiness.WAITING, Readiness.STUCK):
            yield _condition("AbleToWork", False, row.readiness_why)
        elif row.readiness in (Readiness.WORKING, Readiness.AVAILABLE):
            yield _condition("AbleToWork", True, row.state)
    if row.enabled is None:
        yield AgentCondition(type="BootSafe", status="Unknown", message="its unit could not be seen")
    else:
        wanted = row.desired == "running"
        declared = "git does not declare it" if row.desired == "undeclared" else f"it is declared {row.desired}"
        text = f"its unit is {'' if row.enabled else 'not '}enabled, and {declared}"
        changed = row.next_reason in ("masked", "overridden")
        text += f", but it is {row.next_reason}" if changed else ""
        yield _condition("BootSafe", row.enabled is wanted and not changed, text)
    looping = history.quarantined_since > 0
    text = f"restarted {history.restarts} times in all" + ("; in quarantine" if looping else "")
    yield _condition("CrashLooping", looping, text, history.quarantined_since)
    yield _condition("Suspended", entry is not None, f"by {entry.by}: {entry.reason}" if entry is not None else "")


def _next(
    held: Sequence[Held], due: Sequence[Action], entry: Suspension | None, paused: str | None, look: Next, desired: str
) -> Iterable[Next]:
    """The next automatic actions, soonest first, and how to have each now; the last line says when anybody looks at
    all."""
    if paused is not None:
        yield Next(what="nothing is done while the fleet is paused: mosaic fleet resume")
    if entry is not None and entry.until:
        yield Next(what="its suspension ends, and whatever is due is done", at=entry.until)
    elif entry is not None:
        yield Next(what="it is suspended until somebody lifts that: mosaic fleet unsuspend")
    for action in due:
        yield Next(what=f"{action.verb} {action.target} ({action.reason}), with the next look", at=look.at)
    for one in sorted(held, key=lambda one: one.until or float("inf")):
        command = way(one, look.at, desired=desired).now
        now = f"; now: {command}" if command else ""
        if one.reason in (HeldReason.SUSPENDED, HeldReason.PAUSED):
            yield Next(what=f"{one.verb} {one.target} is due then")
        elif one.reason is HeldReason.WORKING:
            yield Next(what=f"{one.verb} {one.target} as soon as it is idle{now}")
        elif one.until:
            yield Next(
                what=f"{one.verb} {one.target}, held until then ({one.reason}: {one.message}{now})", at=one.until
            )
        else:
            yield Next(what=f"{one.verb} {one.target} is held ({one.reason}: {one.message}){now}")
    nothing = not due and not held and entry is None and paused is None
    yield Next(what=("nothing is due; " if nothing else "") + look.what, at=look.at)


def _look(status: FleetStatus | None, install: Literal["none", "timer", "watch"], interval: float, now: float) -> Next:
    """When the reconciler looks next by itself."""
    every = spell_duration(interval)
    if install == "watch":
        return Next(what=f"the resident loop looks when something changes, and every {every}")
    if install == "timer":
        last = status.updated_at if status is not None else 0.0
        return Next(what=f"the timer looks every {every}", at=max(now, last + interval) if last else 0.0)
    return Next(what="nothing reconciles by itself: run reconcile, or mosaic fleet install")


def _only_unable(row: Row) -> bool:
    """Whether nothing but its own state is wrong, which has a condition of its own."""
    return row.sync is Sync.SYNCED and row.problems == (row.readiness_why,)


def _condition(kind: str, holds: bool, message: str, since: float = 0.0) -> AgentCondition:
    return AgentCondition(type=kind, status="True" if holds else "False", message=message, since=since)


def description_document(described: Description) -> dict[str, Json]:
    """The document of kind AgentStatus."""
    listing = described.listing
    return {
        "apiVersion": API_VERSION,
        "kind": "AgentStatus",
        "fleet": listing.fleet,
        "tenant_id": listing.tenant_id,
        "host": listing.host,
        "observed_at": rfc3339(listing.observed_at),
        "revision": revision_document(listing),
        "agent": row_document(described.row),
        "conditions": [
            {"type": one.type, "status": one.status, "message": one.message, "since": rfc3339_or_none(one.since)}
            for one in described.conditions
        ],
        "held": [
            {
                "verb": str(one.verb),
                "target": one.target,
                "reason": str(one.reason),
                "message": one.message,
                "since": rfc3339_or_none(one.since),
                "until": rfc3339_or_none(one.until),
            }
            for one in described.held
        ],
        "due": [
            {"verb": str(one.verb), "target": one.target, "reason": str(one.reason), "provider": str(one.key.kind)}
            for one in described.due
        ],
        "next": [{"what": one.what, "at": rfc3339_or_none(one.at)} for one in described.next],
        "events": list(described.events),
        "crash": None
        if described.crash is None
        else {"lines": list(described.crash), "of_the_pane_that_is_there": described.crash_now},
    }
