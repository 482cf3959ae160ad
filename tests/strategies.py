"""Hypothesis strategies: fleets, what happens to a host, and what a reconciler remembers.

Names are chosen to be traps: one is a prefix of another, one has a dot (tmux turns it into "_").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from providers.shipped import manifest
from reconciler.model import AgentHistory, History
from specs.compiled import Agent, AgentState, EnvValue, Fleet, Limits, Policy
from specs.mission.projection import render
from specs.models.north_star import NorthStar
from tests.world import FACTS, HOLDER_UNIT, World
from tests.world_model import RESPONDER_UNIT

NAMES = ("coder", "coder0", "coder01", "a.b", "enh-1", "orch")
CLASSES = {"orch": "orchestrator", "enh-1": "enhancer"}
SOCKET = "mosaic-factory"
OTHER_SOCKET = "other"  # a server that an operator started
HOLDER_SESSION = "_holder"
ARGV = {
    "stub": (FACTS.python, "-I", "-S", FACTS.stub_program),
    "claude": ("claude", "--model", "small one"),
    "codex": ("node", "/usr/lib/codex.js"),
}
MISSION_FILE = f"{FACTS.mosaic_home}/fleet/NORTH_STAR.md"
# Two missions as they are rendered.
MISSIONS = tuple(
    render(NorthStar.model_validate({"version": 1, "mission": text})) for text in ("Find out.", "Build | it.")
)
EVENT_AGENTS = (*NAMES, "nobody")


def make_agent(name: str, runtime: str = "stub", state: AgentState = "running", socket: str = SOCKET) -> Agent:
    """An agent as the loader would compile it."""
    return Agent(
        name=name,
        session=name.replace(".", "_"),
        agent_class=CLASSES.get(name, "coder"),
        runtime=runtime,
        state=state,
        socket=socket,
        working_directory="/home/op/src",
        argv=ARGV[runtime],
        process_names=(runtime,),
        env=(),
        path=(),
        limits=Limits(),
        model=None,
        native_heartbeat=runtime == "stub",
        reset_command=None,
        submit_key="Enter",
        depends_on=(),
        alias=None,
        generation=0,
    )


def make_fleet(*agents: Agent, revision: str = "1" * 40, policy: Policy | None = None, socket: str = SOCKET) -> Fleet:
    return Fleet(
        name="local",
        tenant_id="acme",
        host=FACTS.hostname,
        revision=revision,
        socket=socket,
        holder_session=HOLDER_SESSION,
        agents=tuple(sorted(agents, key=lambda agent: agent.name)),
        policy=policy or Policy(),
    )


@st.composite
def agents(draw: st.DrawFn, name: str, sockets: Sequence[str], runtimes: Sequence[str]) -> Agent:
    base = make_agent(
        name,
        runtime=draw(st.sampled_from(runtimes)),
        state=draw(st.sampled_from(("running", "running", "running", "stopped", "absent"))),
        socket=draw(st.sampled_from(sockets)),
    )
    return replace(
        base,
        model=draw(st.sampled_from((None, "small"))),
        alias=draw(st.sampled_from((None, "Ada"))),
        working_directory=draw(st.sampled_from(("/home/op/src", "/home/op/with space"))),
        env=draw(st.sampled_from(((), (("LANG", EnvValue(literal="C.UTF-8")), ("TOKEN", EnvValue(from_env="TOKEN")))))),
        path=draw(st.sampled_from(((), ("/opt/bin",)))),
        limits=draw(st.sampled_from((Limits(), Limits(memory_max="2G", tasks_max=512)))),
        generation=draw(st.integers(0, 1)),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    return Policy(
        max_removals=draw(st.integers(0, 6)),
        on_change=draw(st.sampled_from(("when-idle", "when-idle", "immediately", "never"))),
        max_unavailable=draw(st.integers(1, 3)),
        quarantine_restarts=draw(st.integers(2, 5)),
        restart_budget=draw(st.sampled_from((None, None, 3))),
        floor=draw(st.sampled_from(("none", "none", "two-agent"))),
    )


@st.composite
def fleets(
    draw: st.DrawFn,
    *,
    most: int = 6,
    sockets: Sequence[str] = (SOCKET, SOCKET, SOCKET, OTHER_SOCKET),
    runtimes: Sequence[str] = ("stub", "stub", "claude", "codex"),
    policy: st.SearchStrategy[Policy] | None = None,
) -> Fleet:
    """0 to `most` agents in any state; `depends_on` without cycles, in an order that is not the names' order."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=most))
    members: list[Agent] = []
    for position, name in enumerate(names):
        agent = draw(agents(name, sockets, runtimes))
        if position:
            agent = replace(agent, depends_on=tuple(draw(st.sets(st.sampled_from(names[:position]), max_size=2))))
        members.append(agent)
    revision = draw(st.sampled_from("0123456789abcdef")) * 40
    made = make_fleet(*members, revision=revision, policy=draw(policies() if policy is None else policy))
    return replace(made, mission=draw(missions()))


