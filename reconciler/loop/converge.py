"""The loop: make one pass through the seven steps, and more passes until nothing is left to do.

Triggers (a command, a timer, a signal, a commit) only say "look again": every pass looks at everything and decides from
what it sees, never from a report of what happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from providers.base import Action
from providers.host import Host
from providers.kinds import reseed
from providers.kinds.registry import Registry
from reconciler.loop import bookkeeping
from reconciler.model import History, Inventory, Observation, Outcome, Plan
from reconciler.observe.clock_steps import clock_seen
from reconciler.observe.health import START_GRACE_S
from reconciler.observe.observer import observe, reload_needed
from reconciler.plan.desired import desired
from reconciler.plan.diff import diff
from reconciler.plan.planner import PlanOptions, plan
from reconciler.state.store import Store
from specs.compiled import Fleet, Suspension
from specs.dataclass import dataclass, field, replace
from specs.values.collector import paused_collector

MAX_PASSES = 1000  # passes that act; no fleet should reach it: rollout one by one takes a pass for each agent
MAX_TRIES = 3  # of one action in a run: if it is still due then, it needs another run, or a person
# How long a run waits for what it started: until a launch that does not finish has been judged to fail.
STABLE_S = START_GRACE_S + 15.0
POLL_S = (0.02, 0.04, 0.08, 0.15, 0.25, 0.5)


DueIn = Callable[[Plan], tuple[Action, ...]]  # picks the actions of a plan to take now


@dataclass(slots=True, kw_only=True)
class Context:
    """What a pass works with. `suspended` is asked again in every pass. `stop` says whether to begin nothing more.
    `sleep` waits up to so many seconds (a resident loop wakes up early). `doing` receives the progress. `looking` is
    called before each look."""

    host: Host
    store: Store
    registry: Callable[[], Registry]
    suspended: Callable[[Fleet], dict[str, Suspension]]
    options: PlanOptions
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    stop: Callable[[], bool]
    doing: Callable[[str], None] = lambda _text: None
    looking: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One pass: the observation, the plan and the outcomes."""

    observation: Observation
    plan: Plan
    outcomes: tuple[Outcome, ...] = ()


@dataclass(slots=True, kw_only=True)
class Converged:
    """All passes of a run. `last` has the plan of what remains; `applied` is the first pass that acted, with the plan
    as applied; `outcomes` has those of all passes, in order."""

    last: Pass
    applied: Pass | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    passes: int = 1

    def followed_by(self, later: Converged) -> Converged:
        """Join both into one run."""
        return Converged(
            last=later.last,
            applied=self.applied or later.applied,
            outcomes=[*self.outcomes, *later.outcomes],
            passes=self.passes + later.passes,
        )


def look(ctx: Context, fleet: Fleet) -> Pass:
    """Observe, compare and plan; change nothing on the host and write nothing."""
    ctx.doing("looking at this host")
    ctx.looking()
    registry = ctx.registry()
    inventory = ctx.store.load_inventory()
    observation = observe(ctx.host, fleet, registry)
    history = clock_seen(bookkeeping.history_for(fleet, ctx.store.load_history(now=observation.taken_at)), observation)
    observation = replace(observation, clock_set_at=history.clock_set_at)
    if observation.unit_files and history.unit_files not in ("", observation.unit_files) and not observation.reload_due:
        files = history.unit_files, observation.unit_files
        needed = True if observation.reload_shut else reload_needed(ctx.host, fleet, *files)
        seen = "" if needed is None else observation.unit_files
        observation = replace(observation, reload_due=bool(needed), unit_files=seen)
    facts = reseed.facts_after(ctx.host.facts, observation.present.get(reseed.KEY))
    changes = diff(desired(fleet, registry, facts), observation, inventory, fleet)
    planned = plan(
        fleet,
        changes,
        observation,
        inventory,
        history,
        suspended=ctx.suspended(fleet),
        paused=ctx.host.paused(),
        options=ctx.options,
    )
    return Pass(observation=observation, plan=planned)


def learned(ctx: Context, fleet: Fleet, seen: Pass) -> tuple[History, Inventory]:
    """What a look showed: who has been healthy or waiting since when, and what is ours."""
    history = bookkeeping.history_for(fleet, ctx.store.load_history(now=seen.observation.taken_at))
    history = clock_seen(history, seen.observation)
    return (
        bookkeeping.history_after_look(seen.plan, history, fleet, _read(seen.observation)),
        bookkeeping.inventory_after_look(seen.plan, seen.observation, ctx.store.load_inventory(), fleet),
    )


