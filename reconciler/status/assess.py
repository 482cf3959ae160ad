"""Assess a run: the eight conditions, the outcome, and the exit code. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from providers.base import Health, HeldReason, Kind, Verb
from providers.fields import VERSION
from reconciler.errors import (
    ExitCode,
    HistoryCut,
    InvalidConfig,
    MosaicError,
    Refused,
    Rewound,
    SourceBusy,
    Unverified,
)
from reconciler.model import Held, Outcome, Plan
from reconciler.status.conditions import Condition, ConditionReason, ConditionStatus, ConditionType
from reconciler.status.failures import FailedAction, final_outcomes
from specs.compiled import Suspension

if TYPE_CHECKING:
    from reconciler.status.values import Pause, RunOutcome, SourceReport

THEIRS = frozenset({HeldReason.NOT_OWNED, HeldReason.MASKED, HeldReason.OVERRIDDEN})  # a person's to take away
ON_PURPOSE = frozenset({HeldReason.SUSPENDED, HeldReason.PAUSED})
# Nor is it a failure of a run that this host lacks something: no run would change it, and it is said in each.
NO_FAILURE = ON_PURPOSE | {HeldReason.UNSUPPORTED}
MANAGERS = frozenset({Kind.UNIT, Kind.SESSION, Kind.HOLDER})
_SOURCE_GOOD = frozenset({ConditionReason.REVISION_ACCEPTED, ConditionReason.NOT_FETCHED})
_SOURCE_MAY_RECOVER = _SOURCE_GOOD | {ConditionReason.SOURCE_UNREACHABLE, ConditionReason.SOURCE_BUSY}


def verdict(plan: Plan, outcomes: Sequence[Outcome]) -> tuple[RunOutcome, ExitCode]:
    """What a run that applied is called, and its exit code. `plan` is what remains after the last pass; of `outcomes`
    the last one of each action counts.

    What is paused or suspended on purpose does not count as failed, nor does what this host cannot do; anything else
    that keeps an agent from being as git says does.
    """
    results = {outcome.result for outcome in final_outcomes(outcomes)}
    waiting = any(held.reason not in NO_FAILURE for held in plan.held)
    # What failed because nobody answers is the lesser news.
    server = any(key.kind is Kind.HOLDER for key in plan.unclear)  # one tmux server of several
    failed = ExitCode.UNAVAILABLE if server or MANAGERS & plan.unknown.keys() else ExitCode.FAILED
    table: tuple[tuple[object, RunOutcome, ExitCode], ...] = (
        (plan.paused is not None, "paused", ExitCode.OK),
        (plan.refused, "refused", ExitCode.REFUSED),
        ({"failed", "done"} <= results, "partial", failed),
        ("failed" in results, "failed", failed),
        (MANAGERS & plan.unknown.keys(), "failed", ExitCode.UNAVAILABLE),
        (server, "partial", ExitCode.UNAVAILABLE),
        (plan.actions or plan.unknown or plan.unclear, "partial", ExitCode.FAILED),
        (plan.settling, "partial", ExitCode.UNHEALTHY),
        (waiting, "held", ExitCode.FAILED),
        (plan.held, "held", ExitCode.OK),
    )
    return next(((word, code) for holds, word, code in table if holds), ("converged", ExitCode.OK))


def why_rejected(error: MosaicError) -> ConditionReason:
    """What the status calls a commit that is not taken because of `error`."""
    kinds: tuple[tuple[type[MosaicError], ConditionReason], ...] = (
        (Rewound, ConditionReason.NOT_A_DESCENDANT),
        (HistoryCut, ConditionReason.HISTORY_CUT),
        (Unverified, ConditionReason.VERIFICATION_FAILED),
        (SourceBusy, ConditionReason.SOURCE_BUSY),
        (InvalidConfig, ConditionReason.INVALID_CONFIGURATION),
        (Refused, ConditionReason.INVALID_CONFIGURATION),  # a file that leaves the repository
    )
    return next((reason for kind, reason in kinds if isinstance(error, kind)), ConditionReason.SOURCE_UNREACHABLE)


def condition(kind: ConditionType, holds: bool | None, reason: ConditionReason, message: str, now: float) -> Condition:
    """A condition that begins now; None is Unknown."""
    status = {True: ConditionStatus.TRUE, False: ConditionStatus.FALSE, None: ConditionStatus.UNKNOWN}[holds]
    return Condition(type=kind, status=status, reason=reason, message=message, since=now)


def source_ready(source: SourceReport, now: float) -> Condition:
    """Whether the newest commit is the one in force (or was not asked for)."""
    good = source.reason in _SOURCE_GOOD
    return condition(ConditionType.SOURCE_READY, good, source.reason, source.message, now)


def observed(plan: Plan, now: float) -> Condition:
    """Whether everything could be seen."""
    hidden = plan.not_seen
    if not hidden:
        return condition(ConditionType.OBSERVED, True, ConditionReason.EVERYTHING_SEEN, "", now)
    message = "; ".join(f"{what}: {why}" for what, why in hidden.items())
    reason = ConditionReason.NOTHING_SEEN if plan.unknown.keys() >= MANAGERS else ConditionReason.PARTLY_UNKNOWN
    return condition(ConditionType.OBSERVED, False, reason, message, now)


def ready(plan: Plan, failed: Sequence[FailedAction], suspended: Mapping[str, Suspension], now: float) -> Condition:
    """Whether the host is as git says; if not, the first thing that is wrong, worst first."""
    reasons = {held.reason for held in plan.held}
    unhealthy = [
        name
        for name, view in sorted(plan.views.items())
        if view.health is Health.UNHEALTHY and view.desired_state == "running" and not suspended.keys() & {name, "*"}
    ]
    table: tuple[tuple[object, ConditionReason, str], ...] = (
        (plan.refused, ConditionReason.REFUSED_BY_GUARD, "; ".join(plan.refused)),
        (failed, ConditionReason.ACTIONS_FAILED, _first(failed)),
        (HeldReason.CRASH_LOOP in reasons, ConditionReason.CRASH_LOOP, _who(plan.held, HeldReason.CRASH_LOOP)),
        (plan.not_seen, ConditionReason.OBSERVATION_INCOMPLETE, f"not seen: {', '.join(plan.not_seen)}"),
        (THEIRS & reasons, ConditionReason.NOT_OWNED, _who(plan.held, *THEIRS)),
        (plan.actions, ConditionReason.CHANGES_PENDING, _due(plan)),
        (plan.settling, ConditionReason.AGENTS_SETTLING, ", ".join(plan.settling)),
        (unhealthy, ConditionReason.AGENTS_UNHEALTHY, ", ".join(unhealthy)),
        (plan.held, ConditionReason.CHANGES_HELD, f"{len(plan.held)} held: {', '.join(sorted(reasons))}"),
    )
    for holds, reason, message in table:
        if holds:
            known = None if reason is ConditionReason.OBSERVATION_INCOMPLETE else False
            return condition(ConditionType.READY, known, reason, message, now)
    return condition(ConditionType.READY, True, ConditionReason.CONVERGED, "", now)


def framework_current(plan: Plan, now: float) -> Condition:
    """Whether the framework's files on this host are those of the installed version."""
    kind = ConditionType.FRAMEWORK_CURRENT
    if Kind.RESEED in plan.unknown:
        return condition(kind, None, ConditionReason.OBSERVATION_INCOMPLETE, plan.unknown[Kind.RESEED], now)
    if held := [one for one in plan.held if one.verb is Verb.RESEED]:
        return condition(kind, False, ConditionReason.FILES_HELD, "; ".join(one.message for one in held), now)
    for action in plan.actions:
        if action.verb is Verb.RESEED:
            version = next((field for field in action.changes if field.path == VERSION), None)
            message = f"{len(action.changes)} differ" if version is None else f"{version.live} to {version.desired}"
            return condition(kind, False, ConditionReason.FILES_OUTDATED, message, now)
    return condition(kind, True, ConditionReason.FILES_CURRENT, "", now)


