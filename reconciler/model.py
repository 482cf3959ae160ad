"""The values of one run, in the order in which they arise: observation, changes, plan, outcomes, report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

from providers.base import (
    Action,
    FieldChange,
    Health,
    HeldReason,
    Json,
    Kind,
    Present,
    Resource,
    ResourceKey,
    Value,
    Verb,
)
from providers.kinds.overrides import Override


class Readiness(StrEnum):
    """The closed list, in the order in which a person wants to hear of it."""

    DEAD = "dead"
    STUCK = "stuck"
    STALE = "stale"
    UNKNOWN = "unknown"
    WAITING = "waiting"
    WORKING = "working"
    AVAILABLE = "available"


CLOSED = frozenset({"trust", "login"})  # of these, an agent can do nothing at all until a person has answered

NAME_TAKEN = "another tmux session has the name of its own"  # so that a start would have nowhere to go


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Observation(Value):
    """What one look at the host showed. Nothing is known of what is `unclear`, nor of anything of a kind in `unknown`
    (with the reason) that is not in `present`."""

    present: Mapping[ResourceKey, Present]
    unknown: Mapping[Kind, str]
    taken_at: float  # Unix seconds
    uptime: float = 0.0  # the monotonic clock at that time
    boot_id: str = ""
    clock_set_at: float = 0.0  # see `reconciler.observe.clock_steps`
    overrides: Mapping[str, Override] = field(default_factory=dict)  # by unit: what is not as shipped
    unit_files: str = ""  # digests of the files that decide about our units (added, own), "" where not seen
    reload_due: bool = False  # systemd says that it has not read what is there now
    reload_shut: Override | None = None  # what it would hang on if it did
    digest: str  # of everything compared: two looks with the same digest call for the same plan
    unclear: Mapping[ResourceKey, Present] = field(default_factory=dict)

    def hidden(self, key: ResourceKey) -> str:
        """Why this thing could not be seen; "" if it could, be it there or not."""
        if key in self.present:
            return ""
        one = self.unclear.get(key)
        return one.unclear if one is not None else self.unknown.get(key.kind, "")


class Verdict(StrEnum):
    """The truth table of the diff; a thing that is right, or that concerns no one, has no change at all."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    HOLD = "hold"  # it could not be seen
    CONFLICT = "conflict"  # something that is not ours stands in its place


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs. `fields` is never empty for an UPDATE: there is no drift without a named field. `why`: of
    a HOLD, why it could not be seen."""

    verdict: Verdict
    key: ResourceKey
    agent: str | None
    desired: Resource | None
    present: Present | None
    fields: tuple[FieldChange, ...]
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """An agent that this fleet has put on this host and has not yet seen gone. `launch` is what it was last given."""

    agent_class: str
    socket: str
    launch_digest: str = ""
    launch: Mapping[str, Json] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()  # so that removed agents, too, are stopped in the right order


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What we own on this host. `floor` and the classes guard a removal even after the commit that drops them."""

    agents: Mapping[str, Owned] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    floor: Literal["two-agent", "none"] = "none"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class AgentHistory(Value):
    """What a decision about an agent needs to remember. Times are Unix seconds; 0 is "never".

    `delay` is the last backoff in seconds: it only grows until `launch_digest` changes, health is sustained, or an
    operator releases the agent.
    """

    launch_digest: str = ""
    attempts: int = 0
    delay: float = 0.0
    last_start: float = 0.0
    starts: tuple[float, ...] = ()  # heals within the quarantine window
    quarantined_since: float = 0.0
    healthy_since: float = 0.0
    waiting_since: float = 0.0  # a disruptive change has been due since then
    restarts: int = 0  # heals in all, for people
    in_sync_since: float = 0.0
    relaunch_pid: int = 0  # an operator has asked for a new start of this very process
    relaunch_started: float = 0.0
    mission_since: float = 0.0  # it has been running on an older mission or contract since then
    mission_told: str = ""  # digest of those that it was told of, or is to be
    losses_let: str = ""  # digest of what others lose by its end, which an operator has let go
    mission_reset: str = ""  # digest of those that it was given a new conversation for, or was about to be
    forced_pid: int = 0  # somebody wants this very process gone by --force, see `forced.py`
    forced_started: float = 0.0
    forced_for: str = ""  # the change that it is to go for
    forced_by: str = ""
    forced_from: str = ""  # the revision that was in force then


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Persisted, so that backoff survives the controller's restart. `heals`: times, within the last hour."""

    agents: Mapping[str, AgentHistory] = field(default_factory=dict)
    heals: tuple[float, ...] = ()
    holder_release: str = ""  # digest of the holder change that an operator has let through
    clock_offset: float = 0.0  # wall clock minus monotonic clock at the last look, in that boot
    clock_boot: str = ""
    clock_set_at: float = 0.0
    reload_due: bool = False  # unit files were written, and systemd has not been told yet
    unit_files: str = ""  # digest of the files that it has read last, as far as is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Something that is due and deliberately not done. `until` is the next time it is looked at, or None. `losses`: a
    line for each thing that other people would lose by it."""

    agent: str | None
    target: str
    verb: Verb
    reason: HeldReason
    message: str
    since: float
    until: float | None = None
    changes: tuple[FieldChange, ...] = ()
    losses: tuple[str, ...] = ()


class RawEvidence(NamedTuple):
    """One raw observation. `source` is where it was seen (git, systemd, tmux, screen, proc, heartbeat, turn, cgroup),
    `at` when it was so or was written (Unix seconds), None for what has no time."""

    source: str
    what: str
    value: Json
    at: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class AgentView(Value):
    """One agent as a whole: the joined record that the plan, the status and every view share.

    `readiness` is what it does, and `readiness_why` what that rests on. `available`: whether a commit may end it now,
    as the table of `may_end` has it, None where nothing tells; `may_stop_why` is the reason against it. `busy`:
    somebody says so; `quiet`: it has shown no sign of work for `idle_after`, None where nothing tells; `hung`: its
    program speaks for itself otherwise, and is silent; `blank`: its screen can be read, and shows nothing that is
    known. `waiting` is for what it waits for a person, "" while it does
    not; `stuck` is somebody's word, "" where nobody says so. `idle` is in seconds since its last sign of activity, None
    where there is no living pane or nothing tells. `mission` is the digest of the mission and the contract that it was
    given, "" where nothing tells; `mission_now` is that of those in git.
    """

    name: str
    agent_class: str
    runtime: str
    desired_state: str  # running, stopped, absent, undeclared
    unit_active: str  # systemd's word, "unknown" where it could not be seen
    enabled: bool | None
    session: Literal["alive", "dead", "missing", "foreign", "unknown"]
    program: str
    pid: int
    started: float
    last_activity: float
    heartbeat: Literal["ok", "busy", "stale", "unknown"]
    heartbeat_age: float | None
    heartbeat_note: str
    health: Health
    available: bool | None
    launch_digest: str
    why: str  # one sentence; empty only when all is well
    unseen: str = ""  # why of this one nothing can be told, others notwithstanding
    no_start: str = ""  # why it could not be started (again) as it is declared, as far as can be seen
    taken: bool = False  # whether it lives elsewhere, and its session's name is somebody else's
    stranded: str = ""  # of one that lives: that in a sentence, also that the folder it is in was deleted
    readiness: Readiness = Readiness.UNKNOWN
    readiness_why: str = ""
    waiting: str = ""
    stuck: str = ""
    idle: float | None = None
    busy: bool = False
    quiet: bool | None = None
    hung: bool = False
    blank: bool = False
    may_stop_why: str = ""
    mission: str = ""
    mission_now: str = ""
    pane: str = ""  # tmux's number for its pane, on its server
    cpu_s: float | None = None  # since its start; like `memory` (bytes) only where it was measured
    memory: int | None = None
    evidence: tuple[RawEvidence, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether it can take nothing up at all until a person has answered."""
        return self.readiness is Readiness.WAITING and self.waiting in CLOSED

    @property
    def behind(self) -> bool:
        """Whether it lives and was given another mission or contract than git has now."""
        return self.session == "alive" and self.mission not in ("", self.mission_now) and self.mission_now != ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    create: int = 0
    update: int = 0
    remove: int = 0
    heal: int = 0
    held: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """How the two agents stand that a fleet cannot do without. `orchestrator` and `enhancer` say which of them is not
    healthy, `none` that the fleet has no such rule. `on_purpose`: somebody has suspended those agents."""

    word: Literal["none", "stands", "elsewhere", "unknown", "orchestrator", "enhancer"] = "none"
    message: str = ""
    on_purpose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Plan(Value):
    """Ordered actions with their reasons, and what is held and why. The same values always make the same plan.

    `refused`: guards that said no, as sentences with the way out; a run with any of them ends with exit code 5.
    `settling`: agents whose start is under way: nothing to do for them, and not yet converged.
    """

    fleet: str
    tenant_id: str
    host: str
    revision: str
    observed_at: float
    observed_digest: str
    paused: str | None
    actions: tuple[Action, ...]
    held: tuple[Held, ...]
    unknown: Mapping[Kind, str]
    orphans: tuple[str, ...]
    refused: tuple[str, ...]
    settling: tuple[str, ...]
    heals: frozenset[str]  # agents whose planned start counts against backoff and budget
    summary: Summary
    views: Mapping[str, AgentView]
    floor: Floor = Floor()
    unclear: Mapping[ResourceKey, str] = field(default_factory=dict)  # single things that could not be seen, and why

    @property
    def not_seen(self) -> dict[str, str]:
        """What could not be seen, with the reason: whole kinds by their name, single things as `kind/name`."""
        kinds = {str(kind): why for kind, why in sorted(self.unknown.items())}
        return kinds | {str(key): why for key, why in self.unclear.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one action. `captured` is the kept text of a dead pane, not yet redacted."""

    action: Action
    result: Literal["done", "unchanged", "failed", "skipped"]
    error: str | None = None
    duration_s: float = 0.0
    captured: str = ""
