"""Backoff, quarantine and the fleet's restart budget: pure functions of an agent's history.

A first heal is immediate. Each further one waits longer, up to `backoff_maximum`; after `quarantine_restarts` heals
within `quarantine_within` every wait is the maximum. The wait only grows, until a new launch digest, sustained health
or an operator's release resets it.
"""

from __future__ import annotations

import hashlib

from reconciler.model import AgentHistory, History
from specs.compiled import Fleet, Policy
from specs.dataclass import replace

JITTER = 0.2  # up to a fifth longer, so that agents that fell together do not start together
HOUR_S = 3600.0


def not_before(history: AgentHistory, now: float) -> float:
    """The earliest time (Unix seconds) of the next start; 0 if it may start now.

    A clock that was set back must not hold an agent for longer than one wait: see `by_this_clock`.
    """
    if not history.delay:
        return 0.0
    due = history.last_start + history.delay
    return min(due, now + history.delay)


def recorded_start(agent: str, history: AgentHistory, policy: Policy, now: float) -> AgentHistory:
    """The history after a start that heals. It is written before the start, so that a crash cannot lose it."""
    starts = (*(t for t in history.starts if now - policy.quarantine_within <= t <= now), now)
    attempts = history.attempts + 1
    quarantined = history.quarantined_since
    if not quarantined and len(starts) >= policy.quarantine_restarts:
        quarantined = now
    base = policy.backoff_maximum
    if not quarantined:
        base = min(policy.backoff_maximum, policy.backoff_initial * 2.0 ** min(attempts - 1, 40))
    delay = max(history.delay, base * (1.0 + JITTER * _fraction(agent, attempts)))
    return replace(
        history,
        attempts=attempts,
        delay=delay,
        last_start=now,
        starts=starts[-max(policy.quarantine_restarts, 1) :],
        quarantined_since=quarantined,
        healthy_since=0.0,
        restarts=history.restarts + 1,
    )


def noted_start(history: AgentHistory, now: float) -> AgentHistory:
    """The history after a start that heals nothing (a new agent, a new declaration): it causes no wait."""
    return replace(history, last_start=now, healthy_since=0.0)


def observed_health(history: AgentHistory, *, healthy: bool, policy: Policy, now: float) -> AgentHistory:
    """The history after a look: sustained health clears the waits."""
    if not healthy:
        return history if not history.healthy_since else replace(history, healthy_since=0.0)
    if not history.healthy_since or history.healthy_since > now:
        return replace(history, healthy_since=now)
    if history.attempts and now - history.healthy_since >= policy.backoff_reset_after:
        return released(history)
    return history


def by_this_clock(history: AgentHistory, now: float) -> AgentHistory:
    """The history after a clock was set back: future times count as now. It must be saved, or the end of the wait would
    move along with the clock."""
    times = (history.last_start, history.quarantined_since, history.waiting_since, history.in_sync_since)
    if max(*times, history.mission_since) <= now:
        return history
    return replace(
        history,
        last_start=min(history.last_start, now),
        quarantined_since=min(history.quarantined_since, now),
        waiting_since=min(history.waiting_since, now),
        in_sync_since=min(history.in_sync_since, now),
        mission_since=min(history.mission_since, now),
    )


def released(history: AgentHistory) -> AgentHistory:
    """The history without any waits, as after `mosaic fleet release`, a new commit for the agent or sustained
    health."""
    return replace(history, attempts=0, delay=0.0, last_start=0.0, starts=(), quarantined_since=0.0)


def for_launch(history: AgentHistory, launch_digest: str) -> AgentHistory:
    """The history that counts for this launch digest: a history of another digest is cleared."""
    if history.launch_digest == launch_digest:
        return history
    fresh = history if not history.launch_digest else released(history)
    return replace(fresh, launch_digest=launch_digest)


def budget(fleet: Fleet) -> int:
    """Heals per hour for the whole fleet; losing the tmux server once must fit in."""
    configured = fleet.policy.restart_budget
    return configured if configured is not None else max(30, 2 * len(fleet.agents))


def recent_heals(history: History, now: float) -> tuple[float, ...]:
    """Times of the fleet's heals within the last hour."""
    return tuple(t for t in history.heals if now - HOUR_S < t <= now)


def _fraction(agent: str, attempts: int) -> float:
    """A number from 0 to 1, the same for the same agent and attempt, since a plan is a function of its inputs."""
    digest = hashlib.sha256(f"{agent}:{attempts}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 0xFFFFFFFF
