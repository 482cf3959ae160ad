"""Law 13: a fault of one agent, file, folder, unit, session, mount or cache makes nothing wait that does not need
it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from providers.base import Verb
from providers.host import PathState
from providers.kinds.framework import PROGRAMS, UNITS
from providers.names import agent_unit
from providers.program_fault import ProgramFault
from providers.shipped.uses import uses_of
from providers.steps import SetEnabled, Step
from reconciler.model import Plan
from specs.compiled import Agent, EnvValue, Fleet, Policy
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.laws.oracle import dependants, living
from tests.strategies import MISSION_FILE, SOCKET, fleets
from tests.world import FACTS, World
from tests.world_model import File

FREE = st.builds(Policy, max_removals=st.just(6), on_change=st.just("immediately"), max_unavailable=st.just(9))
ODD = ("a folder", "a FIFO", "a socket", "a device", "a symbolic link")
OWN = (".env", ".d/MANIFEST", ".d/contract.md")
KEY_FILE = "/home/op/key"
OWN_ENV = (("KEY", EnvValue(from_file=KEY_FILE)), ("VALUE", EnvValue(from_env="OWN")))
# What stands where its folder should be; the last two may be mended by themselves.
PLACES = (
    PathState(kind="nothing"),
    PathState(kind="file", usable=True),
    PathState(kind="other", why="its symbolic links form a loop"),
    PathState(kind="folder", why="it may not be entered"),
    PathState(kind="unclear", why="the file system at /far (nfs4) gave no answer within 3 s"),
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
        st.tuples(st.just("folder deleted")),
        st.tuples(st.just("secret"), st.integers(0, len(PLACES) - 1).map(str)),
        st.tuples(st.just("variable")),
        st.tuples(st.just("program")),
        st.tuples(st.just("unit failed")),
        st.tuples(st.just("unit unknown")),
        st.tuples(st.just("scope")),
        st.tuples(st.just("changed place"), st.integers(0, len(PLACES) - 1).map(str)),
        st.tuples(st.just("boot link")),
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
    elif what == "folder deleted":
        world.folder_deleted(bad.name)
    elif what == "secret":
        place = PLACES[int(rest[0])]
        world.places[KEY_FILE] = PathState(kind="folder", usable=True) if place.kind == "file" else place
    elif what == "variable":
        world.absent_variables.add("OWN")
    elif what == "program":
        world.programs[bad.name] = ProgramFault(word="not-installed", why="it is not there", repair="", searched="/bin")
    elif what == "unit failed":
        world.unit_failed(agent_unit(bad.name))
    elif what == "unit unknown":
        world.unit_inactive(agent_unit(bad.name))
    elif what == "scope":
        world.outside(bad.name)
    elif what == "changed place":  # between the look and the step
        world.before_step = lambda _: world.places.update({bad.working_directory: PLACES[int(rest[0])]})
    elif what == "boot link":
        no_boot_links(world, agent_unit(bad.name))
    elif what == "heartbeat":
        world.files[f"{FACTS.run_dir}/{bad.name}{rest[0]}"] = File("\0 not a heartbeat", 0o600)


def no_boot_links(world: World, *units: str) -> None:
    """Nothing enables or disables these units any more (all, if none is named)."""

    def fails(step: Step) -> str | None:
        return "File exists" if isinstance(step, SetEnabled) and (not units or step.unit in units) else None

    world.enabled -= set(units or world.enabled)
    world.failing.append(fails)


def of_others(plan: Plan, besides: set[str]) -> set[tuple[str, str, str]]:
    return {(a.id, str(a.reason), repr(a.changes)) for a in plan.actions if a.agent and a.agent not in besides}


@given(data=st.data(), fleet=fleets(policy=FREE, sockets=(SOCKET,)), fault=one_agents())
def test_law_13_the_others_are_given_what_they_need(data: st.DataObject, fleet: Fleet, fault: tuple[str, ...]) -> None:
    """With a fault in what is seen of one agent, every other one is planned for exactly as without it, and healed."""
    running = [agent for agent in fleet.agents if agent.state == "running"]
    assume(len(running) > 1)
    bad = replace(data.draw(st.sampled_from(running)), working_directory="/home/op/own", env=OWN_ENV)
    fleet = replace(fleet, agents=tuple(bad if one.name == bad.name else one for one in fleet.agents))
    world, store = World(), MemoryStore()
    world.places[KEY_FILE] = PathState(kind="file", usable=True)
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
SIGHTS = ("enabled", "enabled:timers.target", "linger", "usage", "boot_id", "heartbeats", "screens",
          *(f"file:{path}" for path in SHARED))  # fmt: skip


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


@given(data=st.data(), fleet=fleets(policy=FREE, sockets=(SOCKET,)), from_nothing=st.booleans())
def test_law_13_no_start_and_no_stop_waits_for_a_boot_link(
    data: st.DataObject, fleet: Fleet, from_nothing: bool
) -> None:
    """No unit can be enabled or disabled, neither an agent's nor the holder's: what is to run runs, what is not to run
    has ended, and every such failure is told."""
    running = {agent.name for agent in fleet.agents if agent.state == "running"}
    assume(running)
    world, store = World(), MemoryStore()
    if not from_nothing:
        converge(world, fleet, store)
        for name in data.draw(st.sets(st.sampled_from(sorted(running)), min_size=1)):
            world.kill_pane(name)
    no_boot_links(world)
    done = converge(world, fleet, store)
    assert running == living(world).keys()
    assert {one.action.verb for one in done.outcomes if one.result != "done"} == {Verb.ENABLE}
    world.enabled |= {agent_unit(name) for name in running}
    ended = replace(fleet, agents=tuple(replace(agent, state="stopped") for agent in fleet.agents))
    done = converge(world, ended, store)
    assert not living(world)
    assert {one.action.verb for one in done.outcomes if one.result != "done"} == {Verb.DISABLE}


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


KINDS_OF_FILE = (*ODD, "garbage", "missing", "unreadable", "changed")


@given(data=st.data(), fleet=fleets(policy=FREE, sockets=(SOCKET,)), path=st.sampled_from(SHARED),
       how=st.sampled_from(KINDS_OF_FILE))  # fmt: skip
def test_law_13_whatever_has_become_of_one_file_of_all(data: st.DataObject, fleet: Fleet, path: str, how: str) -> None:
    """Who has ended is brought back, unless the file is what a start needs: then it is held, and nobody else ends. It
    converges when it is mended."""
    running = [agent for agent in fleet.agents if agent.state == "running"]
    assume(running)
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    good = world.files.get(path)
    dead = {agent.name for agent in data.draw(st.sets(st.sampled_from(running)))}
    for name in dead:
        world.kill_pane(name)
    before = living(world)
    if how == "unreadable":
        world.blind.add(f"file:{path}")
    elif how == "changed":
        world.before_step = lambda _: world.edit_file(path)
    elif how == "missing":
        world.files.pop(path, None)
    else:
        world.files[path] = File("\0" * 100, 0o600) if how == "garbage" else File("", 0o600, how)
    converge(world, fleet, store)
    after = living(world)
    assert before.items() <= after.items(), "nobody who lives is ended for it"
    if not uses_of(path):
        assert {agent.name for agent in running} <= after.keys()
    world.blind, world.before_step = set(), None
    if good is not None and path in world.files and world.files[path].odd:
        world.files[path] = good
    world.advance(3600)
    converge(world, fleet, store)
    assert {agent.name for agent in running} <= living(world).keys()