def floor_healthy(plan: Plan, now: float) -> Condition:
    """Whether the two agents are healthy that the fleet cannot do without."""
    table: Mapping[str, tuple[bool | None, ConditionReason]] = {
        "stands": (True, ConditionReason.FLOOR_STANDS),
        "none": (True, ConditionReason.NO_FLOOR),
        "elsewhere": (True, ConditionReason.FLOOR_ELSEWHERE),
        "unknown": (None, ConditionReason.OBSERVATION_INCOMPLETE),
        "orchestrator": (False, ConditionReason.ORCHESTRATOR_UNHEALTHY),
        "enhancer": (False, ConditionReason.ENHANCER_UNHEALTHY),
    }
    holds, reason = table[plan.floor.word]
    return condition(ConditionType.FLOOR_HEALTHY, holds, reason, plan.floor.message, now)


def reconciling(plan: Plan, now: float) -> Condition:
    """Whether the next look will go on with something that this one began or left."""
    kind = ConditionType.RECONCILING
    if plan.paused is None and plan.actions:
        return condition(kind, True, ConditionReason.CHANGES_PENDING, _due(plan), now)
    if plan.paused is None and plan.settling:
        return condition(kind, True, ConditionReason.AGENTS_SETTLING, ", ".join(plan.settling), now)
    return condition(kind, False, ConditionReason.IDLE, "", now)


