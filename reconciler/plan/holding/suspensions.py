"""Suspension and pause, applied to a draft: what is due stays visible, and nothing of it is done. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from providers.base import Action, HeldReason, Kind, Verb
from reconciler.plan.draft import Draft
from specs.compiled import Suspension

WHOLE_FLEET = "*"
STARTS = (Verb.START, Verb.RESTART)


def in_force(suspended: Mapping[str, Suspension], now: float) -> dict[str, Suspension]:
    """Those that have not expired."""
    return {name: entry for name, entry in suspended.items() if entry.until is None or entry.until > now}


def hold_suspended(draft: Draft, suspended: Mapping[str, Suspension], now: float) -> None:
    """Turn the actions of suspended agents into held ones, with who, why and until when."""
    live = in_force(suspended, now)
    whole = live.get(WHOLE_FLEET)
    left_out: list[Action] = []
    for identity, action in list(draft.actions.items()):
        entry = whole or (live.get(action.agent) if action.agent is not None else None)
        if entry is None:
            continue
        message = f"suspended by {entry.by}: {entry.reason}"
        draft.hold(
            action.agent,
            action.target,
            action.verb,
            HeldReason.SUSPENDED,
            message,
            until=entry.until,
            changes=action.changes,
        )
        del draft.actions[identity]
        left_out.append(action)
    for action in left_out:
        if action.key.kind is Kind.UNIT and action.verb in STARTS:
            _hold_dependants(draft, action.id, str(action.agent))


def _hold_dependants(draft: Draft, identity: str, agent: str) -> None:
    """Whoever depends on an agent that is not started now is not started either."""
    for other, action in list(draft.actions.items()):
        if other in draft.actions and identity in action.depends_on and action.verb in STARTS and not action.disrupts:
            message = f'it depends on "{agent}", which is not started now'
            draft.hold(action.agent, action.target, action.verb, HeldReason.DEPENDENCY, message, changes=action.changes)
            del draft.actions[other]
            _hold_dependants(draft, other, str(action.agent))


def hold_all(draft: Draft, reason: HeldReason, message: str) -> None:
    """Turn every action into a held one."""
    for action in draft.actions.values():
        draft.hold(action.agent, action.target, action.verb, reason, message, changes=action.changes)
    draft.actions.clear()
