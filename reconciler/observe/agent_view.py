"""Agent views: join everything seen of each agent into one record. The only such function: plan, status and every
listing read its views. Pure."""

from __future__ import annotations

from providers.base import Kind, ResourceKey
from providers.evidence import NO_SESSION, NO_UNIT, SessionEvidence, StartEvidence, UnitEvidence
from providers.kinds.unit import WANTS
from providers.programs.base import Reading
from reconciler.model import AgentView, Inventory, Observation, Readiness
from reconciler.observe.attribution import AttributedHeartbeat, judge_heartbeat, judge_turn
from reconciler.observe.clock_steps import stamp
from reconciler.observe.health import NOT_SEEN, HealthFacts, ended, health_of, session_state
from reconciler.observe.may_end import Who, may_end
from reconciler.observe.raw_evidence import raw_evidence
from reconciler.observe.readiness import DRAFT, ReadinessEvidence, Shown, classify, is_idle, waits_for
from reconciler.observe.signs_of_work import SignsOfWork, is_hung, is_quiet, newest_word, says_done
from specs.compiled import Agent, Fleet, mission_digest
from specs.dataclass import replace

NO_DIALOG = Reading()


def build_views(
    fleet: Fleet, observation: Observation, inventory: Inventory, *, detail: bool = False
) -> dict[str, AgentView]:
    """One view for each agent that is declared, that we own, or that something of ours on the host names. `detail`:
    include every raw observation, which a run does not need."""
    declared = {agent.name: agent for agent in fleet.agents}
    names = set(declared) | set(inventory.agents)
    names |= {seen.agent for seen in observation.present.values() if seen.agent and "@" not in seen.key.name}
    return {
        name: _view(name, declared.get(name), fleet, observation, inventory, detail=detail) for name in sorted(names)
    }


def _view(
    name: str,
    agent: Agent | None,
    fleet: Fleet,
    observation: Observation,
    inventory: Inventory,
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
    word = newest_word(heartbeat, turn)
    owned = inventory.agents.get(name)
    active = "unknown" if hidden[1] else unit.active
    enabled_hidden = hidden[1] or (ResourceKey(Kind.UNIT, WANTS) in observation.unclear)
    against = StartEvidence.of(observation.present.get(ResourceKey(Kind.PLACE, name))) or StartEvidence()
    # What a hook reports has just happened, whether or not the pane shows it.
    active_at = max(last, turn.ts if not turn.note else 0.0)
    idle = max(0.0, observation.taken_at - active_at) if active_at and state not in ("missing", "dead") else None
    reading = seen.screen if state == "alive" else None
    shown, asks = _shown(reading, seen)
    said_ok, own_ok = says_done(heartbeat, turn, last, agent)
    readiness = classify(
        ReadinessEvidence(
            seen=state != "unknown",
            pane=state == "alive" or (state == "foreign" and (agent is None or pane.moved)),
            process=bool(seen.pids),
            heartbeat=None if heartbeat.state == "unknown" else word.status,
            heartbeat_age=heartbeat.age or 0.0,
            stale_after=heartbeat.stale_after,
            idle=idle,
            idle_after=heartbeats.idle_after,
            waiting=word.waiting,
            stuck=word.stuck,
            own=heartbeat.own,
            said_ok=said_ok,
            shown=shown,
            asks=asks,
            shown_busy=reading is not None and reading.turn == "busy",
        )
    )
    waiting = (waits_for(word.waiting, asks) or DRAFT) if readiness is Readiness.WAITING else ""
    asked = reading if reading is not None and asks and readiness is Readiness.WAITING else NO_DIALOG
    blank = shown in ("hidden", "unread") and not asks
    signs = SignsOfWork(
        unreadable=blank or asks == "menu",
        own_ok=own_ok,
        said_ok=said_ok,
        stale=readiness is Readiness.STALE,
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
        life=f"{pane.pid}.{seen.start_ticks}" if pane.pid else "",
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
        readiness=readiness,
        readiness_why=_readiness_why(readiness, state, seen, heartbeat, word, idle),
        waiting=waiting,
        question=asked.question,
        choices=asked.choices,
        takes_text=asked.takes_text,
        stuck=word.stuck if readiness is Readiness.STUCK else "",
        until=reading.until if reading is not None and readiness is Readiness.STUCK else "",
        idle=idle,
        busy=(word.status if not turn.note else heartbeat.state) == "busy",
        quiet=is_quiet(signs),
        blank=blank,
        hung=is_hung(agent, heartbeat, seen) and state == "alive",
        mission=pane.mission if state == "alive" else "",
        mission_now=mission_digest(fleet, agent) if agent is not None else "",
        cpu_s=seen.usage.cpu_s if seen.usage is not None else None,
        memory=seen.usage.memory if seen.usage is not None else None,
        evidence=raw_evidence(name, agent, unit, session, heartbeat, turn, observation, last) if detail else (),
    )
    ending = may_end(view, Who.COMMIT)
    return replace(view, available=ending.allowed, may_stop_why=ending.why)


def _shown(reading: Reading | None, seen: SessionEvidence) -> tuple[Shown, str]:
    """What its screen shows, and the dialog on it."""
    if reading is None:
        return ("unread" if seen.unread else ""), ""
    words: dict[str, Shown] = {"empty": "composer", "draft": "draft", "hidden": "hidden"}
    return words[reading.composer], reading.asks


def _readiness_why(
    readiness: Readiness,
    session: str,
    seen: SessionEvidence,
    heartbeat: AttributedHeartbeat,
    word: AttributedHeartbeat,
    idle: float | None,
) -> str:
    """The evidence for the readiness word, in a few words."""
    who = "its heartbeat" if word.source in ("", "native") else word.source
    said = f"{who}{f' ({word.event})' if word.event else ''}"
    quiet = "" if idle is None else f"no sign of activity for {idle:.0f} s"
    shown = seen.screen
    if readiness is Readiness.DEAD:
        why = {
            "missing": "it has no session",
            "dead": ended(seen),
            "foreign": "its session's name is taken by another one",
        }
        return why.get(session, "no process lives in its pane")
    if readiness is Readiness.UNKNOWN:
        return "it could not be seen" if session == "unknown" else heartbeat.note or _illegible(seen)
    if readiness is Readiness.STALE:
        return heartbeat.note
    if readiness is Readiness.STUCK:
        return f"{said}: {word.stuck}"
    if readiness is Readiness.WAITING:
        if shown is not None and (shown.asks or shown.composer == "draft"):
            suffix = f": {shown.why}" if shown.asks and shown.why else ""
            return f"its screen{suffix}: it waits for a person ({shown.asks or DRAFT})"
        return f"{said}: it waits for a person ({word.waiting})"
    if readiness is Readiness.WORKING:
        if word.status == "busy":
            return f"{said} says busy"
        busy = shown is not None and shown.turn == "busy"
        return f"its screen: {shown.why}" if shown is not None and busy else f"active {idle or 0.0:.0f} s ago"
    return quiet


def _illegible(seen: SessionEvidence) -> str:
    """Why the screen tells nothing, for a program whose screens we can read."""
    if seen.unread:
        return f"its screen could not be read: {seen.unread}"
    why = f" ({seen.screen.why})" if seen.screen is not None and seen.screen.why else ""
    return f"its screen shows neither its prompt nor a known dialog{why}"