def missions() -> st.SearchStrategy[str]:
    """None, for a fleet without a NORTH_STAR.yaml, or one of two."""
    return st.sampled_from(("", *MISSIONS))


@st.composite
def revised(draw: st.DrawFn, fleet: Fleet) -> Fleet:
    """What the next commit could make of a fleet: agents dropped, added, stopped, started or declared otherwise."""
    names = [name for name in NAMES if draw(st.integers(0, 4)) or name not in {a.name for a in fleet.agents}]
    old = {agent.name: agent for agent in fleet.agents}
    members = []
    for name in names:
        if name in old and draw(st.booleans()):
            members.append(old[name])
        elif name in old or not draw(st.integers(0, 2)):
            members.append(draw(agents(name, (fleet.socket,), ("stub", "claude"))))
    kept = {member.name for member in members}
    members = [replace(m, depends_on=tuple(d for d in m.depends_on if d in kept)) for m in members]
    members.sort(key=lambda member: member.name)
    return replace(fleet, agents=tuple(members), revision="f" * 40, mission=draw(missions()))


@dataclass(frozen=True)
class Event:
    """Something that happens to a host: a method of `World`, by name."""

    name: str
    args: tuple[str, ...] = ()

    def __call__(self, world: World) -> None:
        getattr(world, self.name)(*self.args)


def on_agent(name: str) -> st.SearchStrategy[Event]:
    return st.sampled_from(EVENT_AGENTS).map(lambda agent: Event(name, (agent,)))


def _units() -> st.SearchStrategy[str]:
    return st.sampled_from((HOLDER_UNIT, RESPONDER_UNIT, *(f"mosaic-agent@{name}.service" for name in EVENT_AGENTS)))


def _paths() -> st.SearchStrategy[str]:
    files = (".env", ".d/contract.md", ".d/MANIFEST")
    own = [f"{FACTS.agents_dir}/{name}{file}" for name in EVENT_AGENTS for file in files]
    framework = [f"{FACTS.unit_dir}/{HOLDER_UNIT}", f"{FACTS.unit_dir}/mosaic-agent@.service"]
    framework.append(f"{FACTS.unit_dir}/{RESPONDER_UNIT}")
    programs = [
        f"{FACTS.bin_dir}/{name}" for name in ("agent-start", "agent-scope", "agent-pane", "agent-stop", "tmux-holder")
    ]
    texts = ("CONSTITUTION.md", "STANDARDS.md", "guides/delivery.md", "runtime/pi/RUNTIME.md", "SOUL.md", manifest.NAME)
    shared = [f"{FACTS.mosaic_home}/{name}" for name in ("fleet/holder.env", *texts)]
    return st.sampled_from([*own, *framework, *programs, *shared, MISSION_FILE])


