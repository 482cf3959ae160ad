"""Raw evidence: every observation of one agent, with its source and time, for people who judge for themselves. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from providers.base import Kind, Present, ResourceKey
from providers.evidence import NO_SESSION, RawEvidence, SessionEvidence
from reconciler.model import Observation

if TYPE_CHECKING:
    from providers.evidence import UnitEvidence
    from reconciler.observe.attribution import AttributedHeartbeat
    from specs.compiled import Agent


def raw_evidence(
    name: str,
    agent: Agent | None,
    unit: UnitEvidence,
    session: Present | None,
    heartbeat: AttributedHeartbeat,
    turn: AttributedHeartbeat,
    observation: Observation,
    last_activity: float,
) -> tuple[RawEvidence, ...]:
    """In the order of the sources: git, systemd, tmux, the process, the heartbeat, the turn record. A source that could
    not be looked at is listed as `unknown`, with the reason."""
    now = observation.taken_at
    found = [RawEvidence("git", "state", agent.state if agent is not None else "undeclared", None)]
    if agent is not None:
        found.append(RawEvidence("git", "runtime", agent.runtime, None))
    if why := _hidden(observation, Kind.UNIT, name):
        found.append(RawEvidence("systemd", "unknown", why, now))
    else:
        found.append(RawEvidence("systemd", "active", unit.active, now))
        found.append(RawEvidence("systemd", "enabled", unit.enabled, now))
        if unit.job:
            found.append(RawEvidence("systemd", "job", unit.job, now))
    if why := _hidden(observation, Kind.SESSION, name):
        found.append(RawEvidence("tmux", "unknown", why, now))
    else:
        found.extend(_pane(session, now, last_activity))
    found.extend(_word("heartbeat", heartbeat))
    if turn.age is not None:
        found.extend(_word("turn", turn))
    return tuple(found)


def _hidden(observation: Observation, kind: Kind, name: str) -> str:
    return observation.hidden(ResourceKey(kind, name))


def _pane(session: Present | None, now: float, last_activity: float) -> list[RawEvidence]:
    seen = SessionEvidence.of(session) or NO_SESSION
    pane = seen.pane
    if session is None or not pane.session:
        return [RawEvidence("tmux", "session", "unreachable" if seen.hidden else None, now)]
    found = [
        RawEvidence("tmux", "session", pane.session, now),
        RawEvidence("tmux", "ours", session.ours, now),
        RawEvidence("tmux", "pane", "alive" if seen.alive else "dead", now),
    ]
    facts: tuple[tuple[str, str | int | None], ...] = (
        ("exit-status", pane.dead_status),
        ("attached", pane.attached or None),
        ("mode", "copy" if pane.in_mode else None),
        ("title", pane.title or None),
    )
    found.extend(RawEvidence("tmux", what, value, now) for what, value in facts if value is not None)
    if last_activity:
        found.append(RawEvidence("tmux", "last-output", None, last_activity))
    if seen.alive:
        found.append(RawEvidence("proc", "pid", pane.pid, now))
        found.append(RawEvidence("proc", "program", seen.program, now))
        found.append(RawEvidence("proc", "processes", len(seen.pids), now))
        if seen.scope is not None:
            found.append(RawEvidence("cgroup", "scope", seen.scope, now))
            found.extend(RawEvidence("cgroup", f"limits.{name}", value, now) for name, value in seen.limits.items())
        if seen.started:
            found.append(RawEvidence("proc", "started", None, float(seen.started)))
        found.extend(_screen(seen, now))
        usage = seen.usage
        if usage is not None:
            cpu_s = None if usage.cpu_s is None else round(usage.cpu_s, 3)
            found.append(RawEvidence(usage.cpu_source, "cpu_s", cpu_s, now))
            found.append(RawEvidence(usage.memory_source, "memory", usage.memory, now))
    return found


def _screen(seen: SessionEvidence, now: float) -> list[RawEvidence]:
    """The content of a screen that can be read."""
    if seen.unread:
        return [RawEvidence("screen", "unknown", seen.unread, now)]
    reading = seen.screen
    if reading is None:
        return []
    facts = (("composer", reading.composer), ("dialog", reading.asks), ("turn", reading.turn), ("why", reading.why))
    return [RawEvidence("screen", what, value, now) for what, value in facts if value]


def _word(source: str, heartbeat: AttributedHeartbeat) -> list[RawEvidence]:
    at = heartbeat.ts or None
    if heartbeat.state == "unknown":
        return [RawEvidence(source, "not-believed" if at else "none", heartbeat.note, at)]
    found = [
        RawEvidence(source, "status", heartbeat.status, at),
        RawEvidence(source, "writer", heartbeat.source or "native", at),
    ]
    facts = (("event", heartbeat.event), ("waiting", heartbeat.waiting), ("stuck", heartbeat.stuck))
    found.extend(RawEvidence(source, what, value, at) for what, value in facts if value)
    return found
