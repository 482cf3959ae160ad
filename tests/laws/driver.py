"""Runs the real loop on a simulated host. `Reconciler` is one controller with its memory; a new one with the same
memory is a controller that was started anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hypothesis import currently_in_test_context, note

from providers.base import Action, ResourceKey
from providers.kinds.registry import Registry, registry
from providers.steps import Step
from reconciler.loop import bookkeeping
from reconciler.loop import converge as loop
from reconciler.loop.converge import Context, Converged, Pass
from reconciler.model import Change, History, Inventory
from reconciler.observe.observer import observe
from reconciler.plan.desired import desired
from reconciler.plan.diff import diff
from reconciler.plan.planner import PlanOptions
from reconciler.state.store import Store
from specs.compiled import Fleet, Suspension
from tests.world import SimulatedKill, World

RUN_S = 300.0  # the deadline of one run


class MemoryStore(Store):
    """A store that keeps inventory and history in memory. `kill_in`: so many writes from now the controller dies,
    before the write has any effect."""

    def __init__(self, inventory: Inventory | None = None, history: History | None = None) -> None:
        super().__init__(Path("/nonexistent/state"), Path("/nonexistent/runtime"), read_only=True)
        self.inventory = inventory or Inventory()
        self.history = history or History()
        self.writes = 0
        self.kill_in: int | None = None

    def load_inventory(self) -> Inventory:
        return self.inventory

    def save_inventory(self, inventory: Inventory) -> None:
        self._write()
        self.inventory = inventory

    def load_history(self, *, now: float) -> History:
        del now
        return self.history

    def save_history(self, history: History) -> None:
        self._write()
        self.history = history

    def _write(self) -> None:
        if self.kill_in is not None:
            if self.kill_in == 0:
                raise SimulatedKill("while writing the state")
            self.kill_in -= 1
        self.writes += 1


def registry_for(inventory: Inventory) -> Registry:
    """As a real run makes it: sessions of ours may be on every server that the inventory knows."""
    return registry(owned_on=frozenset((name, owned.socket) for name, owned in inventory.agents.items()))


@dataclass
class Reconciler:
    """One controller on one host."""

    world: World
    store: MemoryStore
    suspended: dict[str, Suspension]
    options: PlanOptions

    def context(self) -> Context:
        return Context(
            host=self.world,
            store=self.store,
            registry=lambda: registry_for(self.store.inventory),
            suspended=lambda fleet: {**fleet.suspended, **self.suspended},
            options=self.options,
            monotonic=lambda: self.world.elapsed,
            sleep=self.world.advance,
            stop=lambda: False,
        )

    def look(self, fleet: Fleet) -> Pass:
        """A preview."""
        return loop.look(self.context(), fleet)

    def converge(self, fleet: Fleet) -> Converged:
        result = loop.converge(self.context(), fleet, self.world.elapsed + RUN_S)
        if currently_in_test_context():
            note(story(fleet, result))  # shown with a failing example
        return result

    def changes(self, fleet: Fleet) -> tuple[Change, ...]:
        registered = registry_for(self.store.inventory)
        observation = observe(self.world, fleet, registered)
        return diff(desired(fleet, registered, self.world.facts), observation, self.store.inventory, fleet)

    def after_kill(self) -> Reconciler:
        """The controller of the next run, with what was written."""
        self.world.restart_reconciler()
        self.store.kill_in = None
        return Reconciler(self.world, self.store, self.suspended, self.options)


def story(fleet: Fleet, result: Converged) -> str:
    """A run in a few lines."""
    done = [f"{outcome.action.id} {outcome.result} {outcome.error or ''}" for outcome in result.outcomes]
    if len(done) > 30:
        done = [*done[:15], f"... {len(done) - 25} more ...", *done[-10:]]
    left = [f"{action.id} due, {action.reason}" for action in result.last.plan.actions]
    held = [f"{held.verb} {held.target} held, {held.reason}: {held.message}" for held in result.last.plan.held]
    declared = " ".join(f"{agent.name}={agent.state}" for agent in fleet.agents)
    return "\n  ".join([f"run for {declared or 'nobody'}, {result.passes} passes", *done, *left, *held])


def reconciler(
    world: World,
    store: MemoryStore | None = None,
    *,
    suspended: dict[str, Suspension] | None = None,
    options: PlanOptions | None = None,
) -> Reconciler:
    return Reconciler(world, store or MemoryStore(), suspended or {}, options or PlanOptions())


def converge(world: World, fleet: Fleet, store: MemoryStore, *, runs: int = 1, between_s: float = 60.0) -> Converged:
    """So many runs of the loop, `between_s` apart, as the timer makes them; the last one's result."""
    result = reconciler(world, store).converge(fleet)
    for _ in range(runs - 1):
        world.advance(between_s)
        result = reconciler(world, store).converge(fleet)
    return result


def steps_of(seen: Pass, world: World, inventory: Inventory) -> list[tuple[Action, Step]]:
    """What the plan of a pass would do, step by step."""
    providers = registry_for(inventory)
    return [
        (action, step) for action in seen.plan.actions for step in providers[action.key.kind].steps(action, world.facts)
    ]


def history_for(fleet: Fleet, store: MemoryStore) -> History:
    return bookkeeping.history_for(fleet, store.history)


def keys(changes: tuple[Change, ...]) -> set[ResourceKey]:
    return {change.key for change in changes}
