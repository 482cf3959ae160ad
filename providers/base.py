"""What a provider is, and the values that travel through the loop: resources, observations, changes, actions.

A provider handles one kind of thing on a host: how it should look, how to observe it, which steps change it, and when
it is healthy. To write one, implement `Provider` and list it in `registry.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from specs.dataclass import dataclass

if TYPE_CHECKING:
    from typing import Self

    from providers.host import HostFacts, Look
    from providers.steps import Step
    from specs.compiled import Fleet

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"  # a value that we make
Parsed: TypeAlias = Any  # a value that we read: the reader checks it at once and makes one of our own values of it


class Kind(StrEnum):
    """The kinds of thing a fleet is made of. When a source cannot be read at all, its whole kind is unknown."""

    FRAMEWORK = "framework"  # unit files and launch programs, by content
    PROJECTION = "projection"  # the mission as a file
    LINGER = "linger"
    HOLDER = "holder"  # the unit that owns a tmux server, and that server
    RESPONDER = "responder"  # writes the heartbeats of agents that write none themselves
    ENV = "env"  # per-agent launch environment
    EXTRAS = "extras"  # per-agent files that its launch adds
    RESEED = "reseed"  # the framework's own texts in $MOSAIC_HOME
    UNIT = "systemd"  # the agent's systemd unit: enabled, active
    SESSION = "tmux"  # the agent's tmux session, pane and process
    HEARTBEAT = "heartbeat"  # observed only
    PLACE = "place"  # observed only: what an agent needs to start but the fleet does not own, such as its folder

    __hash__ = str.__hash__  # as it compares; the one of enumerations is a function in Python


class Verb(StrEnum):
    """What an action does; the words of the plan document."""

    WRITE = "write"
    PROJECT = "project"  # write the files made from the mission
    DELETE = "delete"
    RELOAD = "reload"
    LINGER = "linger"
    ENABLE = "enable"
    DISABLE = "disable"
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    RESEED = "reseed"  # put the framework's files back as shipped, and keep what somebody wrote into them
    RECOVER = "recover"  # repair a live tmux server without touching a pane
    CONFINE = "confine"  # put a living pane into its own scope, with its limits; no process ends


class Reason(StrEnum):
    """Why an action is planned: the closed list of the plan document."""

    NEW = "new-in-git"
    REMOVED = "removed-from-git"
    MOVED = "moved-in-git"  # to another host
    SPEC = "spec-changed"
    DRIFT = "drifted-on-host"
    NOT_RUNNING = "not-running"
    UNHEALTHY = "unhealthy"
    FRAMEWORK = "framework-changed"
    REQUESTED = "requested"


class HeldReason(StrEnum):
    """Why a due action is deliberately not taken: the closed list of the plan document."""

    WORKING = "working"
    CRASH_LOOP = "crash-loop"
    SUSPENDED = "suspended"
    PAUSED = "paused"
    PRUNE = "prune-limit"
    NOT_OWNED = "not-owned"
    NOT_INSTALLED = "not-installed"  # the agent's program
    NOT_RUNNABLE = "not-runnable"  # the file exists, and cannot be executed here
    MASKED = "masked"
    OVERRIDDEN = "overridden"
    UNKNOWN = "unknown"
    DEPENDENCY = "dependency"
    MAX_UNAVAILABLE = "max-unavailable"
    FLOOR = "floor"
    LIMIT = "limit"  # its program is at a usage limit, and the time when that ends is known
    MOVING = "moving"  # its old host has not released it yet
    UNSUPPORTED = "unsupported"  # this host cannot do it, so a retry would not help


class Health(StrEnum):
    """`SETTLING`: a start is under way. `UNKNOWN` never leads to an action."""

    HEALTHY = "healthy"
    SETTLING = "settling"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class ObserveError(Exception):
    """A look at the host failed, so what it should have shown is unknown; never "empty because it failed"."""


class Value:
    """Compares and prints by its fields, as a dataclass does. Classes with many fields use it with `eq=False,
    repr=False`, so that a start of the program does not spend time on generating these methods."""

    __slots__: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self.__slots__)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


class ResourceKey(NamedTuple):
    """Unique on a host: kind, and a name within the kind (file path, unit name or agent name). A tuple, since a run
    looks up dozens for each agent, and those of Python's own types are compared and hashed fastest."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


class Material(Value):
    """The base of what steps need to make a thing: `providers.material` has one frozen dataclass for each."""

    __slots__ = ()

    @classmethod
    def of(cls, thing: Resource | None) -> Self | None:
        """The material of `thing`; None if it has none of this kind."""
        material = thing.material if thing is not None else None
        return material if isinstance(material, cls) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A thing as it should be. The diff compares `fields`; steps need `material`, which is never compared."""

    key: ResourceKey
    agent: str | None
    fields: Mapping[str, Json]
    material: Material | None = None


class KindEvidence(Value):
    """The base of what one kind reports of a thing: `providers.evidence` has one frozen dataclass for each."""

    __slots__ = ()

    @classmethod
    def of(cls, seen: Present | None) -> Self | None:
        """The evidence of `seen`; None if it has none of this kind."""
        evidence = seen.evidence if seen is not None else None
        return evidence if isinstance(evidence, cls) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A thing as it was seen. `fields` has the same keys as the resource's where both exist; only the diff reads them.

    `ours`: it carries this fleet's mark (or a name that only we use). `evidence`: what was observed, for status and for
    decisions such as "is it working"; never compared. `unclear`: why this one thing could not be observed; then only
    `key` and `agent` mean something.
    """

    key: ResourceKey
    agent: str | None
    ours: bool
    fields: Mapping[str, Json]
    evidence: KindEvidence | None = None
    unclear: str = ""


def unclear(key: ResourceKey, agent: str | None, why: str) -> Present:
    """A thing that could not be observed; others of its kind may be known."""
    return Present(key=key, agent=agent, ours=False, fields={}, unclear=why)


def rest_of(kind: Kind) -> ResourceKey:
    """Stands for all things of a kind that exist and could not be listed."""
    return ResourceKey(kind, "*")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field that differs. Its maker replaces the values of a secret by `(set)` and `(not set)`."""

    path: str
    live: Json
    desired: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to do, in the order that `depends_on` (ids of other actions) allows.

    The provider makes its steps from `desired` and `present`. `disrupts`: it ends a process of an agent. `losses`: what
    other people lose by it, a line for each. `forced`: who has forced it, `despite` what.
    """

    id: str
    verb: Verb
    key: ResourceKey
    target: str
    agent: str | None
    reason: Reason
    disrupts: bool = False
    depends_on: tuple[str, ...] = ()
    changes: tuple[FieldChange, ...] = ()
    desired: Resource | None = None
    present: Present | None = None
    losses: tuple[str, ...] = ()
    forced: str = ""
    despite: str = ""


class Provider(Protocol):
    """One kind of thing. Only `observe` may touch the machine, and only to read."""

    kind: Kind

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        """What should exist, normalised as `observe` normalises it; pure."""
        ...

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        """What exists, listed by ownership, so that orphans appear. One thing that cannot be observed is `unclear`; the
        list still has the others. Raises ObserveError if nothing of this kind could be observed; never returns less."""
        ...

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        """The exact steps of an action; pure, so a preview prints what a run would do."""
        ...

    def health(self, seen: Present) -> Health:
        """Whether the thing does its work; pure."""
        ...
