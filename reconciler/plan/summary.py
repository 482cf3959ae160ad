"""The summary of a plan: its counts, and the things on the host that nothing declares. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from providers.base import Action, Kind, Present, Reason, ResourceKey, Verb
from providers.evidence import HeartbeatRecords, SessionEvidence
from providers.names import agent_unit
from reconciler.model import AgentView, Inventory, Observation
from reconciler.plan.draft import Draft
from reconciler.plan.need import Need
from reconciler.plan_values import Summary
from specs.compiled import Agent

GONE = {Reason.REMOVED, Reason.MOVED}
HEALING = (Reason.NOT_RUNNING, Reason.UNHEALTHY, Reason.DRIFT)


def summarise(draft: Draft, views: Mapping[str, AgentView], needs: Mapping[str, Need]) -> Summary:
    """Count each agent and shared thing once, by the most important change to it."""
    touched: dict[str, set[Reason]] = {}
    shared: dict[ResourceKey, set[Reason]] = {}
    for action in draft.actions.values():
        if action.agent is not None:
            touched.setdefault(action.agent, set()).add(action.reason)
        elif action.verb is not Verb.RELOAD:
            shared.setdefault(action.key, set()).add(_shared_reason(action))
    each = [*touched.values(), *shared.values()]
    removed = sum(bool(GONE & reasons) for reasons in each)
    created = sum(Reason.NEW in reasons and not GONE & reasons for reasons in each)
    healed = sum(reasons.issubset(HEALING) for reasons in each)
    held = {held.agent for held in draft.held if held.agent is not None} - touched.keys()
    idle = [name for name, view in views.items() if view.desired_state in ("running", "stopped")]
    return Summary(
        create=created,
        update=len(each) - removed - created - healed,
        remove=removed,
        heal=healed,
        held=len(draft.held),
        unchanged=sum(name not in touched and name not in held and name in needs for name in idle),
    )


def _shared_reason(action: Action) -> Reason:
    """A framework file is new if nothing was in its place, and removed if it is no longer shipped."""
    if action.verb is Verb.DELETE:
        return Reason.REMOVED
    return Reason.NEW if action.present is None and action.reason is Reason.FRAMEWORK else action.reason


def orphans(observation: Observation, agents: Mapping[str, Agent], inventory: Inventory) -> tuple[str, ...]:
    """Things on the host that look like an agent's and that neither git nor this host's inventory knows, and what
    agents' programs left behind."""
    found: list[str] = []
    odd = [
        key for key, seen in observation.present.items() if _leftover(seen) or not _is_known(seen, agents, inventory)
    ]
    for key in sorted(odd):
        seen = observation.present[key]
        found.extend(f"scope {scope}, left behind by {seen.agent}" for scope in _leftover(seen))
        if seen.agent is None or _is_known(seen, agents, inventory):
            continue
        if key.kind is Kind.UNIT:
            found.append(f"unit {agent_unit(seen.agent)}")
        elif key.kind is Kind.ENV:
            found.append(f"file {seen.agent}.env")
        elif key.kind is Kind.EXTRAS:
            found.append(f"folder {seen.agent}.d")
        elif key.kind is Kind.HEARTBEAT:
            records = HeartbeatRecords.of(seen)
            only_turns = records is not None and records.turn is not None and not records.heartbeat.ts
            found.append(f"heartbeat {seen.agent}.{'turn' if only_turns else 'hb'}")
        elif (session := SessionEvidence.of(seen)) is not None and session.pane.session:
            found.append(f"tmux session {session.pane.session} on socket {session.socket or 'default'}")
    return tuple(found)


def _leftover(seen: Present) -> tuple[str, ...]:
    session = SessionEvidence.of(seen)
    return session.leftover if session is not None else ()


def _is_known(seen: Present, agents: Mapping[str, Agent], inventory: Inventory) -> bool:
    return seen.agent is None or seen.agent in agents or seen.agent in inventory.agents
