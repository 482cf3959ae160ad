"""Agent views: join everything seen of each agent into one record. The only such function: plan, status and every
listing read its views. Pure."""

from __future__ import annotations

from providers.base import Kind, ResourceKey
from providers.evidence import NO_SESSION, NO_UNIT, SessionEvidence, StartEvidence, UnitEvidence
from providers.kinds.unit import WANTS
from reconciler.model import AgentHistory, AgentView, History, Inventory, Observation, Readiness
from reconciler.observe.attribution import judge_heartbeat, judge_turn
from reconciler.observe.clock_steps import stamp
from reconciler.observe.health import NOT_SEEN, HealthFacts, health_of, session_state
from reconciler.observe.live_state import StateEvidence, live_state
from reconciler.observe.may_end import Who, may_end
from reconciler.observe.raw_evidence import raw_evidence
from reconciler.observe.readiness import is_idle
from reconciler.observe.signs_of_work import SignsOfWork, is_hung, is_quiet
from specs.compiled import Agent, Fleet, mission_digest
from specs.dataclass import replace

NO_HISTORY = History()


def build_views(
    fleet: Fleet, observation: Observation, inventory: Inventory, history: History = NO_HISTORY, *, detail: bool = False
) -> dict[str, AgentView]:
    """One view for each agent that is declared, that we own, or that something of ours on the host names. `history`:
    what earlier looks kept. `detail`: include every raw observation, which a run does not need."""
    declared = {agent.name: agent for agent in fleet.agents}
    names = set(declared) | set(inventory.agents)
    names |= {seen.agent for seen in observation.present.values() if seen.agent and "@" not in seen.key.name}
    return {
        name: _view(name, declared.get(name), fleet, observation, inventory, history.agents.get(name), detail=detail)
        for name in sorted(names)
    }


def _view(
    name: str,
    agent: Agent | None,
    fleet: Fleet,
    observation: Observation,
    inventory: Inventory,
    known: AgentHistory | None,
    *,
    detail: bool,
) -> AgentView:
    heartbeats = fleet.heartbeats
    unit = UnitEvidence.of(observation.present.get(ResourceKey(Kind.UNIT, name))) or NO_UNIT
    session = observation.present.get(ResourceKey(Kind.SESSION, name))
    keys = [ResourceKey(kind, name) for kind in (Kind.SESSION, Kind.UNIT)]
    hidden = [observation.hidden(key) for key in keys]
    state = session_state(session, hidden=bool(hidden[0]))
    seen = SessionEvidence.of(session) or NO_SESSION
    pane = seen.pane
    last = stamp(seen.last_activity, observation)
    created = stamp(seen.created, observation)
    heartbeat, turn = judge_heartbeat(observation, name, seen, heartbeats), judge_turn(observation, name, seen)
    life = f"{pane.pid}.{seen.start_ticks}" if pane.pid else ""
    owned = inventory.agents.get(name)
    active = "unknown" if hidden[1] else unit.active
    enabled_hidden = hidden[1] or (ResourceKey(Kind.UNIT, WANTS) in observation.unclear)
    against = StartEvidence.of(observation.present.get(ResourceKey(Kind.PLACE, name))) or StartEvidence()
    # What a hook reports has just happened, whether or not the pane shows it.
    active_at = max(last, turn.ts if not turn.note else 0.0)
    idle = max(0.0, observation.taken_at - active_at) if active_at and state not in ("missing", "dead") else None
    kept = known.trouble if known is not None else None
    now = live_state(
        StateEvidence(
            session=state, seen=seen, heartbeat=heartbeat, turn=turn, now=observation.taken_at, agent=agent, last=last,
            idle=idle, idle_after=heartbeats.idle_after, life=life, kept=kept,
        )
    )  # fmt: skip
    signs = SignsOfWork(
        unreadable=now.blank or now.asks == "menu",
        own_ok=now.own_ok,
        said_ok=now.said_ok,
        stale=now.readiness is Readiness.STALE,
        known=bool(active_at),
        idle=is_idle(idle, heartbeats.idle_after),
    )
    health, why = health_of(
        HealthFacts(
            agent=agent, active=active, session=state, seen=seen, age=observation.taken_at - created,
            heartbeat=heartbeat, job=unit.job,
        )
    )  # fmt: skip
    unseen = next((observation.unclear[key].unclear for key in keys if key in observation.unclear), "")
    if unseen and why == NOT_SEEN:
        why = f"{NOT_SEEN}: {unseen}"
    view = AgentView(
        name=name,
        agent_class=agent.agent_class if agent is not None else owned.agent_class if owned is not None else "",
        runtime=agent.runtime if agent is not None else "",
        desired_state=agent.state if agent is not None else "undeclared",
        unit_active=active,
        enabled=None if enabled_hidden else unit.enabled,
        session=state,
        program=seen.program,
        pid=pane.pid,
        pane=pane.id,
        socket=seen.socket,
        life=life,
        started=seen.started,
        last_activity=last,
        heartbeat=heartbeat.state,
        heartbeat_age=heartbeat.age,
        heartbeat_note=heartbeat.note,
        health=health,
        available=None,
        launch_digest=pane.launch,
        why=why,
        unseen=unseen,
        taken=seen.taken,
        no_start=against.why,
        stranded=against.stranded if state == "alive" else "",
        readiness=now.readiness,
        readiness_why=now.why,
        waiting=now.waiting,
        question=now.dialog.question,
        choices=now.dialog.choices,
        takes_text=now.dialog.takes_text,
        stuck=now.stuck,
        until=now.until,
        until_at=now.until_at,
        trouble=now.trouble,
        queued=now.queued,
        idle=idle,
        busy=now.busy,
        quiet=is_quiet(signs),
        blank=now.blank,
        hung=is_hung(agent, heartbeat, seen) and state == "alive",
        mission=pane.mission if state == "alive" else "",
        mission_now=mission_digest(fleet, agent) if agent is not None else "",
        cpu_s=seen.usage.cpu_s if seen.usage is not None else None,
        memory=seen.usage.memory if seen.usage is not None else None,
        evidence=raw_evidence(name, agent, unit, session, heartbeat, turn, observation, last) if detail else (),
    )
    ending = may_end(view, Who.COMMIT)
    return replace(view, available=ending.allowed, may_stop_why=ending.why)
