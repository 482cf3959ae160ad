"""Views: one joined record for each agent, from all that was seen of it. The one state function: plan, status and every
listing read these. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from providers.base import Health, Json, Kind, Present, ResourceKey
from providers.unit import WANTS
from reconciler.classify import DRAFT, Evidence, Readiness, Shown, classify, is_idle, waits_for
from reconciler.clock import stamp
from reconciler.credit import CLOCK_SLACK_S, Beat, judge_heartbeat, judge_turn
from reconciler.may_end import Who, may_end
from reconciler.model import AgentView, Inventory, Observation
from reconciler.sightings import sightings
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
    unit = observation.present.get(ResourceKey(Kind.UNIT, name))
    session = observation.present.get(ResourceKey(Kind.SESSION, name))
    keys = [ResourceKey(kind, name) for kind in (Kind.SESSION, Kind.UNIT)]
    hidden = [observation.hidden(key) for key in keys]
    state = _session_state(session, hidden=bool(hidden[0]))
    evidence: Mapping[str, Json] = session.evidence if session is not None else {}
    started = _number(evidence.get("started"))
    last = stamp(_number(evidence.get("last_activity")), observation)
    created = stamp(_number(evidence.get("created")), observation)
    beat, turn = judge_heartbeat(observation, name, session, beats), judge_turn(observation, name, session)
    word = newest_word(beat, turn)
    usage = evidence.get("usage")
    owned = inventory.agents.get(name)
    active = "unknown" if hidden[1] else str(unit.fields["active"]) if unit is not None else "inactive"
    enabled_hidden = hidden[1] or (ResourceKey(Kind.UNIT, WANTS) in observation.unclear)
    place = observation.present.get(ResourceKey(Kind.PLACE, name))
    program = str(session.fields["program"]) if session is not None else ""
    # What a hook has to say happened just then, whether or not the pane shows it.
    active_at = max(last, turn.ts if not turn.note else 0.0)
    idle = max(0.0, observation.taken_at - active_at) if active_at and state not in ("missing", "dead") else None
    reading: Reading | None = evidence.get("screen") if state == "alive" else None
    shown, asks = _shown(reading, evidence)
    said_ok, own_ok = _said_ok(beat, turn, last, agent)
    readiness = classify(
        Evidence(
            seen=state != "unknown",
            pane=state == "alive" or (state == "foreign" and (agent is None or bool(evidence.get("moved")))),
            process=bool(evidence.get("pids")),
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
    health, why = _health(
        agent, active, state, program, {**evidence, "created": created}, beat, observation.taken_at, unit
    )
    unseen = next((observation.unclear[key].unclear for key in keys if key in observation.unclear), "")
    if unseen and why == NOT_SEEN:
        why = f"{NOT_SEEN}: {unseen}"
    view = AgentView(
        name=name,
        agent_class=agent.agent_class if agent is not None else owned.agent_class if owned is not None else "",
        runtime=agent.runtime if agent is not None else "",
        desired_state=agent.state if agent is not None else "undeclared",
        unit_active=active,
        enabled=None if enabled_hidden else bool(unit.fields["enabled"]) if unit is not None else False,
        session=state,
        program=program,
        pid=int(_number(evidence.get("pid"))),
        pane=str(evidence.get("pane", "")),
        started=started,
        last_activity=last,
        heartbeat=beat.state,
        heartbeat_age=beat.age,
        heartbeat_note=beat.note,
        health=health,
        available=None,
        launch_digest=str(session.fields["launch"]) if session is not None else "",
        why=why,
        unseen=unseen,
        taken=bool(evidence.get("taken")),
        no_start=str(place.evidence["why"]) if place is not None else "",
        stranded=str(place.evidence.get("stranded", "")) if place is not None and state == "alive" else "",
        readiness=readiness,
        readiness_why=_readiness_why(readiness, state, evidence, beat, word, idle),
        waiting=waiting,
        stuck=word.stuck,
        idle=idle,
        busy=(word.status if not turn.note else beat.state) == "busy",
        quiet=quiet,
        blank=blank,
        hung=_hung(agent, beat, evidence) and state == "alive",
        mission=str(evidence.get("mission", "")) if state == "alive" else "",
        mission_now=mission_digest(fleet, agent) if agent is not None else "",
        cpu_s=usage.cpu_s if usage is not None else None,
        memory=usage.memory if usage is not None else None,
        evidence=sightings(name, agent, unit, session, beat, turn, observation, last) if detail else (),
    )
    ending = may_end(view, Who.COMMIT)
    return replace(view, available=ending.allowed, may_stop_why=ending.why)


def _shown(reading: Reading | None, evidence: Mapping[str, Json]) -> tuple[Shown, str]:
    """What its screen shows, and the dialog on it."""
    if reading is None:
        return ("unread" if evidence.get("unread") else ""), ""
    words: Mapping[str, Shown] = {"empty": "composer", "draft": "draft", "hidden": "hidden"}
    return words[reading.composer], reading.asks


def _said_ok(beat: Beat, turn: Beat, last: float, agent: Agent | None) -> tuple[bool, bool]:
    """Whether its own program's newest word is that it is not busy: after its last output, and at all. It paints a
    little more after its hook has run: a prompt, a line of status."""
    word = newest_word(beat, turn)
    hooks = not turn.note and word.status == "ok"
    native = beat.state == "ok" and beat.own and (agent is None or agent.native_heartbeat)
    after = last > 0 and ((hooks and word.ts >= last - CLOCK_SLACK_S) or (native and beat.ts > last))
    return after, hooks or native


def _hung(agent: Agent | None, beat: Beat, evidence: Mapping[str, Json]) -> bool:
    """Whether its program speaks for itself and is silent, and its pane is quiet, too: for as long as that, not since
    the last heartbeat, for what hangs usually hangs on what it was sent after it."""
    quiet = _number(evidence.get("last_activity")) > 0 and _number(evidence.get("idle_s")) > beat.stale_after
    return beat.state == "stale" and beat.own and quiet and agent is not None and agent.native_heartbeat


def _session_state(
    session: Present | None, *, hidden: bool
) -> Literal["alive", "dead", "missing", "foreign", "unknown"]:
    if hidden:
        return "unknown"
    if session is not None and session.evidence.get("hidden"):
        return "unknown"
    if session is None or not session.evidence.get("session"):
        return "missing"
    if not session.ours:
        return "foreign"
    return "alive" if session.fields["alive"] else "dead"


def newest_word(beat: Beat, turn: Beat) -> Beat:
    """What is known of its turn: what its own program said last. Something that answers for it only repeats that."""
    if not turn.note and (not beat.own or turn.ts >= beat.ts):
        return turn
    return beat


def _readiness_why(
    readiness: Readiness, session: str, evidence: Mapping[str, Json], beat: Beat, word: Beat, idle: float | None
) -> str:
    """What the word rests on, in a few words."""
    who = "its heartbeat" if word.source in ("", "native") else word.source
    said = f"{who}{f' ({word.event})' if word.event else ''}"
    quiet = "" if idle is None else f"no sign of activity for {idle:.0f} s"
    if readiness is Readiness.DEAD:
        status = evidence.get("dead_status")
        ended = "its program has ended" + (f" with status {status}" if status is not None else "")
        why = {"missing": "it has no session", "dead": ended, "foreign": "its session's name is taken by another one"}
        return why.get(session, "no process lives in its pane")
    if readiness is Readiness.UNKNOWN:
        return "it could not be seen" if session == "unknown" else beat.note or _illegible(evidence)
    if readiness is Readiness.STALE:
        return beat.note
    if readiness is Readiness.STUCK:
        return f"{said}: {word.stuck}"
    if readiness is Readiness.WAITING:
        reading: Reading | None = evidence.get("screen")
        if reading is not None and (reading.asks or reading.composer == "draft"):
            told = f": {reading.why}" if reading.asks and reading.why else ""
            return f"its screen{told}: it waits for a person ({reading.asks or DRAFT})"
        return f"{said}: it waits for a person ({word.waiting})"
    if readiness is Readiness.WORKING:
        if word.status == "busy":
            return f"{said} says busy"
        shown: Reading | None = evidence.get("screen")
        busy = shown is not None and shown.turn == "busy"
        return f"its screen: {shown.why}" if shown is not None and busy else f"active {idle or 0.0:.0f} s ago"
    return quiet


def _illegible(evidence: Mapping[str, Json]) -> str:
    """Why nothing follows from the screen of a program whose screen can be read."""
    if evidence.get("unread"):
        return f"its screen could not be read: {evidence['unread']}"
    reading: Reading | None = evidence.get("screen")
    why = f" ({reading.why})" if reading is not None and reading.why else ""
    return f"its screen shows neither its prompt nor a known dialog{why}"


def _health(
    agent: Agent | None,
    active: str,
    session: str,
    program: str,
    evidence: Mapping[str, object],
    beat: Beat,
    now: float,
    unit: Present | None,
) -> tuple[Health, str]:
    if agent is None:
        return Health.UNKNOWN, "not declared in git"
    if agent.held is not None:
        return Health.UNKNOWN, agent.held
    if session == "unknown" or active == "unknown":
        return Health.UNKNOWN, NOT_SEEN
    if agent.state != "running":
        gone = session == "missing" and active in ("inactive", "failed")
        return (Health.HEALTHY, "") if gone else (Health.UNHEALTHY, f"should be {agent.state}, still here")
    if active in ("activating", "deactivating") or (unit is not None and unit.evidence.get("job")):
        return Health.SETTLING, f"its unit is {active}"
    if session == "foreign":
        return Health.UNKNOWN, "a session of this name exists that is not ours"
    if session == "missing":
        return Health.UNHEALTHY, "it has no session"
    if session == "dead":
        status = evidence.get("dead_status")
        return Health.UNHEALTHY, "its program has ended" + (f" with status {status}" if status is not None else "")
    if evidence.get("launching"):
        young = now - _number(evidence.get("created")) < START_GRACE_S
        return (Health.SETTLING, "it is starting") if young else (Health.UNHEALTHY, "its launch does not finish")
    if program != agent.runtime:
        young = now - _number(evidence.get("created")) < 1.0  # a program may exec another on its way up
        wrong = f'"{program}" runs in its pane, not {agent.runtime}'
        return (Health.SETTLING, "it is starting") if young else (Health.UNHEALTHY, wrong)
    if beat.state == "stale" and beat.own:
        # Of a sidecar's it says that whoever answers for the agent has stopped, and nothing about the agent.
        return Health.UNHEALTHY, beat.note + ("" if agent.native_heartbeat else ", not native")
    if active != "active":
        return Health.UNHEALTHY, f"its unit is {active}"
    return Health.HEALTHY, ""


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
