"""The text of `reconcile` after it has applied."""

from __future__ import annotations

from collections import Counter

from reconciler.helpers.words import Paint, Tint, count, data, no_paint, short, when
from reconciler.loop.result import RunResult
from reconciler.model import Outcome
from reconciler.render.plan_lines import groups, sentences
from reconciler.status.conditions import ConditionReason, ConditionStatus, ConditionType
from reconciler.status.phrases import held_lines, not_seen_lines

_TINTS: dict[str, Tint] = {"done": "green", "failed": "red", "skipped": "yellow", "unchanged": "dim"}
_OUTCOME_TINTS: dict[str, Tint] = {
    "converged": "green",
    "partial": "yellow",
    "failed": "red",
    "held": "yellow",
    "paused": "yellow",
    "refused": "red",
}
_WORDS = {
    "converged": "Converged",
    "partial": "Not converged yet",
    "failed": "Failed",
    "held": "Changes are held",
    "paused": "Paused: nothing was done",
    "refused": "Refused",
}


def report_text(result: RunResult, *, short: bool = False, more: str = "", paint: Paint = no_paint) -> str:
    """One line for each action that was tried, one for each thing that is left, and the result in a sentence. `short`:
    an agent, or a group of shared things, of which all was done has one line; `more`: how to see every action then."""
    plan, now = result.plan, result.started_at + result.duration_s
    lines = _in_short(result, more, paint) if short else [_outcome(outcome, paint) for outcome in result.outcomes]
    source = result.status.condition(ConditionType.SOURCE_READY)
    if source is not None and source.status is ConditionStatus.FALSE:
        lines.append(f"{paint('source', 'red')} {source.reason}: {data(source.message)}")
    looks = result.install != "none"
    for first, *below in held_lines(plan.held, now, plan.views, looks=looks):
        lines += [f"{paint('held', 'yellow')} {first}", *below]
    lines += [f"{paint('refused', 'red')} {data(sentence)}" for sentence in plan.refused]
    lines += [f"{paint('unknown', 'yellow')} {line}" for line in not_seen_lines(plan.not_seen)]
    lines += [f"{paint('settling', 'yellow')} {data(name)}: not healthy yet" for name in plan.settling]
    if result.outcome != "paused":
        tried = {outcome.action.id for outcome in result.outcomes}
        lines += [
            f"{paint('pending', 'yellow')} {action.verb} {data(action.target)} ({action.reason})"
            for action in plan.actions
            if action.id not in tried
        ]
    return "\n".join([*lines, _closing(result, paint)]) + "\n"


def _in_short(result: RunResult, more: str, paint: Paint) -> list[str]:
    """What was done, and then each action of those of which not all was."""
    last = {outcome.action.id: outcome for outcome in result.outcomes}
    results = {identity: outcome.result for identity, outcome in last.items()}
    found = groups(outcome.action for outcome in last.values())
    whole = [group for group in found if {results[action.id] for action in group.actions} <= {"done", "unchanged"}]
    shown = {action.id for group in whole for action in group.actions}
    return [
        *(f"{paint('done', 'green')} {text}" for text in sentences(whole, result.plan.views, paint, more=more)),
        *(_outcome(outcome, paint) for outcome in result.outcomes if outcome.action.id not in shown),
    ]


def _outcome(outcome: Outcome, paint: Paint) -> str:
    action = outcome.action
    name = f" [{data(action.agent)}]" if action.agent else ""
    error = f": {data(outcome.error)}" if outcome.error else ""
    word = paint(outcome.result, _TINTS[outcome.result])
    return f"{word} {action.verb} {data(action.target)}{name} ({action.reason}){error}"


def _unchanged(result: RunResult) -> int:
    """How many agents nothing is due for and nothing was done to: `plan` only knows what is left to do."""
    plan = result.plan
    due = {action.agent for action in plan.actions} | {held.agent for held in plan.held}
    done = {outcome.action.agent for outcome in result.outcomes if outcome.result == "done"}
    states = {name: view.desired_state for name, view in plan.views.items()}
    return plan.summary.unchanged - sum(states.get(str(name)) in ("running", "stopped") for name in done - due)


def last_seen(result: RunResult) -> str:
    """What has to be said of the commit that a host was compared with where it is not known to be the newest."""
    source = result.status.condition(ConditionType.SOURCE_READY)
    if source is None or source.status is ConditionStatus.TRUE:
        return ""
    if source.reason not in (ConditionReason.SOURCE_UNREACHABLE, ConditionReason.SOURCE_BUSY):
        return ", and the newest commit is not in force"
    seen = result.intake.seen_at if result.intake is not None else 0.0
    now = result.started_at + result.duration_s
    return f", the last commit that was seen ({when(seen, now)})" if seen else ", the last commit that was seen"


def _closing(result: RunResult, paint: Paint) -> str:
    plan = result.plan
    tally = Counter(outcome.result for outcome in result.outcomes)
    if result.outcome == "paused" and plan.paused:
        lead = f"Paused: nothing was done ({data(plan.paused)})"
    elif result.outcome == "converged" and not result.outcomes:
        known = last_seen(result)
        lead = f"No changes: everything is as {short(plan.revision) if known else 'git'} says{known}"
    else:
        lead = _WORDS[result.outcome]
    parts = [f"{number} {word}" for word, number in sorted(tally.items())]
    parts += [f"{len(plan.held)} held"] if plan.held else []
    parts.append(f"{count(_unchanged(result), 'agent')} unchanged")
    time = f"{result.duration_s:.2f} s, {result.passes} pass{'' if result.passes == 1 else 'es'}"
    lead = paint(lead, _OUTCOME_TINTS[result.outcome])
    return f"{lead}: {data(plan.host)} at {short(plan.revision)}; {', '.join(parts)}; {time}."