def _session(agent: str) -> str:
    return agent.replace(".", "_")


FOREIGN = st.sampled_from(
    [Event("foreign_session", (SOCKET, _session(name))) for name in EVENT_AGENTS]
    + [Event("foreign_session", (SOCKET, _session(name), "somebody", "another-fleet")) for name in NAMES]
    + [Event("foreign_session", (SOCKET, "operator")), Event("foreign_session", ("", "coder"))]
)

DRIFT: tuple[st.SearchStrategy[Event], ...] = (
    on_agent("kill_pane"),
    on_agent("kill_session"),
    on_agent("wrong_program"),
    on_agent("leave_child"),
    on_agent("outside"),
    on_agent("unlimited"),
    on_agent("heartbeat"),
    on_agent("spoil_heartbeat"),
    st.sampled_from([Event(name, (SOCKET,)) for name in ("kill_server", "lose_socket", "kill_holder_pane")]),
    st.just(Event("kill_session_named", (SOCKET, HOLDER_SESSION))),
    _paths().map(lambda path: Event("delete_file", (path,))),
    _paths().map(lambda path: Event("edit_file", (path,))),
    _paths().map(lambda path: Event("break_file", (path,))),
    _paths().map(lambda path: Event("empty_file", (path,))),
    _units().map(lambda unit: Event("remove_wants_link", (unit,))),
    _units().map(lambda unit: Event("unit_failed", (unit,))),
    _units().map(lambda unit: Event("unit_inactive", (unit,))),
    _units().map(lambda unit: Event("stop_unit", (unit,))),
    st.just(Event("reload")),
    st.just(Event("reboot")),
)
# What leaves every conversation as it is.
HARMLESS: tuple[st.SearchStrategy[Event], ...] = (
    on_agent("leave_child"),
    on_agent("outside"),
    on_agent("unlimited"),
    on_agent("heartbeat"),
    on_agent("spoil_heartbeat"),
    st.just(Event("lose_socket", (SOCKET,))),
    *(
        _paths().map(lambda path, name=name: Event(name, (path,)))  # type: ignore[misc]
        for name in ("delete_file", "edit_file", "break_file", "empty_file")
    ),
    *(
        _units().map(lambda unit, name=name: Event(name, (unit,)))  # type: ignore[misc]
        for name in ("remove_wants_link", "unit_failed", "unit_inactive")
    ),
    st.just(Event("reload")),
)
WORK: tuple[st.SearchStrategy[Event], ...] = (on_agent("start_work"), on_agent("end_work"))


def events(*more: st.SearchStrategy[Event], most: int = 5) -> st.SearchStrategy[list[Event]]:
    """What happens to a host between two runs; nothing here is beyond repair."""
    return st.lists(st.one_of(*DRIFT, *more), max_size=most)


KINDS_OF_SIGHT = ("units", "enabled", "linger", "tmux", "processes", "cmdline", "heartbeats", "file", "listing")


def blindness() -> st.SearchStrategy[frozenset[str]]:
    """Which facts cannot be seen; at least one."""
    return st.frozensets(st.sampled_from(KINDS_OF_SIGHT), min_size=1, max_size=4)


@st.composite
def agent_histories(draw: st.DrawFn, now: float) -> AgentHistory:
    past = st.floats(now - 2000, now)
    attempts = draw(st.integers(0, 8))
    return AgentHistory(
        attempts=attempts,
        delay=draw(st.floats(1, 400)) if attempts else 0.0,
        last_start=draw(past) if attempts else 0.0,
        starts=tuple(sorted(draw(st.lists(past, max_size=min(attempts, 3))))),
        healthy_since=draw(st.one_of(st.just(0.0), past)),
        restarts=attempts,
    )


@st.composite
def histories(draw: st.DrawFn, now: float) -> History:
    return History(agents=draw(st.dictionaries(st.sampled_from(NAMES), agent_histories(now))))
