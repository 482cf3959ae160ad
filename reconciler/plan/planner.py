"""The planner: turn changes into ordered actions, each with a reason, and say what is held and why. Pure: the same
values always make the same plan, in whatever order they come."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from providers.base import Action, HeldReason, Kind, Reason, Verb
from providers.kinds import reseed
from providers.names import agent_unit
from providers.shipped.uses import Use
from reconciler.model import AgentHistory, AgentView, Change, History, Inventory, Observation, Plan, Verdict
from reconciler.observe.agent_view import build_views
from reconciler.plan.agents import blocker, plan_enablement, plan_extras, plan_files, plan_process, plan_second_session
from reconciler.plan.draft import Draft
from reconciler.plan.holding import backoff
from reconciler.plan.holding.floor import floor_of, is_floor_class
from reconciler.plan.holding.forced import with_force
from reconciler.plan.holding.guards import FLOOR_CLASSES, refusals
from reconciler.plan.holding.losses import with_losses
from reconciler.plan.holding.moving import moving_to, why_held
from reconciler.plan.holding.rollout import Wait, held_back
from reconciler.plan.holding.suspensions import WHOLE_FLEET, hold_all, hold_suspended, in_force
from reconciler.plan.need import Changes, Need
from reconciler.plan.needs import ends_by_unit, gone_astray, need_of, relaunch_due
from reconciler.plan.order import dependants_of, in_order, relies_of
from reconciler.plan.reseed import plan_reseed
from reconciler.plan.shared import plan_shared, servers_up
from reconciler.plan.summary import orphans, summarise
from specs.compiled import Agent, Fleet, Suspension
from specs.dataclass import dataclass, replace

UNKNOWN = AgentHistory()  # of an agent that nothing has happened to yet


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """`agents`: only these (all if empty). `allow_removals`: the operator's own limit for this run. `detail`: the views
    carry every raw observation, for a caller that lists them."""

    agents: frozenset[str] = frozenset()
    allow_removals: int | None = None
    detail: bool = False


def plan(
    fleet: Fleet,
    changes: Iterable[Change],
    observation: Observation,
    inventory: Inventory,
    history: History,
    *,
    suspended: Mapping[str, Suspension],
    paused: str | None,
    options: PlanOptions | None = None,
) -> Plan:
    """`history` must already match this fleet's launch digests (`bookkeeping.history_for`). The plan takes its
    observation's time as now."""
    chosen = options or PlanOptions()
    now = observation.taken_at
    changes = tuple(sorted(changes, key=lambda change: change.key))
    views = build_views(fleet, observation, inventory, history, detail=chosen.detail)
    draft = Draft(now=now, up=servers_up(observation))
    plan_shared(draft, changes, views, history, inventory, observation)
    plan_reseed(draft, changes, observation.present.get(reseed.KEY))
    by_agent = _by_agent(changes)
    agents = {agent.name: agent for agent in fleet.agents}
    names = [name for name in views if not chosen.agents or name in chosen.agents]
    needs = {
        name: with_losses(
            need_of(
                views[name],
                agents.get(name),
                by_agent.get(name, {}),
                observation.present,
                inventory,
                tried=_history(history, name).last_start > 0,
                relaunch=relaunch_due(_history(history, name), views[name]),
                astray=gone_astray(_history(history, name), views[name]),
                override=observation.overrides.get(agent_unit(name)),
                moving=why_held(fleet, name) if fleet.moving else "",
                moving_to=moving_to(fleet, name) if name not in agents else "",
            ),
            _history(history, name).losses_let,
        )
        for name in names
    }
    for name in names:
        known = _history(history, name)
        needs[name] = with_force(needs[name], views[name], agents.get(name), known, fleet.policy)
    removals = [name for name in names if needs[name].removes and _deletes(by_agent.get(name, {}))]
    refused = refusals(removals, fleet, inventory, chosen.allow_removals)
    for refusal in refused:
        for name in sorted(refusal.agents):
            draft.hold(name, agent_unit(name), Verb.STOP, refusal.reason, refusal.short)
            del needs[name]
    rollout = held_back(needs, views, fleet, history, now)
    heals = _Heals(fleet, history, now, in_force(suspended, now))
    relies = relies_of(agents, inventory)
    order = in_order(needs, agents, relies)
    ending = {name for name in order if _ends(needs[name], agents.get(name))}
    for name in order:
        if name not in ending:
            _run(draft, name, needs[name], by_agent.get(name, {}), inventory, rollout, heals, views, agents)
    dependants = dependants_of(relies)
    for name in reversed(order):
        if name in ending:
            _end(draft, name, needs[name], by_agent.get(name, {}), inventory, rollout, dependants.get(name, ()))
    for change in changes:
        if change.key.kind is Kind.SESSION and "@" in change.key.name and (not chosen.agents or change.agent in names):
            plan_second_session(draft, change, fleet.heartbeats.idle_after, observation)
    hold_suspended(draft, suspended, now)
    if paused is not None:
        hold_all(draft, HeldReason.PAUSED, paused or "the kill switch is set")
    settling = tuple(sorted(name for name, need in needs.items() if need.settling))
    return Plan(
        fleet=fleet.name,
        tenant_id=fleet.tenant_id,
        host=fleet.host,
        revision=fleet.revision,
        observed_at=now,
        observed_digest=observation.digest,
        paused=paused,
        actions=tuple(_named(one, needs) for one in draft.actions.values()),
        held=tuple(sorted(draft.held, key=lambda held: (held.agent or "", held.target, held.verb))),
        unknown=observation.unknown,
        unclear={key: observation.unclear[key].unclear for key in sorted(observation.unclear)},
        orphans=orphans(observation, agents, inventory),
        refused=tuple(refusal.message for refusal in refused),
        settling=settling,
        heals=frozenset(
            name
            for name in heals.granted
            if any(a.agent == name and a.key.kind is Kind.UNIT for a in draft.actions.values())
        ),
        summary=summarise(draft, views, needs),
        views=views,
        floor=floor_of(fleet, views, in_force(suspended, now)),
    )