def _read(observation: Observation) -> str:
    """Digest of the unit files that systemd has read, "" if it has not read them, or if that is unknown."""
    return "" if observation.reload_due else observation.unit_files


def act(ctx: Context, fleet: Fleet, seen: Pass, known: tuple[History, Inventory], deadline: float) -> Pass:
    """Apply the plan of a pass. What a crash must not lose is written once, before the first step, with what the look
    showed (`known`): a start that was counted and not made costs a wait, but one that was made and not counted could be
    repeated forever. Skipped starts are uncounted at the end."""
    from reconciler.loop.apply import apply

    plan, now = seen.plan, seen.observation.taken_at
    history, inventory = known
    ctx.store.save_inventory(bookkeeping.inventory_before(plan, inventory, fleet))
    ctx.store.save_history(bookkeeping.history_before(plan.actions, plan, history, fleet, now))
    outcomes = apply(
        plan, ctx.host, ctx.registry(), monotonic=ctx.monotonic, deadline=deadline, stop=ctx.stop, doing=ctx.doing
    )
    made = [outcome.action for outcome in outcomes if outcome.result != "skipped"]
    history = bookkeeping.history_before(made, plan, history, fleet, now)
    ctx.store.save_history(bookkeeping.history_after(outcomes, history))
    return replace(seen, outcomes=outcomes)


def reconcile_once(
    ctx: Context,
    fleet: Fleet,
    deadline: float,
    *,
    first: Pass | None = None,
    due: DueIn = lambda plan: plan.actions,
) -> Pass:
    """One pass: observe, diff, plan, and apply the actions that `due` picks. `first`: a look that was already taken."""
    with paused_collector():  # garbage can wait until the pass has acted
        seen = first or look(ctx, fleet)
        known = learned(ctx, fleet, seen)
        if actions := due(seen.plan):
            return act(ctx, fleet, replace(seen, plan=replace(seen.plan, actions=actions)), known, deadline)
    ctx.store.save_history(known[0])
    ctx.store.save_inventory(known[1])
    return seen


def _due(plan: Plan, tried: Counter[str]) -> tuple[Action, ...]:
    """The actions of a plan that this run may still take: none that was tried in vain, and none that waits for such an
    action."""
    shut: set[str] = set()
    for action in plan.actions:
        if tried[action.id] >= MAX_TRIES or not shut.isdisjoint(action.depends_on):
            shut.add(action.id)
    return tuple(action for action in plan.actions if action.id not in shut)


def converge(ctx: Context, fleet: Fleet, deadline: float, *, first: Pass | None = None) -> Converged:
    """Make passes until nothing more may be done now, or the deadline (on the monotonic clock) has passed.

    An action that failed is not tried again in the same run, nor is one that was done and is due again. `first`: a look
    that was already taken, whose plan is applied as it stands, and nothing else: what becomes due later was not in the
    plan that somebody agreed to.
    """
    tried: Counter[str] = Counter()
    outcomes: list[Outcome] = []
    applied: Pass | None = None
    stable_until, polls, passes, acts, agreed = 0.0, 0, 0, 0, first is not None

    def over() -> bool:
        return ctx.monotonic() >= deadline or ctx.stop() or acts >= MAX_PASSES

    def due(planned: Plan) -> tuple[Action, ...]:
        return () if over() or (agreed and passes > 1) else _due(planned, tried)

    while True:
        passes += 1
        seen = reconcile_once(ctx, fleet, deadline, first=first, due=due)
        first = None
        if seen.outcomes:
            acts += 1
            applied = applied or seen
            outcomes.extend(seen.outcomes)
            for outcome in seen.outcomes:
                tried[outcome.action.id] += 1 if outcome.result in ("done", "unchanged") else MAX_TRIES
            stable_until, polls = ctx.monotonic() + STABLE_S, 0
            continue
        now = ctx.monotonic()
        settling = seen.plan.settling and seen.plan.paused is None
        if over() or not settling or (stable_until and now >= stable_until):
            return Converged(last=seen, applied=applied, outcomes=outcomes, passes=passes)
        stable_until = stable_until or now + STABLE_S
        ctx.doing(f"waiting until {', '.join(seen.plan.settling)} has come up")
        ctx.sleep(min(POLL_S[min(polls, len(POLL_S) - 1)], max(0.0, deadline - now)))
        polls += 1
