"""What `mosaic fleet status` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.helpers.times import rfc3339, spell_duration
from reconciler.helpers.words import Paint, Tint, data, no_paint, short, when
from reconciler.render.table import table
from reconciler.status.conditions import Condition, ConditionStatus, ConditionType
from reconciler.status.phrases import held_line
from reconciler.status.status import AgentStatus, FleetStatus

if TYPE_CHECKING:
    from reconciler.state.lock import Holder

_BAD_WHEN_TRUE = frozenset({ConditionType.STALLED, ConditionType.PAUSED})


def status_text(status: FleetStatus, *, now: float, running: Holder | None = None, paint: Paint = no_paint) -> str:
    """The fleet in a few lines, its conditions, then a row for each agent, whole."""
    blocks = [
        _head(status, now, running),
        table(
            ("CONDITION", "STATUS", "SINCE", "REASON", "MESSAGE"),
            [
                (str(one.type), str(one.status), rfc3339(one.since), str(one.reason), data(one.message))
                for one in status.conditions
            ],
            [_tint(one) for one in status.conditions],
            paint,
        ),
        table(
            ("AGENT", "DESIRED", "LIVE", "STATE", "HEALTH", "SYNC", "SINCE", "RESTARTS", "NEXT", "WHY"),
            [_row(agent, now) for agent in status.agents],
            [None if agent.in_sync else "yellow" for agent in status.agents],
            paint,
        ),
        [f"held: {held_line(held, now)}" for held in status.held],
        [
            f"failed: {data(one.verb)} {data(one.target)}: {data(one.error)}, since {when(one.since, now)}"
            for one in status.failed
        ],
        [f"refused: {data(sentence)}" for sentence in status.refused],
        [f"unknown: {data(kind)}: {data(why)}" for kind, why in sorted(status.unknown.items())],
        [
            f"suspended: {'the whole fleet' if name == '*' else data(name)} by {data(one.by)} ({data(one.reason)}), "
            + (f"until {when(one.until, now)}" if one.until else "until somebody lifts it")
            for name, one in sorted(status.suspended.items())
        ],
        [f"orphan: {data(orphan)}" for orphan in status.orphans],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _head(status: FleetStatus, now: float, running: Holder | None) -> list[str]:
    applied, attempted = status.applied_revision, status.attempted_revision
    behind = f"; newest commit {short(attempted)} is not in force" if attempted and attempted != applied else ""
    lines = [
        f"fleet {data(status.fleet)} of {data(status.tenant_id)} on {data(status.host)}",
        f"commit {short(applied)} in force{behind}",
    ]
    if status.pause is not None:
        by = f" by {data(status.pause.by)}" if status.pause.by else ""
        since = f" since {when(status.pause.since, now)}" if status.pause.since else ""
        lines.append(f"PAUSED{by}{since}: {data(status.pause.reason) or 'no reason given'}")
    run = status.last_run
    if run is not None:
        lines.append(
            f"last run {when(run.started_at, now)}: {data(run.outcome)} in {run.duration_s:.2f} s "
            f"(started by {data(run.trigger)}, exit code {run.exit_code})"
        )
    lines.append(f"last success {when(status.last_success, now)}" if status.last_success else "last success: never")
    if running is not None:
        lines.append(f"a run is under way: {data(running)}")
    return lines


def _state(agent: AgentStatus) -> str:
    return f"{agent.readiness} ({data(agent.waiting)})" if agent.waiting else agent.readiness


def _row(agent: AgentStatus, now: float) -> tuple[str, ...]:
    due = "-"
    if agent.next_verb:
        at = f" in {spell_duration(agent.next_at - now)}" if agent.next_at > now else ""
        due = f"{data(agent.next_verb)}: {data(agent.next_reason)}{at}"
    since = rfc3339(agent.in_sync_since) if agent.in_sync_since else "-"
    sync = "synced" if agent.in_sync else "held" if agent.held else "drifted"
    words = (agent.name, agent.desired, agent.live, _state(agent), agent.health, sync)
    return tuple(data(cell) for cell in (*words, since, agent.restarts, due, agent.why or "-"))


def _tint(one: Condition) -> Tint | None:
    if one.status is ConditionStatus.UNKNOWN:
        return "yellow"
    bad = (one.status is ConditionStatus.TRUE) == (one.type in _BAD_WHEN_TRUE)
    return "red" if bad and one.type is not ConditionType.RECONCILING else None
