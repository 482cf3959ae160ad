"""Laws 6 and 7: what is ours stays ours until it is gone, and nothing else is touched."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from providers.steps import DeleteFile, KillPane, SetEnabled, Step, UnitJob
from reconciler.plan.planner import PlanOptions
from specs.compiled import Fleet, Policy
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.laws.oracle import unit_of, wrong
from tests.strategies import FOREIGN, NAMES, SOCKET, WORK, Event, events, fleets, policies, revised
from tests.world import FACTS, World
from tests.world_model import File, Unit

ALL = PlanOptions(allow_removals=9)
FREE = st.builds(Policy, max_removals=st.just(6), on_change=st.just("immediately"))
OWN = "an operator's own\n"
REMOVERS = (UnitJob, SetEnabled, DeleteFile, KillPane)


@given(
    fleet=fleets(policy=FREE, most=4),
    fails=st.sets(st.sampled_from(REMOVERS), min_size=1),
    kept=st.sets(st.sampled_from(NAMES)),
    rounds=st.integers(1, 3),
)
def test_law_6_a_delete_that_failed_is_still_owned_and_tried_again(
    fleet: Fleet, fails: set[type[Step]], kept: set[str], rounds: int
) -> None:
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    after = replace(fleet, agents=tuple(replace(a, depends_on=()) for a in fleet.agents if a.name in kept))
    removed = {a.name for a in fleet.agents if a.state != "absent"} - kept
    there = set(store.inventory.agents) & removed
    world.failing = [lambda step: "simulated: it fails" if type(step) in fails else None]
    for _ in range(rounds):
        world.advance(400.0)
        reconciler(world, store, options=ALL).converge(after)
        still = {name for name in there if remains(world, name)}
        assert still <= set(store.inventory.agents)
    begun = len(world.tally.steps)
    world.failing = []
    world.advance(400.0)
    reconciler(world, store, options=ALL).converge(after)
    assert not still or world.tally.steps[begun:]
    assert not any(remains(world, name) for name in removed)
    assert set(store.inventory.agents).isdisjoint(removed)
    assert wrong(world, after) == []


def remains(world: World, name: str) -> bool:
    """Whether anything of an agent is left that could come back or that somebody has to end."""
    unit = world.units.get(unit_of(name))
    return (
        world.find(name) is not None
        or unit_of(name) in world.enabled
        or (unit is not None and unit.active == "active")
        or f"{FACTS.agents_dir}/{name}.env" in world.files
    )


def settle_strangers(world: World) -> None:
    """An operator's own things beside the fleet's: sessions with treacherous names, on the fleet's server too, and
    an agent of somebody else, with a unit and a launch environment."""
    for socket in (SOCKET, ""):
        for name in ("code", "coder-x", "operator", "orchestra"):
            world.foreign_session(socket, name)
    world.foreign_session(SOCKET, "stranger", "stranger", "another-fleet")
    world.units[unit_of("stranger")] = Unit(active="active", sub="exited")
    world.enabled.add(unit_of("stranger"))
    mark = "# mosaic-fleet: generated from git for agent stranger of fleet another-fleet; edits are put back\n"
    world.files[f"{FACTS.agents_dir}/stranger.env"] = File(mark + "MOSAIC_AGENT_NAME=stranger\n", 0o600)
    world.files[f"{FACTS.unit_dir}/other.service"] = File("[Service]\n")
    for name in ("SOUL.md", "STANDARDS.local.md", "policy/stranger.md", "guides/stranger.md", "credentials.other.json"):
        world.files[f"{FACTS.mosaic_home}/{name}"] = File(OWN)
    world.files[f"{FACTS.run_dir}/stranger.hb"] = File("ts=2026-01-01T00:00:00Z pid=1 status=ok\n")


def strangers(world: World) -> dict[str, object]:
    """What of theirs is there."""
    sessions = {
        (server.socket, session.name): (session.pid, session.dead, session.pid in world.procs)
        for server in world.servers
        for session in server.sessions.values()
        if session.mark not in NAMES and not session.holder
    }
    stranger = world.units.get(unit_of("stranger"))
    files = {
        path: file.content
        for path, file in world.files.items()
        if "stranger" in path or "other" in path or file.content == OWN
    }
    enabled = unit_of("stranger") in world.enabled
    return {"sessions": sessions, "unit": stranger and stranger.active, "files": files, "enabled": enabled}


@given(data=st.data(), fleet=fleets(policy=policies()), happened=events(FOREIGN, *WORK))
def test_law_7_nothing_is_touched_that_the_fleet_does_not_own(
    data: st.DataObject, fleet: Fleet, happened: list[Event]
) -> None:
    world, store = World(), MemoryStore()
    settle_strangers(world)
    reconciler(world, store).converge(fleet)
    for event in happened:
        event(world)
    before = strangers(world)
    after = data.draw(st.one_of(st.just(fleet), revised(fleet)))
    moved = data.draw(st.sampled_from((SOCKET, SOCKET, "new")))
    after = replace(after, socket=moved, agents=tuple(replace(a, socket=moved) for a in after.agents))
    for _ in range(4):
        world.advance(400.0)
        reconciler(world, store, options=ALL).converge(after)
    assert strangers(world) == before


@given(data=st.data(), fleet=fleets(), happened=events(FOREIGN))
def test_law_7_the_default_server_is_not_spoken_to(data: st.DataObject, fleet: Fleet, happened: list[Event]) -> None:
    """Unless the roster names it, that is, unless an agent or the fleet has no socket name."""
    world, store = World(), MemoryStore()
    for one in (fleet, data.draw(revised(fleet))):
        for event in happened:
            event(world)
        world.advance(400.0)
        reconciler(world, store, options=ALL).converge(one)
    assert "" not in world.tally.sockets


@given(data=st.data(), fleet=fleets(), happened=events(FOREIGN))
def test_law_7_no_tmux_target_is_a_prefix(data: st.DataObject, fleet: Fleet, happened: list[Event]) -> None:
    world, store = World(), MemoryStore()
    for one in (fleet, data.draw(revised(fleet))):
        for event in happened:
            event(world)
        world.advance(400.0)
        reconciler(world, store, options=ALL).converge(one)
    for step in world.tally.steps:
        words = shlex.split(step.command)
        if words[0] == "tmux":
            targets = [words[at + 1] for at, word in enumerate(words) if word == "-t"]
            assert all(re.fullmatch(r"=[A-Za-z0-9_-]+:?|%[0-9]+", target) for target in targets), step.command


@given(fleet=fleets(), name=st.sampled_from(NAMES))
def test_law_7_a_file_of_somebody_else_is_reported_and_left(fleet: Fleet, name: str) -> None:
    """In the place of a launch environment, of a unit file, of the mission."""
    mission = f"{FACTS.mosaic_home}/fleet/NORTH_STAR.md"
    for path in (f"{FACTS.agents_dir}/{name}.env", f"{FACTS.unit_dir}/mosaic-agent@.service", mission):
        world, store = World(), MemoryStore()
        world.files[path] = File("somebody's own\n")
        result = reconciler(world, store).converge(fleet)
        assert world.files[path].content == "somebody's own\n"
        declared = any(agent.name == name and agent.state != "absent" for agent in fleet.agents)
        if fleet.mission if path == mission else declared or path.endswith(".service"):
            assert any(held.reason == "not-owned" for held in result.last.plan.held)
