"""Rollout: decide which disruptive needs may be met now. Pure.

A living conversation is ended only when the policy and the evidence allow it: the agent is available, few enough others
are down, and the orchestrator comes last. A need that waits is held with its reason; a timeout never kills anything.
The tables are in `rollout_tables.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from providers.base import Health, HeldReason, Verb
from reconciler.helpers.decision_table import first_match
from reconciler.model import AgentView, History
from reconciler.plan.holding.backoff import not_before
from reconciler.plan.holding.floor import is_floor_class
from reconciler.plan.holding.rollout_tables import (
    BY_AGENT,
    CAME_UP,
    COMING_BACK,
    OBJECTIONS,
    ORDER,
    TURN,
    Candidate,
    Down,
    RolloutEnding,
    Started,
    Turn,
    Waiting,
    until_its_limit_ends,
)
from reconciler.plan.need import Need
from specs.compiled import Fleet, Policy
from specs.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a need is not met now, since when it has been due, and when it is looked at again."""

    reason: HeldReason
    message: str
    since: float
    until: float | None


def held_back(
    needs: Mapping[str, Need], views: Mapping[str, AgentView], fleet: Fleet, history: History, now: float
) -> dict[str, Wait]:
    """The agents whose disruptive need has to wait. Agents without a disruptive need are not mentioned."""
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
    # An orchestrator waits only for agents that can still become idle; one that never does must not hold it up forever.
    draining = any(
        needs[name].verb is Verb.RESTART
        and wait.until is not None
        and wait.reason is HeldReason.WORKING
        and views[name].agent_class != "orchestrator"
        for name, wait in held.items()
    )
    known = {
        name: Candidate(
            orchestrator=views[name].agent_class == "orchestrator",
            repairs_floor=needs[name].heals and is_floor_class(fleet, views[name].agent_class),
        )
        for name in candidates
    }
    ordered = sorted(candidates, key=lambda name: (first_match(ORDER, known[name]).then, name))
    for position, name in enumerate(ordered):
        turn = Turn(
            candidate=known[name],
            before=position,
            down=len(down),
            draining=draining,
            limit=policy.max_unavailable,
            closed=tuple(sorted(closed)),
        )
        say = first_match(TURN, turn).then
        if say is not None:
            held[name] = Wait(HeldReason.MAX_UNAVAILABLE, say(turn), _since(history, name, now), None)
    return held


def objection(view: AgentView, need: Need, policy: Policy) -> str:
    """The objection to ending the agent for this need now: the policy, or what the agent does; "" if none."""
    ending = RolloutEnding(view=view, need=need, policy=policy)
    return first_match(OBJECTIONS, ending).then(ending)


def _unavailable(view: AgentView, need: Need, policy: Policy, since: float, now: float) -> Wait | None:
    ending = RolloutEnding(view=view, need=need, policy=policy)
    deadline = since + policy.drain_timeout
    waiting = Waiting(ending=ending, objection=objection(view, need, policy), deadline=deadline, now=now)
    hold = first_match(BY_AGENT, waiting).then
    if hold is None:
        return None
    message, until = hold(waiting)
    reason = HeldReason.LIMIT if hold is until_its_limit_ends else HeldReason.WORKING
    return Wait(reason, message, since, until)


def _came_up_closed(candidates: list[str], views: Mapping[str, AgentView], history: History, now: float) -> set[str]:
    """Agents that started after the first candidate became due, and came up at a dialog that blocks them, or have not
    shown their prompt yet: the change itself may have caused that."""
    due = min((_since(history, name, now) for name in candidates), default=now)
    return {name for name, view in views.items() if first_match(CAME_UP, Started(view=view, due=due, now=now)).then}


def _starting(
    needs: Mapping[str, Need], views: Mapping[str, AgentView], fleet: Fleet, history: History, now: float
) -> set[str]:
    """Agents that are down and that this pass may bring back. An agent in backoff, or one that waits for it, may be
    down forever, and must not hold up the others for that long."""
    found = set()
    for name, need in needs.items():
        known = history.agents.get(name)
        due = known is None or not_before(known, now) <= now
        if first_match(COMING_BACK, Down(view=views[name], need=need, due=due)).then:
            found.add(name)
    missing = {n for n, view in views.items() if view.desired_state == "running" and view.session != "alive"}
    depends = {agent.name: agent.depends_on for agent in fleet.agents}
    while stuck := {name for name in found if not (missing - found).isdisjoint(depends.get(name, ()))}:
        found -= stuck
    return found


def _since(history: History, name: str, now: float) -> float:
    known = history.agents.get(name)
    return known.waiting_since if known is not None and known.waiting_since else now
