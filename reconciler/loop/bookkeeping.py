"""Bookkeeping: compute what a run leaves for the next one, inventory and history. Pure; the loop decides when to write
it.

Both are written ahead: we own an agent before we make the first of its things, and count a start before we make it, so
that a crash at any instruction loses neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from providers.base import Action, Health, HeldReason, Kind, Present, ResourceKey, Verb
from providers.kinds.unit import WANTS
from providers.launch.environment import launch_digest, launch_fields
from providers.names import UNIT_SUFFIXES
from reconciler.model import AgentHistory, AgentView, History, Inventory, Observation, Outcome, Owned, Plan
from reconciler.plan.holding import backoff
from reconciler.plan.holding.forced import still_due
from reconciler.plan.needs import relaunch_due, went_on
from specs.compiled import Agent, Fleet
from specs.dataclass import replace

WAITING = (HeldReason.WORKING, HeldReason.MAX_UNAVAILABLE, HeldReason.LIMIT)
PROCESS_VERBS = (Verb.START, Verb.RESTART)
FILES = (Kind.FRAMEWORK, Kind.PROJECTION)  # kinds whose things are the fleet's shared files, by path


def history_for(fleet: Fleet, history: History) -> History:
    """The history that counts for the present declaration: a new launch digest clears an agent's history, and so does a
    time in which it is to be stopped."""
    agents, nothing = dict(history.agents), AgentHistory()
    for agent in fleet.agents:
        known = agents.get(agent.name, nothing)
        runs = agent.held is None and agent.state == "running"
        agents[agent.name] = backoff.for_launch(known, launch_digest(agent) if runs else "")
    return replace(history, agents=agents) if agents != history.agents else history


def history_after_look(plan: Plan, history: History, fleet: Fleet, unit_files: str = "") -> History:
    """What one look shows: who has been healthy or waiting since when, and who is gone. `unit_files`: digest of the
    unit files that systemd has read, "" if unknown."""
    now = plan.observed_at
    waiting = {held.agent for held in plan.held if held.reason in WAITING}
    busy = {action.agent for action in plan.actions} | {held.agent for held in plan.held}
    agents: dict[str, AgentHistory] = {}
    declared = {agent.name: agent for agent in fleet.agents}
    for name, view in plan.views.items():
        known = history.agents.get(name)
        gone = view.desired_state == "undeclared" and (view.session, view.unit_active) == ("missing", "inactive")
        if known is None or gone:
            continue
        healthy = view.health is Health.HEALTHY
        known = backoff.by_this_clock(known, now)
        known = backoff.observed_health(known, healthy=healthy, policy=fleet.policy, now=now)
        if known.relaunch_pid and view.session != "unknown" and not relaunch_due(known, view):
            known = replace(known, relaunch_pid=0, relaunch_started=0.0)  # that process is gone, whoever ended it
        if went_on(known, view):
            known = replace(known, resumed_pid=0, resumed_started=0.0)
        known = still_due(known, view, declared.get(name), fleet.revision)
        since = (known.waiting_since or now) if name in waiting else 0.0
        sync = (known.in_sync_since or now) if healthy and name not in busy else 0.0
        if since != known.waiting_since or sync != known.in_sync_since:
            known = replace(known, waiting_since=since, in_sync_since=sync)
        if known.trouble != view.trouble:
            known = replace(known, trouble=view.trouble)
        if known.limit_nudged and (view.trouble is None or view.trouble.over):
            known = replace(known, limit_nudged="")
        agents[name] = _mission(known, view, now)
    heals = backoff.recent_heals(history, now)
    due = history.reload_due or any(one.verb is Verb.RELOAD for one in plan.actions)
    read = history.unit_files if due or not unit_files else unit_files
    if agents == history.agents and (heals, read) == (history.heals, history.unit_files):
        return history
    return replace(history, agents=agents, heals=heals, unit_files=read)


def _mission(known: AgentHistory, view: AgentView, now: float) -> AgentHistory:
    """When its mission became outdated, and what was done about it; cleared once it has the newest, or ended."""
    if view.session == "unknown":
        return known
    if view.behind:
        return known if known.mission_since else replace(known, mission_since=now)
    if known.mission_since or known.mission_told or known.mission_reset:
        return replace(known, mission_since=0.0, mission_told="", mission_reset="")
    return known


def history_before(actions: Sequence[Action], plan: Plan, history: History, fleet: Fleet, now: float) -> History:
    """What must be recorded before the next instruction, which may be our last."""
    agents, heals, reload_due = dict(history.agents), list(history.heals), history.reload_due
    release = history.holder_release
    for action in actions:
        if action.key.kind is Kind.FRAMEWORK and action.key.name.endswith(UNIT_SUFFIXES):
            reload_due = True
        if action.key.kind is Kind.HOLDER and action.verb is Verb.RESTART:
            release = ""
        if action.agent is None or action.verb not in PROCESS_VERBS or action.key.kind is not Kind.UNIT:
            continue
        known = agents.get(action.agent, AgentHistory())
        if action.agent in plan.heals:
            agents[action.agent] = backoff.recorded_start(action.agent, known, fleet.policy, now)
            heals.append(now)
        else:
            agents[action.agent] = backoff.noted_start(known, now)
    return replace(history, agents=agents, heals=tuple(heals), reload_due=reload_due, holder_release=release)


def history_after(outcomes: Iterable[Outcome], history: History) -> History:
    """A completed reload is no longer due; the next look sees what systemd read."""
    if any(o.action.verb is Verb.RELOAD and o.result == "done" for o in outcomes):
        return replace(history, reload_due=False, unit_files="")
    return history


def inventory_before(plan: Plan, inventory: Inventory, fleet: Fleet) -> Inventory:
    """Everything that this plan may create belongs to us before it exists."""
    declared = {agent.name: agent for agent in fleet.agents}
    agents, files = dict(inventory.agents), set(inventory.files)
    for action in plan.actions:
        if action.key.kind in FILES and action.verb in (Verb.WRITE, Verb.PROJECT):
            files.add(action.key.name)
        agent = declared.get(action.agent or "")
        if agent is not None and action.verb in (Verb.WRITE, Verb.ENABLE, *PROCESS_VERBS) and agent.name not in agents:
            agents[agent.name] = _fresh(agent)
    return _changed(inventory, agents, files)


def inventory_after_look(plan: Plan, observation: Observation, inventory: Inventory, fleet: Fleet) -> Inventory:
    """What one look confirms: we own what runs, with the launch it was given; what is neither declared nor seen any
    more is dropped."""
    declared = {agent.name: agent for agent in fleet.agents}
    present = _present_agents(observation)
    agents = dict(inventory.agents)
    for name, view in plan.views.items():
        agent, owned = declared.get(name), agents.get(name)
        if agent is not None and agent.held is None and agent.state != "absent":
            fresh = _owned(agent, view, owned)
            if fresh is not None:
                agents[name] = fresh
        elif (
            owned is not None
            and name not in present
            and _is_certain(name, observation)
            and (agent is None or agent.state == "absent")
        ):
            del agents[name]
    files = set(inventory.files)
    if not observation.unknown.keys() & set(FILES):
        seen = {key.name for key in (*observation.present, *observation.unclear) if key.kind in FILES}
        files &= seen | {action.key.name for action in plan.actions}
        # A generated mission file is this fleet's, even after our memory was lost.
        mission = {key for key in observation.present if fleet.mission and key.kind is Kind.PROJECTION}
        files |= {key.name for key in mission if observation.present[key].ours}
    floor = inventory.floor if plan.refused else fleet.policy.floor
    return replace(_changed(inventory, agents, files), floor=floor)


def _is_certain(name: str, observation: Observation) -> bool:
    """Whether everything that may exist of an agent could be seen."""
    kinds = (Kind.UNIT, Kind.SESSION, Kind.ENV, Kind.EXTRAS)
    hidden = any(observation.hidden(ResourceKey(kind, name)) for kind in kinds)
    return not hidden and ResourceKey(Kind.UNIT, WANTS) not in observation.unclear


def _owned(agent: Agent, view: AgentView, owned: Owned | None) -> Owned | None:
    """If an agent lives with the declared launch, remember all of that launch, so that the next change can be named."""
    digest = launch_digest(agent)
    if view.session == "alive" and view.launch_digest == digest:
        if owned is not None and owned.launch_digest == digest and _known(owned, agent):
            return None
        return replace(_fresh(agent), launch_digest=digest, launch=launch_fields(agent))
    if agent.state == "stopped" and view.session == "missing" and owned is not None and owned.launch_digest:
        return _fresh(agent)  # its next start is a first one, and not a heal
    if owned is not None and not _known(owned, agent):
        return replace(owned, agent_class=agent.agent_class, depends_on=agent.depends_on)
    if owned is None and view.session == "alive":
        return replace(_fresh(agent), launch_digest=view.launch_digest)
    return None


def _fresh(agent: Agent) -> Owned:
    return Owned(agent_class=agent.agent_class, socket=agent.socket, depends_on=agent.depends_on)


def _known(owned: Owned, agent: Agent) -> bool:
    return (owned.agent_class, owned.depends_on) == (agent.agent_class, agent.depends_on)


def _present_agents(observation: Observation) -> set[str]:
    return {seen.agent for key, seen in observation.present.items() if seen.agent and _counts(key.kind, seen)}


def _counts(kind: Kind, seen: Present) -> bool:
    return kind is not Kind.HEARTBEAT and seen.ours


def _changed(inventory: Inventory, agents: Mapping[str, Owned], files: set[str]) -> Inventory:
    if agents == inventory.agents and files == inventory.files:
        return inventory
    return replace(inventory, agents=agents, files=frozenset(files))