def _named(action: Action, needs: Mapping[str, Need]) -> Action:
    """A removal with its right reason: an agent that goes on at another host is moved, and not removed from git."""
    need = needs.get(action.agent or "")
    moved = need is not None and need.reason is Reason.MOVED and action.reason is Reason.REMOVED
    return replace(action, reason=Reason.MOVED) if moved else action


class _Heals:
    """The backoff of each agent and the budget of the fleet, asked in order."""

    def __init__(self, fleet: Fleet, history: History, now: float, suspended: Collection[str]) -> None:
        self._policy, self._history, self._now, self._suspended = fleet.policy, history, now, suspended
        recent = backoff.recent_heals(history, now)
        budget = backoff.budget(fleet)
        self._left = budget - len(recent)
        # This part of the budget is reserved for agents that the fleet cannot do without, whatever the others have
        # used.
        carrying = {agent.name for agent in fleet.agents if is_floor_class(fleet, agent.agent_class)}
        self._first, self._kept = carrying, min(len(carrying), len(FLOOR_CLASSES), budget - 1)
        self._next = min(recent, default=now) + backoff.HOUR_S
        self.granted: set[str] = set()

    def refuse(self, name: str) -> tuple[str, float, float] | None:
        """None: it may be healed now. Otherwise the reason, since when, and when to look again."""
        known = _history(self._history, name)
        due = backoff.not_before(known, self._now)
        if due > self._now:
            if known.quarantined_since:
                count = self._policy.quarantine_restarts
                why = f"in quarantine: it ended {count} times or more in a short time"
                return why, known.quarantined_since, due
            return f"backing off after {known.attempts} start(s)", known.last_start, due
        if name in self._suspended or WHOLE_FLEET in self._suspended:
            return None  # its suspension will hold it, and it must not use up what others need
        if self._left <= (0 if name in self._first else self._kept):
            return "the fleet's restart budget for this hour is used up", self._now, self._next
        self._left -= 1
        self.granted.add(name)
        return None


def _ends(need: Need, agent: Agent | None) -> bool:
    """Whether an agent must not run. This counts even if nothing of it runs: it may still be enabled for the next
    boot."""
    return need.verb is Verb.STOP or need.removes or (agent is not None and not agent.held and agent.state != "running")


