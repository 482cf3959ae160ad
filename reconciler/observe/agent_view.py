"""Views: one joined record for each agent, from all that was seen of it. The one state function: plan, status and every
listing read these. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from providers.base import Health, Kind, Present, ResourceKey
from providers.evidence import NO_SESSION, NO_UNIT, SessionEvidence, StartEvidence, UnitEvidence
from providers.kinds.unit import WANTS
from reconciler.model import AgentView, Inventory, Observation, Readiness
from reconciler.observe.attribution import CLOCK_SLACK_S, AttributedHeartbeat, judge_heartbeat, judge_turn
from reconciler.observe.clock_steps import stamp
from reconciler.observe.may_end import Who, may_end
from reconciler.observe.raw_evidence import sightings
from reconciler.observe.readiness import DRAFT, ReadinessEvidence, Shown, classify, is_idle, waits_for
from specs.compiled import Agent, Fleet, mission_digest

if TYPE_CHECKING:
    from providers.programs.base import Reading

NOT_SEEN = "could not be seen"
START_GRACE_S = 30.0  # how long a launch may take to become the declared program, also when many start at once


def build_views(
    fleet: Fleet, observation: Observation, inventory: Inventory, *, detail: bool = False
) -> dict[str, AgentView]:
    """Every declared agent, and every agent that we own or that something of ours on the host names. `detail`: each
    with every raw observation, which a run has no use for."""
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
    beats = fleet.heartbeats
    unit = UnitEvidence.of(observation.present.get(ResourceKey(Kind.UNIT, name))) or NO_UNIT
    session = observation.present.get(ResourceKey(Kind.SESSION, name))
    keys = [ResourceKey(kind, name) for kind in (Kind.SESSION, Kind.UNIT)]
    hidden = [observation.hidden(key) for key in keys]
    state = _session_state(session, hidden=bool(hidden[0]))
    seen = SessionEvidence.of(session) or NO_SESSION
    pane = seen.pane
    last = stamp(seen.last_activity, observation)
    created = stamp(seen.created, observation)
    beat, turn = judge_heartbeat(observation, name, seen, beats), judge_turn(observation, name, seen)
    word = newest_word(beat, turn)
    owned = inventory.agents.get(name)
    active = "unknown" if hidden[1] else unit.active
    enabled_hidden = hidden[1] or (ResourceKey(Kind.UNIT, WANTS) in observation.unclear)
    against = StartEvidence.of(observation.present.get(ResourceKey(Kind.PLACE, name))) or StartEvidence()
    # What a hook has to say happened just then, whether or not the pane shows it.
    active_at = max(last, turn.ts if not turn.note else 0.0)
    idle = max(0.0, observation.taken_at - active_at) if active_at and state not in ("missing", "dead") else None
    reading = seen.screen if state == "alive" else None
    shown, asks = _shown(reading, seen)
    said_ok, own_ok = _said_ok(beat, turn, last, agent)
    readiness = classify(
        ReadinessEvidence(
            seen=state != "unknown",
            pane=state == "alive" or (state == "foreign" and (agent is None or pane.moved)),
            process=bool(seen.pids),
            heartbeat=None if beat.state == "unknown" else word.status,
            heartbeat_age=beat.age or 0.0,
            stale_after=beat.stale_after,
            idle=idle,
            idle_after=beats.idle_after,
            waiting=word.waiting,
            stuck=word.stuck,
            own=beat.own,
            said_ok=said_ok,
            shown=shown,
            asks=asks,
            shown_busy=reading is not None and reading.turn == "busy",
        )
    )
    waiting = (waits_for(word.waiting, asks) or DRAFT) if readiness is Readiness.WAITING else ""
    quiet = is_idle(idle, beats.idle_after) if active_at else None
    blank = shown in ("hidden", "unread") and not asks
    if (blank or asks == "menu") and not own_ok:
        quiet = None  # a dialog that nobody knows may be about a step of its work: then its program would say so
    elif readiness is Readiness.STALE and said_ok:
        quiet = True  # whoever answers for it is silent, its program has spoken
    health, why = _health(agent, active, state, seen, observation.taken_at - created, beat, unit)
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
        started=seen.started,
        last_activity=last,
        heartbeat=beat.state,
        heartbeat_age=beat.age,
        heartbeat_note=beat.note,
        health=health,
        available=None,
        launch_digest=pane.launch,
        why=why,
        unseen=unseen,
        taken=seen.taken,
        no_start=against.why,
        stranded=against.stranded if state == "alive" else "",
        readiness=readiness,
        readiness_why=_readiness_why(readiness, state, seen, beat, word, idle),
        waiting=waiting,
        stuck=word.stuck,
        idle=idle,
        busy=(word.status if not turn.note else beat.state) == "busy",
        quiet=quiet,
        blank=blank,
        hung=_hung(agent, beat, seen) and state == "alive",
        mission=pane.mission if state == "alive" else "",
        mission_now=mission_digest(fleet, agent) if agent is not None else "",
        cpu_s=seen.usage.cpu_s if seen.usage is not None else None,
        memory=seen.usage.memory if seen.usage is not None else None,
        evidence=sightings(name, agent, unit, session, beat, turn, observation, last) if detail else (),
    )
    ending = may_end(view, Who.COMMIT)
    return replace(view, available=ending.allowed, may_stop_why=ending.why)


def _shown(reading: Reading | None, seen: SessionEvidence) -> tuple[Shown, str]:
    """What its screen shows, and the dialog on it."""
    if reading is None:
        return ("unread" if seen.unread else ""), ""
    words: dict[str, Shown] = {"empty": "composer", "draft": "draft", "hidden": "hidden"}
    return words[reading.composer], reading.asks


def _said_ok(
    beat: AttributedHeartbeat, turn: AttributedHeartbeat, last: float, agent: Agent | None
) -> tuple[bool, bool]:
    """Whether its own program's newest word is that it is not busy: after its last output, and at all. It paints a
    little more after its hook has run: a prompt, a line of status."""
    word = newest_word(beat, turn)
    hooks = not turn.note and word.status == "ok"
    native = beat.state == "ok" and beat.own and (agent is None or agent.native_heartbeat)
    after = last > 0 and ((hooks and word.ts >= last - CLOCK_SLACK_S) or (native and beat.ts > last))
    return after, hooks or native


def _hung(agent: Agent | None, beat: AttributedHeartbeat, seen: SessionEvidence) -> bool:
    """Whether its program speaks for itself and is silent, and its pane is quiet, too: for as long as that, not since
    the last heartbeat, for what hangs usually hangs on what it was sent after it."""
    quiet = seen.last_activity > 0 and (seen.idle_s or 0.0) > beat.stale_after
    return beat.state == "stale" and beat.own and quiet and agent is not None and agent.native_heartbeat


def _session_state(
    session: Present | None, *, hidden: bool
) -> Literal["alive", "dead", "missing", "foreign", "unknown"]:
    if hidden:
        return "unknown"
    seen = SessionEvidence.of(session) or NO_SESSION
    if seen.hidden:
        return "unknown"
    if session is None or not seen.pane.session:
        return "missing"
    if not session.ours:
        return "foreign"
    return "alive" if seen.alive else "dead"


def newest_word(beat: AttributedHeartbeat, turn: AttributedHeartbeat) -> AttributedHeartbeat:
    """What is known of its turn: what its own program said last. Something that answers for it only repeats that."""
    if not turn.note and (not beat.own or turn.ts >= beat.ts):
        return turn
    return beat


def _readiness_why(
    readiness: Readiness,
    session: str,
    seen: SessionEvidence,
    beat: AttributedHeartbeat,
    word: AttributedHeartbeat,
    idle: float | None,
) -> str:
    """What the word rests on, in a few words."""
    who = "its heartbeat" if word.source in ("", "native") else word.source
    said = f"{who}{f' ({word.event})' if word.event else ''}"
    quiet = "" if idle is None else f"no sign of activity for {idle:.0f} s"
    shown = seen.screen
    if readiness is Readiness.DEAD:
        why = {
            "missing": "it has no session",
            "dead": _ended(seen),
            "foreign": "its session's name is taken by another one",
        }
        return why.get(session, "no process lives in its pane")
    if readiness is Readiness.UNKNOWN:
        return "it could not be seen" if session == "unknown" else beat.note or _illegible(seen)
    if readiness is Readiness.STALE:
        return beat.note
    if readiness is Readiness.STUCK:
        return f"{said}: {word.stuck}"
    if readiness is Readiness.WAITING:
        if shown is not None and (shown.asks or shown.composer == "draft"):
            told = f": {shown.why}" if shown.asks and shown.why else ""
            return f"its screen{told}: it waits for a person ({shown.asks or DRAFT})"
        return f"{said}: it waits for a person ({word.waiting})"
    if readiness is Readiness.WORKING:
        if word.status == "busy":
            return f"{said} says busy"
        busy = shown is not None and shown.turn == "busy"
        return f"its screen: {shown.why}" if shown is not None and busy else f"active {idle or 0.0:.0f} s ago"
    return quiet


def _ended(seen: SessionEvidence) -> str:
    status = seen.pane.dead_status
    return "its program has ended" + (f" with status {status}" if status is not None else "")


def _illegible(seen: SessionEvidence) -> str:
    """Why nothing follows from the screen of a program whose screen can be read."""
    if seen.unread:
        return f"its screen could not be read: {seen.unread}"
    why = f" ({seen.screen.why})" if seen.screen is not None and seen.screen.why else ""
    return f"its screen shows neither its prompt nor a known dialog{why}"


def _health(
    agent: Agent | None,
    active: str,
    session: str,
    seen: SessionEvidence,
    age: float,
    beat: AttributedHeartbeat,
    unit: UnitEvidence,
) -> tuple[Health, str]:
    """`age`: of the pane's life, in seconds."""
    if agent is None:
        return Health.UNKNOWN, "not declared in git"
    if agent.held is not None:
        return Health.UNKNOWN, agent.held
    if session == "unknown" or active == "unknown":
        return Health.UNKNOWN, NOT_SEEN
    if agent.state != "running":
        gone = session == "missing" and active in ("inactive", "failed")
        return (Health.HEALTHY, "") if gone else (Health.UNHEALTHY, f"should be {agent.state}, still here")
    if active in ("activating", "deactivating") or unit.job:
        return Health.SETTLING, f"its unit is {active}"
    if session == "foreign":
        return Health.UNKNOWN, "a session of this name exists that is not ours"
    if session == "missing":
        return Health.UNHEALTHY, "it has no session"
    if session == "dead":
        return Health.UNHEALTHY, _ended(seen)
    if seen.launching:
        young = age < START_GRACE_S
        return (Health.SETTLING, "it is starting") if young else (Health.UNHEALTHY, "its launch does not finish")
    if seen.program != agent.runtime:
        young = age < 1.0  # a program may exec another on its way up
        wrong = f'"{seen.program}" runs in its pane, not {agent.runtime}'
        return (Health.SETTLING, "it is starting") if young else (Health.UNHEALTHY, wrong)
    if beat.state == "stale" and beat.own:
        # Of a sidecar's it says that whoever answers for the agent has stopped, and nothing about the agent.
        return Health.UNHEALTHY, beat.note + ("" if agent.native_heartbeat else ", not native")
    if active != "active":
        return Health.UNHEALTHY, f"its unit is {active}"
    return Health.HEALTHY, ""
