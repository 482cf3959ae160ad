"""Order is a graph: files, reload, linger, holder, agents by `depends_on`; stops the other way round."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from providers.steps import DaemonReload, Step, UnitJob, WriteFile
from reconciler.plan.planner import PlanOptions
from specs.compiled import AgentState, Fleet, Policy, Suspension
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.laws.oracle import living
from tests.strategies import NAMES, Event, events, fleets
from tests.world import HOLDER_UNIT, World
from tests.world_machine import instance_of

ALL = PlanOptions(allow_removals=9)
FREE = st.builds(Policy, max_removals=st.just(6), on_change=st.just("immediately"), max_unavailable=st.integers(1, 6))
GONE: tuple[AgentState, ...] = ("stopped", "absent")


class Watch:
    """Looks at the host just before each step and notes what is too early."""

    def __init__(self, world: World, fleet: Fleet) -> None:
        self.world = world
        self.agents = {agent.name: agent for agent in fleet.agents}
        self.early: list[str] = []
        world.before_step = self

    def __call__(self, step: Step) -> None:
        if not isinstance(step, UnitJob) or not step.unit.startswith("mosaic-agent@"):
            return
        name, alive = instance_of(step.unit), living(self.world)
        agent = self.agents.get(name)
        if step.verb == "stop":
            later = [other.name for other in self.agents.values() if name in other.depends_on and other.name in alive]
            going = [other for other in later if self.agents[other].state != "running"]
            self.early.extend(f"{name} is stopped before {other}, which depends on it" for other in going)
        elif agent is not None and step.verb != "reset-failed" and name not in alive:
            missing = [a for a in agent.depends_on if self.agents[a].state == "running" and not self._has_pane(a)]
            self.early.extend(f"{name} is started before {other}, on which it depends" for other in missing)

    def _has_pane(self, name: str) -> bool:
        """Whether a pane of it lives, with whatever program: a wrong one is mended, in its own time."""
        found = self.world.find(name)
        return found is not None and not found[1].dead


@given(fleet=fleets(policy=FREE), happened=events(), suspended=st.sets(st.sampled_from(NAMES), max_size=2))
def test_nobody_is_started_before_those_on_whom_it_depends(
    fleet: Fleet, happened: list[Event], suspended: set[str]
) -> None:
    world, store = World(), MemoryStore()
    watch = Watch(world, fleet)
    converge(world, fleet, store)
    world.before_step = None
    for event in happened:
        event(world)
    world.before_step = watch
    entries = {name: Suspension(reason="debugging", by="ann", until=None) for name in suspended}
    converge(world, replace(fleet, suspended=entries), store, runs=3, between_s=400.0)
    assert watch.early == []


@given(fleet=fleets(policy=FREE), state=st.sampled_from(GONE))
def test_nobody_is_stopped_before_those_that_depend_on_it(fleet: Fleet, state: AgentState) -> None:
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    after = replace(fleet, agents=tuple(replace(agent, state=state) for agent in fleet.agents))
    watch = Watch(world, after)
    reconciler(world, store, options=ALL).converge(after)
    assert watch.early == []
    assert living(world) == {}


@given(fleet=fleets(policy=FREE), happened=events())
def test_files_come_before_the_reload_and_the_reload_before_every_start(fleet: Fleet, happened: list[Event]) -> None:
    world, store = World(), MemoryStore()
    for event in ((), happened):
        for one in event:
            one(world)
        begun = len(world.tally.steps)
        reconciler(world, store).converge(fleet)
        steps = world.tally.steps[begun:]
        files = [n for n, s in enumerate(steps) if isinstance(s, WriteFile) and "/systemd/user/" in s.path]
        reloads = [n for n, step in enumerate(steps) if isinstance(step, DaemonReload)]
        starts = [n for n, s in enumerate(steps) if isinstance(s, UnitJob) and s.verb in ("start", "restart", "reload")]
        holder = [n for n in starts if isinstance(s := steps[n], UnitJob) and s.unit == HOLDER_UNIT]
        if files:
            assert reloads
            assert max(files) < min(reloads)
            assert not starts or max(reloads) < min(starts)
        if holder:
            agents = [n for n in starts if isinstance(s := steps[n], UnitJob) and s.unit.startswith("mosaic-agent@")]
            assert not agents or min(holder) < min(agents)
