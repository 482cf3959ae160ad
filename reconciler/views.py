"""Views: one joined record for each agent, from all that was seen of it. The one state function: plan, status and every
listing read these. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from providers.base import Health, Json, Kind, Present, ResourceKey
from reconciler.classify import Evidence, Readiness, classify, is_idle
from reconciler.clock import stamp
from reconciler.credit import CLOCK_SLACK_S, Beat, judge_heartbeat, judge_turn
from reconciler.model import AgentView, Inventory, Observation
from reconciler.sightings import sightings
from specs.compiled import Agent, Fleet, Heartbeats, mission_digest

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
    state = _session_state(session, observation.unknown)
    evidence: Mapping[str, Json] = session.evidence if session is not None else {}
    started = _number(evidence.get("started"))
    last = stamp(_number(evidence.get("last_activity")), observation)
    created = stamp(_number(evidence.get("created")), observation)
    beat, turn = judge_heartbeat(observation, name, session, beats), judge_turn(observation, name, session)
    word = newest_word(beat, turn)
    usage = evidence.get("usage")
    owned = inventory.agents.get(name)
    unit_unknown = Kind.UNIT in observation.unknown
    active = "unknown" if unit_unknown else str(unit.fields["active"]) if unit is not None else "inactive"
    program = str(session.fields["program"]) if session is not None else ""
    # What a hook has to say happened just then, whether or not the pane shows it.
    active_at = max(last, turn.ts if not turn.note else 0.0)
    idle = max(0.0, observation.taken_at - active_at) if active_at and state not in ("missing", "dead") else None
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
        )
    )
    health, why = _health(
        agent, active, state, program, {**evidence, "created": created}, beat, observation.taken_at, unit
    )
    return AgentView(
        name=name,
        agent_class=agent.agent_class if agent is not None else owned.agent_class if owned is not None else "",
        runtime=agent.runtime if agent is not None else "",
        desired_state=agent.state if agent is not None else "undeclared",
        unit_active=active,
        enabled=None if unit_unknown else bool(unit.fields["enabled"]) if unit is not None else False,
        session=state,
        program=program,
        pid=int(_number(evidence.get("pid"))),
        started=started,
        last_activity=last,
        heartbeat=beat.state,
        heartbeat_age=beat.age,
        heartbeat_note=beat.note,
        health=health,
        available=_available(state, beat, turn, last, observation.taken_at, beats, agent),
        launch_digest=str(session.fields["launch"]) if session is not None else "",
        why=why,
        readiness=readiness,
        readiness_why=_readiness_why(readiness, state, evidence, beat, word, idle),
        waiting=word.waiting,
        stuck=word.stuck,
        idle=idle,
        mission=str(evidence.get("mission", "")) if state == "alive" else "",
        mission_now=mission_digest(fleet, agent) if agent is not None else "",
        cpu_s=usage.cpu_s if usage is not None else None,
        memory=usage.memory if usage is not None else None,
        evidence=sightings(agent, unit, session, beat, turn, observation, last) if detail else (),
    )


def _session_state(
    session: Present | None, unknown: Mapping[Kind, str]
) -> Literal["alive", "dead", "missing", "foreign", "unknown"]:
    if Kind.SESSION in unknown:
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
    readiness: Readiness, session: str, evidence: Mapping[str, object], beat: Beat, word: Beat, idle: float | None
) -> str:
    """What the word rests on, in a few words."""
    said = f"{word.source or 'its heartbeat'}{f' ({word.event})' if word.event else ''}"
    quiet = "" if idle is None else f"no sign of activity for {idle:.0f} s"
    if readiness is Readiness.DEAD:
        status = evidence.get("dead_status")
        ended = "its program has ended" + (f" with status {status}" if status is not None else "")
        why = {"missing": "it has no session", "dead": ended, "foreign": "its session's name is taken by another one"}
        return why.get(session, "no process lives in its pane")
    if readiness is Readiness.UNKNOWN:
        return "it could not be seen" if session == "unknown" else beat.note
    if readiness is Readiness.STALE:
        return beat.note
    if readiness is Readiness.STUCK:
        return f"{said}: {word.stuck}"
    if readiness is Readiness.WAITING:
        return f"{said}: it waits for a person ({word.waiting})"
    if readiness is Readiness.WORKING:
        return f"{said} says busy" if word.status == "busy" else f"active {idle or 0.0:.0f} s ago"
    return quiet


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
        return Health.UNKNOWN, "could not be seen"
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


def _available(
    session: str,
    beat: Beat,
    turn: Beat,
    last: float,
    now: float,
    beats: Heartbeats,
    agent: Agent | None,
) -> bool | None:
    """Whether ending it now would interrupt nothing: its own word that it is not busy, given after its last output,
    or no sign of work for `idle_after`. Never True where a sign is missing."""
    if session in ("dead", "missing"):
        return True
    if session != "alive":
        return None
    hooks = not turn.note
    word = newest_word(beat, turn)
    if word.waiting in ("permission", "question"):
        return False  # it is in the middle of a turn, and somebody is to answer
    if (word.status if hooks else beat.state) == "busy":
        return False
    if not last:
        return None
    # A program paints a little more after its hook has run: a prompt, a line of status.
    if hooks and word.status == "ok" and word.ts >= last - CLOCK_SLACK_S:
        return True
    its_word = beat.own and (agent is None or agent.native_heartbeat)
    if beat.state == "ok" and its_word and beat.ts > last:
        return True
    return is_idle(now - max(last, turn.ts if hooks else 0.0), beats.idle_after)


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
