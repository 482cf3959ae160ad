"""Rows: the lines of `mosaic fleet ps`, one for each agent and for each thing on the host that looks like one. Pure.

A row joins git, systemd, tmux, the processes, the heartbeat and this host's memory. Where they disagree the row says
so: nothing is averaged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from providers.base import Action, Health, HeldReason, Kind, Reason, ResourceKey
from providers.evidence import SessionEvidence
from providers.names import agent_unit
from reconciler.helpers.redact import hide_secrets, one_line
from reconciler.helpers.times import rfc3339
from reconciler.inspection.row_kind import row_kind
from reconciler.listing.row import Row, RowKind, Sync, in_order
from reconciler.model import AgentHistory, AgentView, Held, History, Inventory, Observation, Plan, Readiness
from reconciler.plan.holding.moving import moving_to
from reconciler.plan.holding.suspensions import WHOLE_FLEET
from reconciler.status.failures import FailedAction
from reconciler.status.lives import Life
from specs.compiled import Fleet, Suspension, changed_in
from specs.dataclass import dataclass

SAID_MAX = 160  # characters of an error or of a program's last line; all of it is in `agent status` and the journal


def build_rows(
    plan: Plan,
    fleet: Fleet,
    history: History,
    inventory: Inventory,
    observation: Observation,
    suspended: Mapping[str, Suspension],
    failed: Sequence[FailedAction] = (),
    last_words: Mapping[str, str] = MappingProxyType({}),
    lives: Mapping[str, Life] = MappingProxyType({}),
) -> tuple[Row, ...]:
    """Every declared agent, everything else that looks like one; worst first. `suspended`: those that are in force.
    `failed`: what the last run could not do. `last_words`: by agent, the last line that was kept when it ended.
    `lives`: by agent, how its present process began."""
    held: dict[str, list[Held]] = {}
    for one in plan.held:
        held.setdefault(one.agent or "", []).append(one)
    due: dict[str, list[Action]] = {}
    for action in plan.actions:
        due.setdefault(action.agent or "", []).append(action)
    rows = []
    for name, view in plan.views.items():
        kind = row_kind(name, view, inventory, observation)
        if kind is not None:
            nobody = AgentHistory()
            about = RowInputs(
                view=view,
                kind=kind,
                held=tuple(sorted(held.get(name, ()), key=lambda one: one.until or float("inf"))),
                due=tuple(due.get(name, ())),
                failed=tuple(one for one in failed if one.agent == name),
                said=last_words.get(name, ""),
                suspended=suspended.get(WHOLE_FLEET) or suspended.get(name),
                paused=plan.paused is not None,
                settling=name in plan.settling,
                history=history.agents.get(name, nobody),
                session=SessionEvidence.of(observation.present.get(ResourceKey(Kind.SESSION, name))),
                unseen=observation.hidden(ResourceKey(Kind.HEARTBEAT, name)),
                grace=fleet.heartbeats.stale_after,
                immediately=fleet.policy.on_change == "immediately",
                moving_to=moving_to(fleet, name) if kind != "agent" else "",
                now=plan.observed_at,
                life=lives[name] if name in lives and view.session == "alive" else Life(process=""),
            )
            rows.append(_row(about, plan))
    return in_order(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowInputs:
    """All that is known of one row."""

    view: AgentView
    kind: RowKind
    held: Sequence[Held]
    due: Sequence[Action]
    failed: Sequence[FailedAction]  # the longest failing first
    said: str  # its last line when it last ended, "" if nothing is kept
    suspended: Suspension | None
    paused: bool
    settling: bool
    history: AgentHistory
    session: SessionEvidence | None
    unseen: str  # why no heartbeat could be seen, "" if they could
    grace: float
    moving_to: str  # the other host that it is declared for, "" for none
    immediately: bool  # the fleet's policy ends also who works
    now: float
    life: Life


def _row(about: RowInputs, plan: Plan) -> Row:
    view, sync, stays = about.view, _sync(about), _stays(about)
    problems = tuple(dict.fromkeys(_problems(about)))
    due = (str(about.due[0].verb), str(about.due[0].reason), 0.0) if about.due else ("", "", 0.0)
    if not about.due and about.held:
        first = about.held[0]
        due = str(first.verb), str(first.reason), first.until or 0.0
    writer = next((one.value for one in view.evidence if one[:2] == ("heartbeat", "writer")), "")
    return Row(
        kind=about.kind,
        name=view.name,
        tenant_id=plan.tenant_id,
        host=plan.host,
        agent_class=view.agent_class,
        runtime=view.runtime,
        desired=view.desired_state,
        readiness=view.readiness,
        readiness_why=view.readiness_why,
        waiting=view.waiting,
        question=hide_secrets(view.question),
        stuck=view.stuck,
        until=view.until,
        until_at=view.until_at,
        blank=view.blank,
        sync=sync,
        problems=problems,
        notes=tuple(dict.fromkeys(_notes(about))),
        wrong=_wrong(about, sync, problems),
        unit=view.unit_active,
        enabled=view.enabled,
        session=view.session,
        socket=about.session.socket if about.session is not None else "",
        pid=view.pid if view.session in ("alive", "foreign") else 0,
        program=view.program,
        started=view.started,
        idle=view.idle,
        heartbeat=view.heartbeat,
        heartbeat_age=view.heartbeat_age,
        heartbeat_source=str(writer),
        mission="older" if view.behind else "current" if view.mission and view.mission == view.mission_now else "",
        mission_since=about.history.mission_since if view.behind else 0.0,
        began=about.life.how,
        began_why=about.life.why,
        conversation=about.life.session,
        restarts=about.history.restarts,
        cpu_s=view.cpu_s,
        memory=view.memory,
        health=str(view.health),
        available=view.available,
        may_stop=not stays,
        may_stop_why=stays,
        next_verb=due[0],
        next_reason=due[1],
        next_at=due[2],
        evidence=view.evidence,
        observed_at=about.now,
    )


def _stays(about: RowInputs) -> str:
    """Why a stop that is committed now would not end it at once; "" if it would."""
    if about.kind == "unmanaged":
        return "it is not this fleet's"
    if about.paused:
        return "the fleet is paused"
    if about.suspended is not None:
        return "it is suspended"
    return "" if about.immediately and about.view.session == "alive" else about.view.may_stop_why


def _sync(about: RowInputs) -> Sync:
    view = about.view
    if view.desired_state == "undeclared":
        return Sync.EXTRA
    unseen = "unknown" in (view.session, view.unit_active)
    if about.held or unseen:
        return Sync.HELD
    if view.desired_state == "running" and view.session == "missing":
        return Sync.MISSING
    return Sync.DRIFTED if about.due or about.settling or view.health is Health.UNHEALTHY else Sync.SYNCED


def _problems(about: RowInputs) -> Iterable[str]:
    """Whole sentences, the planes that disagree first."""
    view = about.view
    if about.kind == "unmanaged":
        return
    declared = view.desired_state == "running"
    if view.unit_active == "active" and view.session == "dead" and declared:
        yield f"its unit is active, but its pane is dead ({view.readiness_why})"
    elif view.unit_active == "active" and view.session == "missing" and declared:
        yield "its unit is active, but it has no session"
    elif view.session == "alive" and view.unit_active in ("inactive", "failed") and declared:
        yield f"its session lives, but its unit is {view.unit_active}"
    elif any(one.reason is HeldReason.MOVING for one in about.held):
        pass  # that it has no session is not news
    elif view.why and view.health is not Health.HEALTHY and about.kind == "agent":
        yield view.why
    if about.kind == "removed":
        gone = f"moving to {about.moving_to}" if about.moving_to else "removed from git"
        yield f"{gone}, and still here" if view.session in ("alive", "dead") else gone
    if about.kind == "orphan":
        yield "declared nowhere, and left alone: " + _trace(about)
    said = view.no_start or view.stranded  # what holds its change may say the same
    if view.stranded and not any(said in one.message for one in about.held):
        yield view.stranded
    if view.enabled is False and view.desired_state == "running" and view.session == "alive":
        yield "it is not enabled: it will not survive a boot"
    if view.enabled and view.desired_state in ("stopped", "absent"):
        yield f"it is enabled, though declared {view.desired_state}: it would come back at the next boot"
    if view.enabled and view.desired_state == "undeclared":
        yield "it is enabled, though not in git: it would come back at the next boot"
    if view.session == "alive" and (view.readiness in (Readiness.STALE, Readiness.STUCK) or view.asks):
        yield view.readiness_why
    if _unanswered(about) and not _young(about):
        silent = view.heartbeat == "unknown"
        said = f"nothing answers for it: {view.readiness_why}" if silent else view.readiness_why
        yield "its heartbeat could not be seen" if about.unseen else said
    failure = _failure(about)
    if failure:
        yield failure
    for held in about.held:
        stated = held.message in view.why or held.reason is HeldReason.SUSPENDED
        # The PATH that was searched is for the caller that looks at this one agent.
        why = view.no_start if view.no_start and held.message.startswith(view.no_start) else held.message
        if held.reason is HeldReason.MOVING:
            yield why
        else:
            yield f"{held.verb} held: {held.reason}" + ("" if stated else f" ({why})")
    process = [one for one in about.due if one.key.kind in (Kind.UNIT, Kind.SESSION)]
    for action in process or (() if about.held else about.due[:1]):
        named = action.reason in (Reason.SPEC, Reason.DRIFT)  # else it is as a whole that it differs
        paths = ", ".join(change.path for change in action.changes[:4]) if named else ""
        yield f"{action.verb} is due ({action.reason}{f': {paths}' if paths else ''})"


def _trace(about: RowInputs) -> str:
    view = about.view
    left = [f"unit {agent_unit(view.name)} is {view.unit_active}"] if view.unit_active not in ("inactive", "") else []
    left += [f"session {about.session.pane.session}"] if about.session is not None else []
    return ", ".join(left) or "its files"


def _failure(about: RowInputs) -> str:
    """Why the last run could not do what is still due; "" if it did not fail."""
    still = {one.target for one in about.due} | {one.target for one in about.held}
    errors = [one.error for one in about.failed if one.target in still]
    # What to type is left out: the unit is named, and `agent status` has the rest.
    return f"last try: {_said(errors[-1].partition('; see: ')[0])}" if errors else ""


def ended_again(view: AgentView, history: AgentHistory) -> bool:
    """Whether it should run, does not, and has been brought back lately: what was kept of its pane then tells why."""
    return view.desired_state == "running" and view.session in ("dead", "missing") and history.attempts > 0


def _said(text: str) -> str:
    return one_line(hide_secrets(text), SAID_MAX)


def _notes(about: RowInputs) -> Iterable[str]:
    view = about.view
    if about.said and ended_again(view, about.history):
        yield f"its last line when it ended: {_said(about.said)}"
    if view.readiness is Readiness.WAITING and not view.asks:
        yield view.readiness_why
    if view.session == "alive" and about.session is not None and about.session.pane.in_mode:
        yield "its pane is in copy mode, and takes no messages until it leaves that"
    if _unanswered(about) and _young(about):
        yield "it has just started, and nothing has answered for it yet"
    if about.kind == "unmanaged":
        yield "a tmux session on the fleet's socket that the fleet did not start; it is left alone"
    if said := about.life.note(about.now):
        yield said
    if view.behind:
        yield _older(view, about.history)
    if view.desired_state in ("stopped", "absent"):
        yield f"declared {view.desired_state}"
    if about.suspended is not None:
        yield f"suspended by {about.suspended.by}: {about.suspended.reason}"
    left = about.session.leftover if about.session is not None else ()
    if left and about.kind == "agent":
        yield f"it has left processes behind in {', '.join(left)}"


def _older(view: AgentView, history: AgentHistory) -> str:
    """That it was given another mission or contract than git has, since when, and what was done about it."""
    what = " and ".join(changed_in(view.mission, view.mission_now))
    since = f" since {rfc3339(history.mission_since)}" if history.mission_since else ""
    done = "; it was told, or will be when it is available" if history.mission_told == view.mission_now else ""
    return f"it runs on an older {what}{since}{done}"


def _unanswered(about: RowInputs) -> bool:
    """A living agent that nobody answers for."""
    view = about.view
    living = view.session == "alive" and view.health is Health.HEALTHY
    return about.kind == "agent" and living and view.readiness is Readiness.UNKNOWN


def _young(about: RowInputs) -> bool:
    """Whether there was hardly time for a heartbeat since its start."""
    return bool(about.view.started) and about.now - about.view.started <= about.grace


def _wrong(about: RowInputs, sync: Sync, problems: Sequence[str]) -> bool:
    """Whether it needs somebody or something; what is stopped, suspended or paused on purpose does not."""
    if about.kind == "unmanaged" or about.suspended is not None or about.paused:
        return False
    return bool(problems) or sync is not Sync.SYNCED