def stalled(
    plan: Plan,
    source: SourceReport,
    now: float,
    *,
    failed: Sequence[FailedAction],
    failed_before: Iterable[FailedAction],
    quarantined: Sequence[str],
) -> Condition:
    """Stalled: nothing gets better until a person does something. One failure is not yet that, nor is one crash."""
    before = {(old.verb, old.target, old.error) for old in failed_before}
    again = [one for one in failed if (one.verb, one.target, one.error) in before]
    reasons = {held.reason for held in plan.held}
    table: tuple[tuple[object, ConditionReason, str], ...] = (
        (plan.refused, ConditionReason.REFUSED_BY_GUARD, "; ".join(plan.refused)),
        (source.reason not in _SOURCE_MAY_RECOVER, ConditionReason.REVISION_REJECTED, source.message),
        (quarantined, ConditionReason.CRASH_LOOP, ", ".join(quarantined)),
        (THEIRS & reasons, ConditionReason.NOT_OWNED, _who(plan.held, *THEIRS)),
        (again, ConditionReason.ACTIONS_FAILED, _first(again)),
    )
    for holds, reason, message in table:
        if holds:
            return condition(ConditionType.STALLED, True, reason, message, now)
    return condition(ConditionType.STALLED, False, ConditionReason.PROGRESSING, "", now)


def paused(pause: Pause | None, reason: str | None, suspended: Mapping[str, Suspension], now: float) -> Condition:
    """Whether somebody has asked that nothing be done on this host."""
    kind = ConditionType.PAUSED
    if pause is not None or reason is not None:
        return condition(kind, True, ConditionReason.KILL_SWITCH, (pause.reason if pause else reason) or "", now)
    if "*" in suspended:
        return condition(kind, True, ConditionReason.FLEET_SUSPENDED, suspended["*"].reason, now)
    return condition(kind, False, ConditionReason.NOT_PAUSED, "", now)


def _first(failed: Sequence[FailedAction]) -> str:
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    return f"{failed[0].verb} {failed[0].target}: {failed[0].error}{more}" if failed else ""


def _due(plan: Plan) -> str:
    return f"{len(plan.actions)} action{'' if len(plan.actions) == 1 else 's'} due"


def _who(held: Iterable[Held], *reasons: HeldReason) -> str:
    return ", ".join(sorted({one.agent or one.target for one in held if one.reason in reasons}))
