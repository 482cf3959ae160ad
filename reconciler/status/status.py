"""What is known about the fleet on this host after a run: pure values, from the previous status and the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from providers.base import Health, HeldReason, Value
from reconciler.model import AgentHistory, AgentView, Held, History, Outcome, Plan
from reconciler.status import assess
from reconciler.status.conditions import (
    Condition,
    ConditionReason,
    ConditionStatus,
    ConditionType,
    with_transition_time,
)
from reconciler.status.failures import FailedAction, counting_for_a_stall, failed_actions, final_outcomes
from reconciler.status.values import Pause, SourceReport
from specs.compiled import Suspension
from specs.dataclass import dataclass, field, replace

if TYPE_CHECKING:
    from reconciler.attention.case import AttentionCase


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """One run in a line. `outcome` is the report document's word."""

    started_at: float
    duration_s: float
    trigger: str
    outcome: str
    exit_code: int
    passes: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class AgentStatus(Value):
    """One agent. `live` is one word: running, dead, stopped, foreign or unknown. Times: Unix seconds, 0 is never.

    `next_verb` is what is due, `next_reason` why or why it is held, `next_at` when it is looked at again (0: not by
    itself). `held` is the held reason, "" if nothing of this agent is held. `pid` is the living pane's process, else 0.
    `heartbeat_age` is in seconds at the last look; None is not a heartbeat. `readiness` is what it did then, and
    `readiness_why` what that rests on; `waiting` is for what it waited for a person, "" if it did not; `stuck`
    and `until` are what kept it from working and when that ends, as its screen says it, "" if nothing did.
    """

    name: str
    agent_class: str
    runtime: str
    desired: str
    live: str
    unit: str
    enabled: bool | None
    health: str
    in_sync: bool
    in_sync_since: float
    restarts: int
    quarantined_since: float
    next_verb: str
    next_reason: str
    next_at: float
    held: str
    why: str
    pid: int = 0
    started: float = 0.0
    last_activity: float = 0.0
    heartbeat: str = "unknown"
    heartbeat_age: float | None = None
    readiness: str = "unknown"
    readiness_why: str = ""
    waiting: str = ""
    stuck: str = ""
    until: str = ""
    began: str = ""  # that its process went on with its conversation, or could not; "" if that is not worth a line


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FleetStatus(Value):
    """`unknown` maps a kind to why it could not be seen. `last_success`: end of the last run that converged."""

    fleet: str
    tenant_id: str
    host: str
    updated_at: float
    attempted_revision: str
    applied_revision: str
    conditions: tuple[Condition, ...]
    agents: tuple[AgentStatus, ...] = ()
    held: tuple[Held, ...] = ()
    failed: tuple[FailedAction, ...] = ()
    refused: tuple[str, ...] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)
    orphans: tuple[str, ...] = ()
    pause: Pause | None = None
    suspended: Mapping[str, Suspension] = field(default_factory=dict)
    pending: int = 0  # actions that are due and not held
    last_run: LastRun | None = None
    last_success: float = 0.0
    attention: tuple[AttentionCase, ...] = ()  # what needs a person

    def condition(self, kind: ConditionType) -> Condition | None:
        """The condition of one type, or None if it was never judged."""
        return next((condition for condition in self.conditions if condition.type is kind), None)

    @property
    def drift(self) -> int:
        """How many things differ from git: due and held together."""
        return self.pending + len(self.held)


def build_status(
    previous: FleetStatus | None,
    *,
    plan: Plan,
    outcomes: Sequence[Outcome],
    source: SourceReport,
    history: History,
    suspended: Mapping[str, Suspension],
    pause: Pause | None,
    now: float,
    last_run: LastRun | None = None,
    began: Mapping[str, str] = MappingProxyType({}),
    attention: tuple[AttentionCase, ...] = (),
) -> FleetStatus:
    """The status after a run. `plan` is what remains: the plan of the last pass, after its outcomes were seen.

    The status of a fleet that has no desired state yet is made by `unready_status`.
    """
    before = previous.failed if previous else ()
    failed = failed_actions(before, plan, final_outcomes(outcomes), now)
    status = FleetStatus(
        fleet=plan.fleet,
        tenant_id=plan.tenant_id,
        host=plan.host,
        updated_at=now,
        attempted_revision=source.attempted,
        applied_revision=source.applied,
        conditions=(),
        agents=_agents(previous, plan, history, now, began),
        held=plan.held,
        failed=failed,
        refused=plan.refused,
        unknown=plan.not_seen,
        orphans=plan.orphans,
        pause=pause,
        suspended=dict(suspended),
        pending=len(plan.actions),
        last_run=last_run,
        last_success=previous.last_success if previous else 0.0,
        attention=attention,
    )
    conditions = (
        assess.source_ready(source, now),
        assess.observed(plan, now),
        assess.ready(plan, failed, suspended, now),
        assess.framework_current(plan, now),
        assess.floor_healthy(plan, now),
        assess.reconciling(plan, now),
        assess.stalled(
            plan,
            source,
            now,
            failed=counting_for_a_stall(failed, outcomes, stalled=_stalled_by_failures(previous)),
            failed_before=before,
            quarantined=[agent.name for agent in status.agents if agent.quarantined_since],
        ),
        assess.paused(pause, plan.paused, suspended, now),
    )
    settled = tuple(with_transition_time(previous.condition(new.type) if previous else None, new) for new in conditions)
    ready = settled[2].status is ConditionStatus.TRUE
    return replace(status, conditions=settled, last_success=now if ready else status.last_success)


