"""Rollout: which of the disruptive needs may be met now. Pure.

A living conversation is ended only when the policy and the evidence allow it: when the agent is available, for so many
agents at once, the orchestrator last. What waits is held with its reason; nothing is ever killed by a timeout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from providers.base import Health, HeldReason, Reason, Verb
from reconciler.model import AgentView, History
from reconciler.observe.attribution import CLOCK_SLACK_S
from reconciler.observe.may_end import Who, may_end
from reconciler.plan.holding.backoff import not_before
from reconciler.plan.holding.floor import carries
from reconciler.plan.needs import Need
from specs.compiled import Fleet, Policy

SHOWS_S = 30.0  # so long a program may take to show its prompt before it counts as one whose screen is not known


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a need is not met now, since when it has been due, and when it is looked at again."""

    reason: HeldReason
    message: str
    since: float
    until: float | None


def waits(
    needs: Mapping[str, Need], views: Mapping[str, AgentView], fleet: Fleet, history: History, now: float
) -> dict[str, Wait]:
    """Those agents whose disruptive need has to wait. Agents without a disruptive need are not mentioned."""
    policy = fleet.policy
    held: dict[str, Wait] = {}
    candidates: list[str] = []
    for name in sorted(needs):
        need = needs[name]
        if need.verb is None or not need.disrupts or need.held is not None:
            continue
        wait = _unavailable(views[name], need, policy, _since(history, name, now), now)
        if wait is not None:
            held[name] = wait
        elif need.verb is Verb.RESTART:
            candidates.append(name)
    down = _starting(needs, views, fleet, history, now)
    down |= {name for name, view in views.items() if view.desired_state == "running" and view.health is Health.SETTLING}
    closed = _came_up_closed(candidates, views, history, now) - set(candidates)
    down = (down | closed) - set(candidates)
    free = policy.max_unavailable - len(down)
    # An orchestrator follows those that can still become idle; one that never does must not hold it up for ever.
    draining = any(
        needs[name].verb is Verb.RESTART and wait.until is not None and views[name].agent_class != "orchestrator"
        for name, wait in held.items()
    )
    # What the fleet cannot do without is mended first; where it is not broken, the orchestrator comes last.
    first = {name for name in candidates if needs[name].heals and carries(fleet, views[name].agent_class)}
    leads = {name for name in candidates if views[name].agent_class == "orchestrator"}

    def rank(name: str) -> tuple[int, str]:
        return (0 if name in leads else 1) if name in first else 3 if name in leads else 2, name

    ordered = sorted(candidates, key=rank)
    for position, name in enumerate(ordered):
        last = name in leads - first and (position > 0 or bool(down) or draining)
        if position >= free or last:
            limit = f"at most {policy.max_unavailable} agent(s) may be unavailable at once"
            limit += f", and {', '.join(sorted(closed))}, restarted before, cannot take input" if closed else ""
            message = "the orchestrator is restarted last" if last else limit
            held[name] = Wait(HeldReason.MAX_UNAVAILABLE, message, _since(history, name, now), None)
    return held


def objection(view: AgentView, need: Need, policy: Policy) -> str:
    """What speaks against ending the agent for this need now: the policy, or what it does; "" if nothing does."""
    if policy.on_change == "immediately":
        return ""
    if _never(need, policy):
        return "the rollout policy is never: restart it by hand"
    ending = may_end(view, _who(need))
    return "" if ending.allowed else ending.why


def _never(need: Need, policy: Policy) -> bool:
    return policy.on_change == "never" and need.verb is Verb.RESTART and not need.heals


def _unavailable(view: AgentView, need: Need, policy: Policy, since: float, now: float) -> Wait | None:
    message = "" if need.forced else objection(view, need, policy)
    if not message:
        return None
    if _never(need, policy):
        return Wait(HeldReason.WORKING, message, since, None)
    deadline = since + policy.drain_timeout
    if now >= deadline:
        message += "; the drain timeout has passed, and it is not ended by force: stop it by hand, or set on_change"
        return Wait(HeldReason.WORKING, message, since, None)
    return Wait(HeldReason.WORKING, message, since, deadline)


def _came_up_closed(candidates: list[str], views: Mapping[str, AgentView], history: History, now: float) -> set[str]:
    """Agents that were started since the first of the candidates is due, and came up at a dialog at which they can do
    nothing, or have not shown their prompt yet: what was changed may be what brought them there. One that has stood
    there before holds up nobody."""
    due = min((_since(history, name, now) for name in candidates), default=now)
    young = {name for name, view in views.items() if view.session == "alive" and view.started > due - CLOCK_SLACK_S}
    return {name for name in young if views[name].closed or (views[name].blank and now - views[name].started < SHOWS_S)}


def _who(need: Need) -> Who:
    """For whom the table is asked."""
    if need.reason is Reason.REQUESTED:
        return Who.RELAUNCH
    return Who.COMMIT if need.reason in (Reason.SPEC, Reason.REMOVED, Reason.MOVED, Reason.NEW) else Who.DRIFT


def _starting(
    needs: Mapping[str, Need], views: Mapping[str, AgentView], fleet: Fleet, history: History, now: float
) -> set[str]:
    """Agents that are down and that this pass may bring back. One that backs off, or that waits for one that does,
    may be down for ever, and must not hold up the others for as long."""
    found = set()
    for name, need in needs.items():
        gone = views[name].desired_state == "running" and views[name].session in ("missing", "dead")
        known = history.agents.get(name)
        due = known is None or not_before(known, now) <= now
        if gone and due and need.heals and not need.disrupts and need.held is None:
            found.add(name)
    missing = {n for n, view in views.items() if view.desired_state == "running" and view.session != "alive"}
    depends = {agent.name: agent.depends_on for agent in fleet.agents}
    while stuck := {name for name in found if not (missing - found).isdisjoint(depends.get(name, ()))}:
        found -= stuck
    return found


def _since(history: History, name: str, now: float) -> float:
    known = history.agents.get(name)
    return known.waiting_since if known is not None and known.waiting_since else now
