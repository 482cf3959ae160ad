"""Phrases about what is held, lost or changed, the same in every text for people. Pure."""

from __future__ import annotations

from providers.base import FieldChange, HeldReason
from reconciler.helpers.times import spell_duration
from reconciler.helpers.words import data, value, when
from reconciler.model import AgentView, Held


def change(one: FieldChange) -> str:
    """`path: live -> git`."""
    return f"{data(one.path)}: {value(one.live)} -> {value(one.desired)}"


def held_line(held: Held, now: float) -> str:
    """What is due, why it is not done, since when, and until when: a wait for idleness is looked at all the time, and
    its end is the drain timeout."""
    name = f"{data(held.agent)}: " if held.agent else ""
    since = f", since {when(held.since, now)}" if held.since and held.since < now else ""
    next_ = "drain timeout" if held.reason is HeldReason.WORKING else "next look"
    until = f"; {next_} {when(held.until, now)}" if held.until else ""
    return f"{name}{held.verb} {data(held.target)}: {held.reason} ({data(held.message)}){since}{until}"


def loss(view: AgentView, now: float) -> str:
    """What is lost if the agent's process is ended now; empty if nothing lives there."""
    if view.session != "alive":
        return ""
    parts = []
    if view.started:
        parts.append(f"running for {spell_duration(now - view.started)}")
    if view.last_activity:
        parts.append(f"last activity {spell_duration(now - view.last_activity)} ago")
    if view.heartbeat == "busy":
        parts.append("busy")
    known = f" ({', '.join(parts)})" if parts else ""
    return f"ends the conversation in its pane{known}"