def unready_status(
    previous: FleetStatus | None, *, fleet: str, tenant_id: str, host: str, source: SourceReport, now: float
) -> FleetStatus:
    """The status when there is nothing to compare the host with: no commit was ever accepted."""
    conditions = (
        assess.source_ready(source, now),
        assess.condition(ConditionType.READY, None, ConditionReason.NO_DESIRED_STATE, source.message, now),
        assess.condition(ConditionType.RECONCILING, False, ConditionReason.IDLE, "", now),
        assess.condition(ConditionType.STALLED, True, ConditionReason.REVISION_REJECTED, source.message, now),
    )
    base = previous or FleetStatus(
        fleet=fleet, tenant_id=tenant_id, host=host, updated_at=now, attempted_revision="", applied_revision="",
        conditions=(),
    )  # fmt: skip
    kept = tuple(old for old in base.conditions if old.type in _AS_LAST_SEEN)  # as last seen
    settled = tuple(with_transition_time(base.condition(new.type), new) for new in conditions)
    return replace(
        base, updated_at=now, attempted_revision=source.attempted, applied_revision=source.applied,
        conditions=tuple(sorted((*settled, *kept), key=lambda one: list(ConditionType).index(one.type))),
    )  # fmt: skip


_AS_LAST_SEEN = frozenset(
    {
        ConditionType.OBSERVED,
        ConditionType.FRAMEWORK_CURRENT,
        ConditionType.FLOOR_HEALTHY,
        ConditionType.PAUSED,
    }
)


def _stalled_by_failures(previous: FleetStatus | None) -> bool:
    known = previous.condition(ConditionType.STALLED) if previous else None
    return known is not None and known.reason is ConditionReason.ACTIONS_FAILED


_LIVE = {"alive": "running", "missing": "stopped"}


def _agents(
    previous: FleetStatus | None, plan: Plan, history: History, now: float, began: Mapping[str, str]
) -> tuple[AgentStatus, ...]:
    before = {agent.name: agent for agent in previous.agents} if previous else {}
    held: dict[str, list[Held]] = {}
    for one in plan.held:
        held.setdefault(one.agent or "", []).append(one)
    due: dict[str, tuple[str, str]] = {}
    for action in plan.actions:
        due.setdefault(action.agent or "", (str(action.verb), str(action.reason)))
    nobody = AgentHistory()
    return tuple(
        _agent(
            before.get(name),
            plan.views[name],
            history.agents.get(name, nobody),
            sorted(held.get(name, ()), key=lambda one: one.until or float("inf")),
            due.get(name),
            settling=name in plan.settling,
            began=began.get(name, ""),
            now=now,
        )
        for name in sorted(plan.views)
    )


def _agent(
    before: AgentStatus | None,
    view: AgentView,
    history: AgentHistory,
    held: Sequence[Held],
    due: tuple[str, str] | None,
    *,
    settling: bool,
    now: float,
    began: str,
) -> AgentStatus:
    unseen = "unknown" in (view.session, view.unit_active)
    in_sync = due is None and not held and not settling and not unseen and view.health is not Health.UNHEALTHY
    since = history.in_sync_since or (before.in_sync_since if before and before.in_sync else now)
    verb, reason = due or ("", "")
    at = now if due else 0.0
    if due is None and held:
        verb, reason, at = str(held[0].verb), str(held[0].reason), held[0].until or 0.0
        if held[0].reason is HeldReason.WORKING:
            at = 0.0  # `until` is the drain timeout: an agent that is idle is looked at by every run
    return AgentStatus(
        name=view.name,
        agent_class=view.agent_class,
        runtime=view.runtime,
        desired=view.desired_state,
        live=_LIVE.get(view.session, view.session),
        unit=view.unit_active,
        enabled=view.enabled,
        health=str(view.health),
        in_sync=in_sync,
        in_sync_since=since if in_sync else 0.0,
        restarts=history.restarts,
        quarantined_since=history.quarantined_since,
        next_verb=verb,
        next_reason=reason,
        next_at=at,
        held=str(held[0].reason) if held else "",
        why=view.why or (held[0].message if held else ""),
        pid=view.pid if view.session == "alive" else 0,
        started=view.started,
        last_activity=view.last_activity,
        heartbeat=view.heartbeat,
        heartbeat_age=view.heartbeat_age,
        readiness=str(view.readiness),
        readiness_why=view.readiness_why,
        waiting=view.waiting,
        stuck=view.stuck,
        until=view.until,
        began=began,
    )
