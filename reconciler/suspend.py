"""Suspension and pause, applied to a draft: what is due stays visible, and nothing of it is done. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from providers.base import HeldReason
from reconciler.draft import Draft
from specs.compiled import Suspension

WHOLE_FLEET = "*"


def hold_suspended(draft: Draft, suspended: Mapping[str, Suspension], now: float) -> None:
    """Turn the actions of suspended agents into held ones, with who, why and until when."""
    live = {name: entry for name, entry in suspended.items() if entry.until is None or entry.until > now}
    whole = live.get(WHOLE_FLEET)
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


def hold_all(draft: Draft, reason: HeldReason, message: str) -> None:
    """Turn every action into a held one."""
    for action in draft.actions.values():
        draft.hold(action.agent, action.target, action.verb, reason, message, changes=action.changes)
    draft.actions.clear()
