"""Suspension and pause in a draft: due actions stay visible, and none is carried out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from providers.base import Action, HeldReason, Kind, Verb
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.plan.draft import Draft
from specs.compiled import Suspension
from specs.dataclass import dataclass

WHOLE_FLEET = "*"
STARTS = (Verb.START, Verb.RESTART)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """An action, and the suspensions that have not expired."""

    agent: str | None
    entries: Mapping[str, Suspension]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependant:
    """An action, and the id of the `start` that is not made now."""

    action: Action
    start: str


# Which suspension holds an action.
BY_SUSPENSION: tuple[DecisionRow[Suspended, Callable[[Suspended], Suspension] | None], ...] = (
    DecisionRow("the whole fleet", lambda one: WHOLE_FLEET in one.entries, lambda one: one.entries[WHOLE_FLEET],
        "a suspension of the fleet covers everything in it, shared things too"),
    DecisionRow("its agent", lambda one: one.agent in one.entries, lambda one: one.entries[str(one.agent)],
        "a person has asked that this agent be left alone"),
    DecisionRow("not suspended", otherwise, None,
        "nobody has asked that it be left alone"),
)  # fmt: skip

# Whether an action is held because a start is held.
BY_DEPENDENCY: tuple[DecisionRow[Dependant, bool], ...] = (
    DecisionRow("does not depend on it", lambda one: one.start not in one.action.depends_on, False,
        "the two have nothing to do with each other"),
    DecisionRow("starts nothing", lambda one: one.action.verb not in STARTS, False,
        "a file or a stop does not need the other agent"),
    DecisionRow("lives already", lambda one: one.action.disrupts, False,
        "it runs without the other agent now, so it may be restarted without it"),
    DecisionRow("needs it to start", otherwise, True,
        "it would start without what it depends on"),
)  # fmt: skip


def in_force(suspended: Mapping[str, Suspension], now: float) -> dict[str, Suspension]:
    """The suspensions that have not expired."""
    return {name: entry for name, entry in suspended.items() if entry.until is None or entry.until > now}


def hold_suspended(draft: Draft, suspended: Mapping[str, Suspension], now: float) -> None:
    """Turn the actions of suspended agents into held ones, with who, why and until when."""
    live = in_force(suspended, now)
    left_out: list[Action] = []
    for identity, action in list(draft.actions.items()):
        situation = Suspended(agent=action.agent, entries=live)
        find = first_match(BY_SUSPENSION, situation).then
        if find is None:
            continue
        entry = find(situation)
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
    """Hold each agent that depends on an agent that is not started now."""
    for other, action in list(draft.actions.items()):
        if other in draft.actions and first_match(BY_DEPENDENCY, Dependant(action=action, start=identity)).then:
            message = f'it depends on "{agent}", which is not started now'
            draft.hold(action.agent, action.target, action.verb, HeldReason.DEPENDENCY, message, changes=action.changes)
            del draft.actions[other]
            _hold_dependants(draft, other, str(action.agent))


def hold_all(draft: Draft, reason: HeldReason, message: str) -> None:
    """Turn every action into a held one."""
    for action in draft.actions.values():
        draft.hold(action.agent, action.target, action.verb, reason, message, changes=action.changes)
    draft.actions.clear()
