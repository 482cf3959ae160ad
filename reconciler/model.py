"""The values of one run, in the order in which they arise: observation, changes, plan, outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

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
from reconciler.helpers.late_text import LateText
from reconciler.plan_values import NO_FLOOR, Floor, Summary
from specs.dataclass import dataclass, field

if TYPE_CHECKING:
    from providers.evidence import KeptTrouble, RawEvidence
    from providers.programs.base import Choice


class Readiness(StrEnum):
    """The closed list of readiness words, most urgent first."""

    DEAD = "dead"
    STUCK = "stuck"
    STALE = "stale"
    UNKNOWN = "unknown"
    WAITING = "waiting"
    WORKING = "working"
    AVAILABLE = "available"


# An agent at one of these dialogs can take nothing until a person answers.
CLOSED = frozenset({"trust", "bypass", "first-run", "login", "model", "resume", "unknown"})
OF_A_PERSON = frozenset({"draft", "menu"})  # a person has begun to type, or has opened a menu, and is there

NAME_TAKEN = "another tmux session has the name of its own"  # so a start would have no session to use


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Observation(Value):
    """What one look at the host found. Nothing is known about the things in `unclear`, nor about a thing of a kind in
    `unknown` (with the reason) that is missing from `present`."""

    present: Mapping[ResourceKey, Present]
    unknown: Mapping[Kind, str]
    taken_at: float  # Unix seconds
    uptime: float = 0.0  # the monotonic clock at that time
    boot_id: str = ""
    clock_set_at: float = 0.0  # see `reconciler.observe.clock_steps`
    overrides: Mapping[str, Override] = field(default_factory=dict)  # by unit: what differs from the shipped unit
    unit_files: str = ""  # digests of the files that define our units (added, own), "" where not seen
    reload_due: bool = False  # systemd says that it has not read the current files
    reload_shut: Override | None = None  # the override that a reload would hang on
    digest: str | LateText  # of everything compared: two looks with the same digest lead to the same plan
    unclear: Mapping[ResourceKey, Present] = field(default_factory=dict)

    def hidden(self, key: ResourceKey) -> str:
        """Why this thing could not be seen; "" if the look settled whether it exists."""
        if key in self.present:
            return ""
        one = self.unclear.get(key)
        return one.unclear if one is not None else self.unknown.get(key.kind, "")


class Verdict(StrEnum):
    """The diff's truth table. A thing that is right, or that is not ours to change, has no change."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    HOLD = "hold"  # it could not be seen
    CONFLICT = "conflict"  # something that is not ours is in its place


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs. An UPDATE always names at least one field. For a HOLD, `why` says why the thing could not
    be seen."""

    verdict: Verdict
    key: ResourceKey
    agent: str | None
    desired: Resource | None
    present: Present | None
    fields: tuple[FieldChange, ...]
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """An agent that this fleet put on this host and has not yet seen gone. `launch` is the last launch it was given."""

    agent_class: str
    socket: str
    launch_digest: str = ""
    launch: Mapping[str, Json] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()  # so that removed agents are stopped in the right order too


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What we own on this host. `floor` and the classes guard a removal even after the commit that drops them."""

    agents: Mapping[str, Owned] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    floor: Literal["two-agent", "none"] = "none"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class AgentHistory(Value):
    """What the loop remembers about an agent to decide on it. Times are Unix seconds; 0 is "never".

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
    waiting_since: float = 0.0  # when a disruptive change became due
    restarts: int = 0  # all heals, shown to people
    in_sync_since: float = 0.0
    relaunch_pid: int = 0  # an operator asked to restart this process
    relaunch_started: float = 0.0
    resumed_pid: int = 0  # this process went on with its agent's conversation
    resumed_started: float = 0.0
    mission_since: float = 0.0  # when its mission or contract became outdated
    mission_told: str = ""  # digest of the mission and contract that it was, or is to be, told about
    losses_let: str = ""  # digest of the losses to others that an operator has accepted
    mission_reset: str = ""  # digest of those that a new conversation was started for, or was about to be
    forced_pid: int = 0  # somebody asked with --force to end this process, see `forced.py`
    forced_started: float = 0.0
    forced_for: str = ""  # the change that is to end it
    forced_by: str = ""
    forced_from: str = ""  # the revision that was in force then
    trouble: KeptTrouble | None = None  # see `reconciler.observe.troubles`
    limit_nudged: str = ""  # the process and the end of the limit, after which it was told to go on


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Persisted, so that backoff survives a restart of the controller. `heals`: times within the last hour."""

    agents: Mapping[str, AgentHistory] = field(default_factory=dict)
    heals: tuple[float, ...] = ()
    holder_release: str = ""  # digest of the holder change that an operator has let through
    clock_offset: float = 0.0  # wall clock minus monotonic clock at the last look, in that boot
    clock_boot: str = ""
    clock_set_at: float = 0.0
    reload_due: bool = False  # unit files were written, and systemd has not been asked to reload yet
    unit_files: str = ""  # digest of the files that systemd read last, if known


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A change that is due and deliberately not made. `until` is when it is looked at next, or None. `losses`: one line
    for each thing that other people would lose by it."""

    agent: str | None
    target: str
    verb: Verb
    reason: HeldReason
    message: str
    since: float
    until: float | None = None
    changes: tuple[FieldChange, ...] = ()
    losses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class AgentView(Value):
    """Everything known about one agent: the joined record that the plan, the status and every view share.

    `readiness` is what the agent does, and `readiness_why` the evidence for it. `available`: whether the `may_end`
    table lets a commit end it now, None without evidence; `may_stop_why` is the reason against it. `busy`: a source
    says so. `quiet`: it has shown no sign of work for `idle_after`, None without evidence. `hung`: its program usually
    reports for itself, and is silent. `blank`: its screen can be read, and shows nothing known. `idle` is the seconds
    since its last sign of activity, None without a living pane or evidence. `mission` is the digest of the mission and
    contract it was given, "" if unknown; `mission_now` is the digest of those in git.

    `waiting` is the kind of what it waits for a person to do (a dialog of `Asks`, or `draft`), "" while it does not;
    `question`, `choices` and `takes_text` belong to the dialog on its screen, see `Reading`. `stuck` is the kind of
    what keeps it from working (`Trouble`, or its program's own word), "" while it is not stuck; `until` is when that
    ends, as its screen says it, and `until_at` the same in Unix seconds, 0 if that is not known.
    """

    name: str
    agent_class: str
    runtime: str
    desired_state: str  # running, stopped, absent, undeclared
    unit_active: str  # systemd's word, "unknown" if it could not be seen
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
    unseen: str = ""  # why nothing can be said about this agent, whatever is known about others
    no_start: str = ""  # why it could not be started (again) as declared, if known
    taken: bool = False  # whether it lives elsewhere because another session has its name
    stranded: str = ""  # the same as a sentence, for an agent that lives; also: its folder was deleted
    readiness: Readiness = Readiness.UNKNOWN
    readiness_why: str = ""
    waiting: str = ""
    question: str = ""
    choices: tuple[Choice, ...] = ()
    takes_text: bool = False
    stuck: str = ""
    until: str = ""
    until_at: float = 0.0
    trouble: KeptTrouble | None = None  # to be kept, also while it works
    queued: int = 0  # messages in its program's own queue
    idle: float | None = None
    busy: bool = False
    quiet: bool | None = None
    hung: bool = False
    blank: bool = False
    may_stop_why: str = ""
    mission: str = ""
    mission_now: str = ""
    pane: str = ""  # tmux's number for its pane, on its server
    socket: str = ""  # the tmux server that it was seen on, "" for the default one
    life: str = ""  # the process in its pane and when it started, `pid.ticks`: no other process ever has the same
    cpu_s: float | None = None  # since its start; like `memory` (bytes), only where it was measured
    memory: int | None = None
    evidence: tuple[RawEvidence, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether it can accept nothing until a person has answered or has logged it in."""
        return (self.readiness is Readiness.WAITING and self.waiting in CLOSED) or self.stuck == "logged-out"

    @property
    def asks(self) -> bool:
        """Whether it waits for a person who may not be there."""
        return self.readiness is Readiness.WAITING and self.waiting not in OF_A_PERSON

    @property
    def behind(self) -> bool:
        """Whether it lives and was given another mission or contract than git has now."""
        return self.session == "alive" and self.mission not in ("", self.mission_now) and self.mission_now != ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Plan(Value):
    """Ordered actions with their reasons, and what is held and why. The same values always make the same plan.

    `refused`: sentences of the guards that refused, each with the way out; a run with any of them exits with code 5.
    `settling`: agents that are still starting: nothing to do for them, and not yet converged.
    """

    fleet: str
    tenant_id: str
    host: str
    revision: str
    observed_at: float
    observed_digest: str | LateText
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
    floor: Floor = NO_FLOOR
    unclear: Mapping[ResourceKey, str] = field(default_factory=dict)  # single things that could not be seen, and why

    @property
    def not_seen(self) -> dict[str, str]:
        """What could not be seen, with the reason: whole kinds by their name, single things as `kind/name`."""
        kinds = {str(kind): why for kind, why in sorted(self.unknown.items())}
        return kinds | {str(key): why for key, why in self.unclear.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one action. `captured` is the text saved from a dead pane, not yet redacted."""

    action: Action
    result: Literal["done", "unchanged", "failed", "skipped"]
    error: str | None = None
    duration_s: float = 0.0
    captured: str = ""
