"""Views: one joined record for each agent, from all that was seen of it. The one state function: plan, status and every
listing read these. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from providers.base import Health, Kind, Present, ResourceKey
from reconciler.clock import stamp
from reconciler.model import AgentView, Inventory, Observation
from specs.compiled import Agent, Fleet, Heartbeats

START_GRACE_S = 10.0  # how long a launch may take to become the declared program
CLOCK_SLACK_S = 2.0  # /proc knows a start to 10 ms, a heartbeat to 1 s


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat, judged. `age` is None where there is none to speak of. `own`: written by a process in the pane, and
    not by something that answers for it."""

    state: Literal["ok", "busy", "stale", "unknown"]
    age: float | None
    ts: float
    note: str
    own: bool = False


def build_views(fleet: Fleet, observation: Observation, inventory: Inventory) -> dict[str, AgentView]:
    """Every declared agent, and every agent that we own or that something of ours on the host names."""
    declared = {agent.name: agent for agent in fleet.agents}
    names = set(declared) | set(inventory.agents)
    names |= {seen.agent for seen in observation.present.values() if seen.agent and "@" not in seen.key.name}
    return {name: _view(name, declared.get(name), fleet.heartbeats, observation, inventory) for name in sorted(names)}


def _view(
    name: str, agent: Agent | None, beats: Heartbeats, observation: Observation, inventory: Inventory
) -> AgentView:
    unit = observation.present.get(ResourceKey(Kind.UNIT, name))
    session = observation.present.get(ResourceKey(Kind.SESSION, name))
    state = _session_state(session, observation.unknown)
    evidence: Mapping[str, object] = session.evidence if session is not None else {}
    started = _number(evidence.get("started"))
    last = stamp(_number(evidence.get("last_activity")), observation)
    created = stamp(_number(evidence.get("created")), observation)
    beat = judge_heartbeat(observation, name, session, started, agent, beats)
    owned = inventory.agents.get(name)
    unit_unknown = Kind.UNIT in observation.unknown
    active = "unknown" if unit_unknown else str(unit.fields["active"]) if unit is not None else "inactive"
    program = str(session.fields["program"]) if session is not None else ""
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
        available=_available(state, beat, last, observation.taken_at, beats, agent),
        launch_digest=str(session.fields["launch"]) if session is not None else "",
        why=why,
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


def judge_heartbeat(
    observation: Observation,
    name: str,
    session: Present | None,
    started: float,
    agent: Agent | None,
    beats: Heartbeats,
) -> Beat:
    """A heartbeat counts for the process that wrote it. One from an earlier life, from another process, or from the
    future says nothing; an old one is stale."""
    if Kind.HEARTBEAT in observation.unknown:
        return Beat("unknown", None, 0.0, observation.unknown[Kind.HEARTBEAT])
    seen = observation.present.get(ResourceKey(Kind.HEARTBEAT, name))
    if seen is None:
        return Beat("unknown", None, 0.0, "no heartbeat file")
    if seen.evidence.get("error"):
        return Beat("unknown", None, 0.0, str(seen.evidence["error"]))
    written = _number(seen.evidence.get("ts"))
    ts = stamp(written, observation)
    age = observation.taken_at - ts
    native = agent is not None and agent.native_heartbeat
    if session is None or not session.fields["alive"]:
        return Beat("unknown", age, ts, "no process to credit it to")
    if started and ts < started - CLOCK_SLACK_S:
        return Beat("unknown", age, ts, "from before this process started")
    words = seen.evidence.get("words")
    words = words if isinstance(words, Mapping) else {}
    source = words.get("source", "native")
    pids = session.evidence.get("pids")
    if source != "sidecar" and isinstance(pids, tuple) and pids and seen.evidence.get("pid") not in pids:
        return Beat("unknown", age, ts, f"written by pid {seen.evidence.get('pid')}, which is not in the pane")
    if age < -beats.stale_after:
        return Beat("unknown", age, ts, "its time lies in the future")
    if age > max(beats.stale_after, 3.0 * _seconds(words.get("interval"))):
        return Beat("stale", age, ts, f"last heartbeat {age:.0f} s ago" + ("" if native else ", not native"))
    state: Literal["busy", "ok"] = "busy" if seen.evidence.get("status") == "busy" else "ok"
    return Beat(state, max(0.0, age), ts, "", own=source != "sidecar")


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
    if beat.state == "stale":
        return Health.UNHEALTHY, beat.note
    if active != "active":
        return Health.UNHEALTHY, f"its unit is {active}"
    return Health.HEALTHY, ""


def _available(
    session: str,
    beat: Beat,
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
    if beat.state == "busy":
        return False
    if not last:
        return None
    its_word = beat.own and (agent is None or agent.native_heartbeat)
    if beat.state == "ok" and its_word and beat.ts > last:
        return True
    return now - last >= beats.idle_after


def _seconds(word: object) -> float:
    """The interval that the writer itself keeps to: what git says now holds from its next start on. At most an hour, or
    a word in a file could put off the judgement for ever."""
    try:
        value = float(str(word))
    except ValueError:
        return 0.0
    return value if 0.0 < value <= 3600.0 else 0.0


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
