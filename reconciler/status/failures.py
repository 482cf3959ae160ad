"""Failed actions: since when, and whether it is the same failure again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.model import Outcome, Plan
from specs.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedAction:
    """An action whose last try failed. `since`: when it began to fail with this error."""

    verb: str
    target: str
    agent: str | None
    error: str
    since: float


def final_outcomes(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """The last outcome of each action over all passes of a run, in the order in which they first appeared."""
    last: dict[tuple[str, object], Outcome] = {}
    for outcome in outcomes:
        last[(outcome.action.verb, outcome.action.key)] = outcome
    return tuple(last.values())


def failed_actions(
    before: Sequence[FailedAction], plan: Plan, outcomes: Sequence[Outcome], now: float
) -> tuple[FailedAction, ...]:
    """What failed in this run, and what failed before, is still due and was not tried again."""
    since = {(old.verb, old.target, old.error): old.since for old in before}
    failed = [
        FailedAction(
            verb=str(outcome.action.verb),
            target=outcome.action.target,
            agent=outcome.action.agent,
            error=outcome.error or "",
            since=since.get((str(outcome.action.verb), outcome.action.target, outcome.error or ""), now),
        )
        for outcome in outcomes
        if outcome.result == "failed"
    ]
    tried = {(str(one.action.verb), one.action.target) for one in outcomes if one.result != "skipped"}
    due = {(str(action.verb), action.target) for action in plan.actions}
    due |= {(str(held.verb), held.target) for held in plan.held}
    kept = [old for old in before if (old.verb, old.target) in due - tried]
    return tuple(sorted((*failed, *kept), key=lambda one: (one.since, one.target, one.verb)))


def counting_for_a_stall(
    failed: Sequence[FailedAction], outcomes: Sequence[Outcome], *, stalled: bool
) -> Sequence[FailedAction]:
    """Those that were tried in this run, or all of them if they are part of a stall that goes on."""
    tried = {(str(one.action.verb), one.action.target) for one in outcomes}
    return [one for one in failed if stalled or (one.verb, one.target) in tried]
