"""Phrases about what is held, lost or changed, the same in every text for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from providers.base import FieldChange, HeldReason
from providers.names import agent_unit
from reconciler.helpers.times import spell_duration
from reconciler.helpers.words import data, value, when
from reconciler.model import AgentView, Held
from reconciler.status.held_ways import way


def change(one: FieldChange) -> str:
    """`path: live -> git`."""
    return f"{data(one.path)}: {value(one.live)} -> {value(one.desired)}"


def not_seen_lines(not_seen: Mapping[str, str]) -> list[str]:
    """A line for each reason, with all that could not be seen because of it."""
    by_reason: dict[str, list[str]] = {}
    for what, why in not_seen.items():
        by_reason.setdefault(why, []).append(data(what))
    return [f"{', '.join(names)}: {data(why)}" for why, names in by_reason.items()]


def held_lines(
    held: Sequence[Held], now: float, views: Mapping[str, AgentView], *, looks: bool = True
) -> list[list[str]]:
    """Of each, a line that says what is due and why it is not done, and when it comes by itself; below it, how to have
    it now. `views`: the agents as they were seen; `looks`: whether this host reconciles by itself."""
    whole = any(one.reason is HeldReason.SUSPENDED and one.agent is None for one in held)
    out = []
    for one in held:
        view = views.get(one.agent or "")
        found = way(one, now, desired=view.desired_state if view is not None else "", whole=whole, looks=looks)
        lines = [f"{held_text(one, now)}; {found.comes}"]
        out.append([*lines, f"    now: {data(found.now)}"] if found.now else lines)
    return out


def held_text(held: Held, now: float) -> str:
    """What is due, why it is not done, and for how long."""
    name = f"{data(held.agent)}: " if held.agent else ""
    target = "" if held.agent and held.target == agent_unit(held.agent) else f" {data(held.target)}"
    age = f", for {spell_duration(now - held.since)}" if held.since and now - held.since >= 1 else ""
    drain = held.until is not None and held.reason is HeldReason.WORKING
    timeout = f", drain timeout {when(held.until or 0.0, now)}" if drain else ""
    return f"{name}{held.verb}{target}: {held.reason} ({data(held.message)}){age}{timeout}"


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
