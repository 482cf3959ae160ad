"""Law 13: a fault of one agent, file, folder, unit, session, mount or cache makes nothing wait that does not need
it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from providers.framework import PROGRAMS, UNITS
from providers.host import Place
from providers.uses import uses_of
from reconciler.model import Plan
from specs.compiled import Agent, Fleet, Policy
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.laws.oracle import dependants, living
from tests.strategies import MISSION_FILE, SOCKET, fleets
from tests.world import FACTS, World
from tests.world_model import File

FREE = st.builds(Policy, max_removals=st.just(6), on_change=st.just("immediately"), max_unavailable=st.just(9))
ODD = ("a folder", "a FIFO", "a socket", "a device", "a symbolic link")
OWN = (".env", ".d/MANIFEST", ".d/contract.md")
# What stands where its folder should be; the last two may be mended by themselves.
PLACES = (
    Place(kind="nothing"),
    Place(kind="file", usable=True),
    Place(kind="other", why="its symbolic links lead back to themselves"),
    Place(kind="folder", why="it may not be entered"),
    Place(kind="unclear", why="the file system at /far (nfs4) gave no answer within 3 s"),
)


def one_agents() -> st.SearchStrategy[tuple[str, ...]]:
    """A fault in what is seen of one agent, as words for `spoil`."""
    return st.one_of(
        st.tuples(st.just("unreadable"), st.sampled_from(OWN)),
        st.tuples(st.just("odd"), st.sampled_from(OWN), st.sampled_from(ODD)),
        st.tuples(st.just("garbage"), st.sampled_from(OWN)),
        st.tuples(st.just("missing"), st.sampled_from(OWN)),
        st.tuples(st.just("changed"), st.sampled_from(OWN)),
        st.tuples(st.just("place"), st.integers(0, len(PLACES) - 1).map(str)),
        st.tuples(st.just("process")),
        st.tuples(st.just("unit of")),
        st.tuples(st.just("heartbeat"), st.sampled_from((".hb", ".turn"))),
    )


def spoil(world: World, bad: Agent, fault: tuple[str, ...]) -> None:
    """Make the fault; nothing else changes."""
    what, rest = fault[0], fault[1:]
    path = f"{FACTS.agents_dir}/{bad.name}{rest[0]}" if rest else ""
    found = world.find(bad.name)
    if what == "unreadable":
        world.blind.add(f"file:{path}")
    elif what == "odd":
        world.files[path] = File("", 0o600, rest[1])
    elif what == "garbage":
        world.files[path] = File("\0" * 100, 0o600)
    elif what == "missing":
        world.files.pop(path, None)
    elif what == "changed":
        world.before_step = lambda _: world.edit_file(path)
    elif what == "place":
        world.places[bad.working_directory] = PLACES[int(rest[0])]
    elif what == "process" and found:
        world.blind.add(f"cmdline:{found[1].pid}")
    elif what == "unit of" and found:
        world.blind.add(f"unit_of:{found[1].pid}")
    elif what == "heartbeat":
        world.files[f"{FACTS.run_dir}/{bad.name}{rest[0]}"] = File("\0 not a heartbeat", 0o600)


def of_others(plan: Plan, besides: set[str]) -> set[tuple[str, str, str]]:
    return {(a.id, str(a.reason), repr(a.changes)) for a in plan.actions if a.agent and a.agent not in besides}


@given(data=st.data(), fleet=fleets(policy=FREE, sockets=(SOCKET,)), fault=one_agents())
def test_law_13_the_others_are_given_what_they_need(data: st.DataObject, fleet: Fleet, fault: tuple[str, ...]) -> None:
    """With a fault in what is seen of one agent, every other one is planned for exactly as without it, and healed."""
    running = [agent for agent in fleet.agents if agent.state == "running"]
    assume(len(running) > 1)
    bad = replace(data.draw(st.sampled_from(running)), working_directory="/home/op/own")
    fleet = replace(fleet, agents=tuple(bad if one.name == bad.name else one for one in fleet.agents))
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    for agent in data.draw(st.sets(st.sampled_from(running))):
        world.kill_pane(agent.name)
    apart = dependants(fleet, {bad.name})
    sighted = reconciler(world.copy(), store).look(fleet).plan
    spoil(world, bad, fault)
    dim = reconciler(world, store).look(fleet).plan
    assert of_others(dim, apart) == of_others(sighted, apart)
    assert not dim.unknown
    converge(world, fleet, store)
    assert {agent.name for agent in running} - apart <= living(world).keys()


SHARED = (
    *(f"{FACTS.bin_dir}/{name}" for name in PROGRAMS),
    *(f"{FACTS.unit_dir}/{name}" for name in UNITS),
    MISSION_FILE,
    f"{FACTS.mosaic_home}/CONSTITUTION.md",
)
SIGHTS = ("enabled", "enabled:timers.target", "linger", "usage", "boot_id", *(f"file:{path}" for path in SHARED))


@given(data=st.data(), fleet=fleets(policy=FREE, sockets=(SOCKET,)), sight=st.sampled_from(SIGHTS))
def test_law_13_no_agent_waits_for_what_it_does_not_need(data: st.DataObject, fleet: Fleet, sight: str) -> None:
    """Something that all share cannot be seen, and no start of an agent needs it: the dead are brought back, and what
    could not be seen is named."""
    assume(not uses_of(sight.removeprefix("file:")))
    running = [agent for agent in fleet.agents if agent.state == "running"]
    assume(running)
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    for agent in data.draw(st.sets(st.sampled_from(running), min_size=1)):
        world.kill_pane(agent.name)
    world.blind.add(sight)
    last = converge(world, fleet, store).last.plan
    assert {agent.name for agent in running} <= living(world).keys()
    if sight in ("enabled", "linger") or (sight.startswith("file:") and sight != f"file:{MISSION_FILE}"):
        assert last.not_seen or last.held


@given(data=st.data(), fleet=fleets(policy=FREE, sockets=(SOCKET, "second")))
def test_law_13_one_tmux_server_holds_only_its_own(data: st.DataObject, fleet: Fleet) -> None:
    """Of two tmux servers one gives no answer: the agents on the other are healed."""
    running = [agent for agent in fleet.agents if agent.state == "running"]
    assume({agent.socket for agent in running} == {SOCKET, "second"})
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    lost = {agent.name for agent in running if agent.socket == "second"}
    before = living(world)
    for agent in data.draw(st.sets(st.sampled_from(running))):
        if agent.name not in lost:
            world.kill_pane(agent.name)
    world.blind.add("tmux:second")
    last = converge(world, fleet, store).last.plan
    assert {name: living(world).get(name) for name in lost} == {name: before.get(name) for name in lost}
    assert {agent.name for agent in running} - dependants(fleet, lost) <= living(world).keys()
    assert last.unclear
    assert not last.unknown