def _run(
    draft: Draft,
    name: str,
    need: Need,
    changes: Changes,
    inventory: Inventory,
    rollout: Mapping[str, Wait],
    heals: _Heals,
    views: Mapping[str, AgentView],
    agents: Mapping[str, Agent],
) -> None:
    """Files, enablement, then the start or restart, if nothing forbids it. A start does not wait for enablement, which
    matters at the next boot."""
    agent = agents.get(name)
    if agent is None:
        return
    unit = agent_unit(name)
    if need.held is HeldReason.MOVING:  # it leaves no trace here before it may start
        draft.hold(name, unit, need.verb or Verb.START, need.held, need.message)
        return
    files = [one(draft, name, changes, inventory, ()) for one in (plan_extras, plan_files)]
    if agent.held is not None:
        draft.hold(name, f"{name}.env", Verb.WRITE, HeldReason.DEPENDENCY, agent.held)
        return
    uses = [Use.START, *([Use.STOP] if ends_by_unit(need) else ())]
    uses += [] if (agent.socket or "default") in draft.up else [Use.SERVER]
    before = (*draft.after(*uses), *(file for file in files if file))
    plan_enablement(draft, name, changes, False, before)
    verb = need.verb or Verb.START
    if need.held is not None:
        draft.hold(name, unit, verb, need.held, need.message, changes=need.changes, losses=need.losses)
        return
    if need.verb is None:
        return
    wait = rollout.get(name)
    if wait is not None:
        draft.hold(
            name, unit, verb, wait.reason, wait.message, since=wait.since, until=wait.until, changes=need.changes
        )
        return
    stuck = draft.closed(*uses) or ("its launch environment is not as it should be" if "" in files else "")
    stuck = stuck or ("" if need.disrupts else blocker(agent, views, draft, agents))
    if stuck:
        draft.hold(name, unit, verb, HeldReason.DEPENDENCY, stuck, changes=need.changes)
        return
    refusal = heals.refuse(name) if need.heals else None
    if refusal is not None:
        why, since, until = refusal
        draft.hold(name, unit, verb, HeldReason.CRASH_LOOP, why, since=since, until=until, changes=need.changes)
        return
    peers = tuple(f"{v}:{Kind.UNIT}:{other}" for other in agent.depends_on for v in (Verb.START, Verb.RESTART))
    plan_process(draft, name, need, inventory, before + peers)


def _end(
    draft: Draft,
    name: str,
    need: Need,
    changes: Changes,
    inventory: Inventory,
    rollout: Mapping[str, Wait],
    dependants: Sequence[str],
) -> None:
    """Disable, stop, then delete its files; agents that depend on it are stopped before it."""
    # If an agent could not be seen, nothing of it is removed, not even its next start at boot.
    unseen = need.held is HeldReason.UNKNOWN
    disabled = None if unseen else plan_enablement(draft, name, changes, need.removes, ())
    unit = agent_unit(name)
    wait = rollout.get(name)
    stopped: str | None = None
    if need.held is not None or wait is not None:
        if wait is not None:
            draft.hold(name, unit, Verb.STOP, wait.reason, wait.message, since=wait.since, until=wait.until)
        elif need.held is not None:
            draft.hold(name, unit, Verb.STOP, need.held, need.message, losses=need.losses)
    else:
        before = tuple(f"{Verb.STOP}:{Kind.UNIT}:{other}" for other in dependants)
        stopped = plan_process(draft, name, need, inventory, before, start_changes=False)
    if not need.removes:
        for files in (plan_extras, plan_files):
            files(draft, name, changes, inventory, ())
    elif need.held is None and wait is None:
        # The launch environment records who owns all the rest, so it goes last.
        after = [i for i in (disabled, stopped) if i]
        for kind, files in ((Kind.EXTRAS, plan_extras), (Kind.ENV, plan_files)):
            if (change := changes.get(kind)) is not None and change.verdict is Verdict.DELETE:
                after.append(files(draft, name, changes, inventory, tuple(after)) or "")


def _by_agent(changes: Iterable[Change]) -> dict[str, dict[Kind, Change]]:
    found: dict[str, dict[Kind, Change]] = {}
    for change in changes:
        if change.agent is not None and "@" not in change.key.name:
            found.setdefault(change.agent, {})[change.key.kind] = change
    return found


def _deletes(changes: Changes) -> bool:
    return any(change.verdict is Verdict.DELETE for change in changes.values())


def _history(history: History, name: str) -> AgentHistory:
    return history.agents.get(name, UNKNOWN)
