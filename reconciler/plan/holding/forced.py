"""Forced ends: what a person has let through by `--force`, against the table of what may end an agent. Pure.

It counts for one process and for one change of it, so that it is met once. What other people have in its session, a
session that is not this fleet's, a suspension, the kill switch and every guard stand above it.
"""

from __future__ import annotations

from dataclasses import replace

from providers.base import Reason, Verb
from reconciler.model import AgentHistory, AgentView
from reconciler.observe.may_end import Who, may_end
from reconciler.plan.holding.rollout import objection
from reconciler.plan.need import Need
from reconciler.plan.needs import SAME_START_S
from specs.compiled import Agent, Policy

REMOVED, STOPPED, RELAUNCH = "removed", "stopped", "relaunch"


def restarted(generation: int) -> str:
    """The change of a restart, as a record of it names it."""
    return f"generation {generation}"


def forced(known: AgentHistory, *, pid: int, started: float, change: str, by: str, revision: str) -> AgentHistory:
    """With the record that somebody wants this process gone for this change. `revision`: what was in force then."""
    return replace(
        known,
        forced_pid=pid,
        forced_started=started,
        forced_for=change,
        forced_by=by,
        forced_from=revision,
    )


def with_force(need: Need, view: AgentView, agent: Agent | None, known: AgentHistory, policy: Policy) -> Need:
    """The need, with who forces it, where it would have to wait and somebody does. Nothing that is held is let go."""
    if need.verb not in (Verb.STOP, Verb.RESTART) or not need.disrupts or need.held is not None:
        return need
    if not _lives(known, view) or not _meant(known, agent, need) or may_end(view, Who.FORCE).allowed is not True:
        return need
    against = objection(view, need, policy)
    return replace(need, forced=known.forced_by, despite=against) if against else need


def still_due(known: AgentHistory, view: AgentView, agent: Agent | None, revision: str) -> AgentHistory:
    """Without the record, once the process is gone (whoever ended it) or git says something else by now."""
    if not known.forced_pid or view.session == "unknown":
        return known
    other = known.forced_for not in (RELAUNCH, _change(agent)) and revision != known.forced_from
    if _lives(known, view) and not other:
        return known
    return forced(known, pid=0, started=0.0, change="", by="", revision="")


def _lives(known: AgentHistory, view: AgentView) -> bool:
    same = abs(view.started - known.forced_started) < SAME_START_S
    return bool(known.forced_pid) and view.session == "alive" and view.pid == known.forced_pid and same


def _meant(known: AgentHistory, agent: Agent | None, need: Need) -> bool:
    return known.forced_for == (RELAUNCH if need.reason is Reason.REQUESTED else _change(agent))


def _change(agent: Agent | None) -> str:
    """What git says of an agent, as far as it may have to be ended for it."""
    if agent is None or agent.state == "absent":
        return REMOVED
    return STOPPED if agent.state == "stopped" else restarted(agent.generation)
