"""The desired state of one host, as plain values.

`specs` validates what an operator wrote with pydantic; this module holds what remains of it once it is known to be
right: small frozen dataclasses without any third-party import, so that a run that has nothing to do can read them from
a cache keyed by commit and never pay for the validators.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, get_args

from specs.dataclass import dataclass, field

AgentState = Literal["running", "stopped", "absent"]
OnChange = Literal["when-idle", "immediately", "never"]
OnMission = Literal["show", "tell", "reset"]
OnMove = Literal["wait", "start"]
OnResume = Literal["on-heal", "always", "never"]
FRESH, PRESENT = "fresh", "present"  # in `restart_session`: a new conversation, and the one that the agent is in
MoveWord = Literal["", "runs", "gone", "silent"]
# The kinds of what needs a person: `reconciler.attention.case.AttentionKind` has the same words, which a test holds.
CaseKind = Literal[
    "permission", "question", "trust", "bypass", "login", "first-run", "model", "resume", "dialog", "logged-out",
    "limit", "api-error", "retries", "stuck", "hung", "quarantine", "cannot-start", "unconfirmed",
]  # fmt: skip
CASE_KINDS: tuple[CaseKind, ...] = get_args(CaseKind)
NotifyUse = Literal["command", "desktop", "bell", "email"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvValue:
    """One environment variable of an agent: exactly one of the three is set. Only `literal` may be printed."""

    literal: str | None = None
    from_env: str | None = None
    from_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of an agent's scope, in systemd's own spelling (`MemoryMax=2G`, `CPUWeight=50`, `TasksMax=512`)."""

    memory_max: str | None = None
    cpu_weight: int | None = None
    tasks_max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """`until` is Unix seconds, or None for "until somebody resumes it"."""

    reason: str
    by: str
    until: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One agent of this host. `held` is set when its entry is wrong in a way that leaves the others readable."""

    name: str
    session: str  # the tmux session: the name with "." as "_", because tmux itself replaces it
    agent_class: str
    runtime: str
    state: AgentState
    socket: str  # "" is the user's default tmux server: no -L anywhere
    working_directory: str  # absolute
    argv: tuple[str, ...]
    process_names: tuple[str, ...]
    env: tuple[tuple[str, EnvValue], ...]  # sorted by name
    path: tuple[str, ...]  # configured folders put before PATH, absolute
    limits: Limits
    model: str | None
    native_heartbeat: bool
    reset_command: str | None
    submit_key: str
    depends_on: tuple[str, ...]
    alias: str | None
    generation: int
    ssh: str | None = None  # how other hosts reach this one
    groups: tuple[str, ...] = ()  # sorted; names by which several agents are addressed together
    kickstart: str | None = None  # what it is told after a start and after a reset; a path if it begins with / ~/ ./
    reset_between_tasks: bool = False  # it may be given a new conversation whenever it has nothing to do
    resume: OnResume = "on-heal"  # when a start goes on with the conversation that it had
    restart_session: str = ""  # what the restart of its generation begins with: `fresh`, or the id of a conversation
    resume_nudge: str = ""  # what it is told after a start in the middle of a turn; "" for nothing
    limit_nudge: str = ""  # what it is told when a usage limit has ended; "" for nothing
    held: str | None = None
    placed: bool = False  # its entry names this host: there may be others


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """An agent of this fleet on another host: what it takes to name it and to reach it. `ssh` is the roster's word for
    the way there (`user@host`, a name of ssh's own configuration); None where the host's name has to do."""

    name: str
    agent_class: str
    runtime: str
    state: AgentState
    host: str
    ssh: str | None = None
    alias: str | None = None
    model: str | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaText:
    """The contract of a class, as its agents are given it: the shipped one with the operator's own laid over it.
    `digest`: 12 hex digits of the text. `persistent`: whether its agents keep what they know between tasks."""

    text: str = field(repr=False)
    digest: str
    purpose: str
    persistent: bool | Literal["semi"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`fleet.yaml`'s `reconcile` block; durations are seconds, `restart_budget` is heals per hour of the fleet."""

    interval: float = 60.0
    max_removals: int = 3
    on_change: OnChange = "when-idle"
    max_unavailable: int = 1
    drain_timeout: float = 3600.0
    moving: OnMove = "wait"
    backoff_initial: float = 5.0
    backoff_maximum: float = 300.0
    backoff_reset_after: float = 600.0
    quarantine_restarts: int = 5
    quarantine_within: float = 600.0
    restart_budget: int | None = None  # None: the larger of 30 and twice the number of agents
    floor: Literal["two-agent", "none"] = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeats:
    """Seconds."""

    interval: float = 15.0
    stale_after: float = 45.0
    idle_after: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyRule:
    """One way to notify a person. `name` is unique in the fleet. `use`: the operator's own program, or what is built
    in; `argv` is the former's, `to` the address of an email. `kinds` empty: every kind of case. `after`, `repeat` and
    `timeout` are seconds, `repeat` 0 for once; `quiet`: from which minute of the day to which nobody is notified, in
    the host's local time."""

    name: str
    use: NotifyUse = "command"
    argv: tuple[str, ...] = ()
    to: str = ""
    kinds: tuple[str, ...] = ()
    after: float = 30.0
    repeat: float = 0.0
    quiet: tuple[int, int] | None = None
    timeout: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """An agent that was never started here, and the other host that it was declared for before ("": none). `ssh`: the
    way there, None where none is declared. `commit`: the last one that declares it there. `word`: what that host
    said at `asked` (Unix seconds), `said` in which words; "" as long as it was not asked. `released`: an operator lets
    it start here all the same. `revision`: the commit that all this was found for."""

    host: str = ""
    ssh: str | None = None
    commit: str = ""
    revision: str = ""
    word: MoveWord = ""
    said: str = ""
    asked: float = 0.0
    released: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Everything the providers need to say what is desired on `host`. `agents` is sorted by name."""

    name: str
    tenant_id: str
    host: str
    revision: str
    socket: str
    holder_session: str
    agents: tuple[Agent, ...]
    policy: Policy = Policy()
    heartbeats: Heartbeats = Heartbeats()
    suspended: Mapping[str, Suspension] = field(default_factory=dict)  # by agent name; "*" is the whole fleet
    peers: tuple[Peer, ...] = ()  # the fleet's agents on other hosts, sorted by name
    mission: str = field(default="", repr=False)  # NORTH_STAR.yaml as Markdown; "" where the fleet has none
    # By class as the roster writes it: of the agents of this host, as far as there is a contract.
    personas: Mapping[str, PersonaText] = field(default_factory=dict)
    # What happens when one of the two has changed under an agent that runs; by class, "*" for all others.
    on_mission: Mapping[str, OnMission] = field(default_factory=dict)
    # By class, "*" for all others: whether a program's question of trust in an agent's own folder is answered for it.
    trusts: Mapping[str, bool] = field(default_factory=dict)
    # Sentences about this commit that stay true for as long as it is in force with what ships now.
    remarks: tuple[str, ...] = ()
    notify: tuple[NotifyRule, ...] = ()
    # By name, of agents whose first start here is due; found by a run or a look, and in no cache of the commit.
    moving: Mapping[str, Moving] = field(default_factory=dict)

    @property
    def everyone(self) -> tuple[tuple[str, Agent | Peer], ...]:
        """Every agent of the fleet after the name of its host, those of this host first."""
        return (*((self.host, agent) for agent in self.agents), *((peer.host, peer) for peer in self.peers))

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """Classes of the fleet's agents on other hosts, sorted; one for each agent that is there to stay."""
        return tuple(sorted(peer.agent_class for peer in self.peers if peer.state != "absent"))


def mission_digest(fleet: Fleet, agent: Agent) -> str:
    """12 hex digits of what an agent is there for: six of the fleet's mission, six of the contract of its class, so
    that two of them also say which of the two differs."""
    persona = fleet.personas.get(agent.agent_class)
    return _six(fleet.mission) + _six(persona.text if persona is not None else "")


def changed_in(old: str, new: str) -> tuple[str, ...]:
    """What differs between two digests of `mission_digest`, in words: the mission, the contract of the class."""
    parts = (("mission", old[:6], new[:6]), ("contract", old[6:], new[6:]))
    return tuple(word for word, one, other in parts if one != other)


@lru_cache(maxsize=256)
def _six(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:6]


def fleet_to_json(fleet: Fleet) -> dict[str, Any]:
    """The cacheable form; `fleet_from_json` is its exact inverse."""
    from specs.dataclass import asdict

    return asdict(fleet)


def fleet_from_json(document: Mapping[str, Any]) -> Fleet:
    """Raises KeyError or TypeError on a document of another version: the caller then compiles again."""
    agents = tuple(
        Agent(
            **{
                **raw,
                "argv": tuple(raw["argv"]),
                "process_names": tuple(raw["process_names"]),
                "env": tuple((name, EnvValue(**value)) for name, value in raw["env"]),
                "path": tuple(raw["path"]),
                "limits": Limits(**raw["limits"]),
                "depends_on": tuple(raw["depends_on"]),
                "groups": tuple(raw["groups"]),
            }
        )
        for raw in document["agents"]
    )
    rest = {
        "agents": agents,
        "policy": Policy(**document["policy"]),
        "heartbeats": Heartbeats(**document["heartbeats"]),
        "suspended": {name: Suspension(**value) for name, value in document["suspended"].items()},
        "peers": tuple(Peer(**{**raw, "groups": tuple(raw["groups"])}) for raw in document["peers"]),
        "personas": {name: PersonaText(**raw) for name, raw in document["personas"].items()},
        "remarks": tuple(document["remarks"]),
        "notify": tuple(
            NotifyRule(
                **{
                    **raw,
                    "argv": tuple(raw["argv"]),
                    "kinds": tuple(raw["kinds"]),
                    "quiet": tuple(raw["quiet"]) if raw["quiet"] is not None else None,
                }
            )
            for raw in document["notify"]
        ),
        "moving": {},
    }
    return Fleet(**{**document, **rest})
