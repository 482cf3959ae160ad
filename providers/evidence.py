"""The evidence of each kind of thing: one frozen dataclass per kind, made by the provider and read by decisions and
views. `of` returns the evidence of a thing that was seen, or None if it has none of that kind.

The provider makes what is compared (`Present.fields`) from the evidence; only the diff reads those fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from providers.base import HeldReason, Json, KindEvidence
from providers.host import HeartbeatFile
from providers.pane_values import Pane
from specs.dataclass import dataclass, field

if TYPE_CHECKING:
    from providers.host import ResourceUsage
    from providers.pane_values import OtherPane
    from providers.programs.base import Reading

Kept = int | str | None  # the kernel's value of a limit, `max` for no limit; None: no controller enforces it
NO_PANE = Pane(
    session="", pid=0, dead=False, dead_status=None, command="", mark="", fleet="", launch="", created=0.0,
    activity=0.0, attached=0, in_mode=False, title="",
)  # fmt: skip
NO_HEARTBEAT = HeartbeatFile(error="no heartbeat file")  # of an agent that has only a turn record


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SessionEvidence(KindEvidence):
    """An agent's session. `pane` is the pane as tmux reports it, `NO_PANE` if only scopes exist; the rest follows from
    its processes. Times are Unix seconds, 0 if unknown."""

    pane: Pane = NO_PANE
    alive: bool = False
    program: str = ""  # what runs in the pane: the agent's runtime, or another program instead
    socket: str = ""  # the tmux server that it was seen on, "" for the default one
    scope: str | None = None  # placement.OWN, or the unit that the pane is in; None for an agent that should not run
    limits: Mapping[str, Kept] = field(default_factory=dict)  # the declared limits, with the values in force
    unkept: tuple[str, ...] = ()  # limits that no controller of this host enforces
    start_ticks: int = 0  # of the pane's process, field 22 of its stat
    pids: tuple[int, ...] = ()  # the processes of the pane, nearest first
    started: float = 0.0  # when its program started
    launching: bool = False  # our launch program has not started the agent's program yet
    another: bool = False  # the program of an earlier declaration runs there
    idle_s: float | None = None  # seconds since the pane last showed output
    scopes: tuple[str, ...] = ()  # live scopes with the agent's name
    leftover: tuple[str, ...] = ()  # those scopes that hold only its leftover processes
    hidden: bool = False  # it lives in a tmux server that cannot be reached
    taken: bool = False  # it lives elsewhere, and somebody else's session has its name
    screen: Reading | None = None
    unread: str = ""  # why its screen could not be read
    usage: ResourceUsage | None = None  # only if it was measured
    unit_failed: bool = False  # systemd lists its unit as failed

    @property
    def created(self) -> float:
        """When the pane's life began: its session may be older."""
        return max(self.pane.created, self.started)

    @property
    def last_activity(self) -> float:
        return max(self.pane.activity, self.pane.created)

    @property
    def others(self) -> tuple[OtherPane, ...]:
        """Other people's things in the agent's session; another agent's pane is not among them."""
        return tuple(one for one in self.pane.others if not one.agent)

    @property
    def strange(self) -> bool:
        """Whether the pane carries the mark, and runs something that we did not start."""
        return bool(self.pane.life) and not self.pane.life.startswith(f"{self.pane.pid}.")


NO_SESSION = SessionEvidence()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class UnitEvidence(KindEvidence):
    """A systemd unit: an agent's, or the responder's. The words are systemd's."""

    enabled: bool = False
    active: str = "inactive"
    job: str = ""  # the type of a queued job (start, stop, restart)


NO_UNIT = UnitEvidence()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ServerEvidence(KindEvidence):
    """A tmux server of the holder's. `holder`: whether its holder session exists and lives."""

    state: Literal["up", "down", "lost"]
    holder: bool
    definition: str  # the definition that the server was started with


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class HolderEvidence(KindEvidence):
    """The holder's unit, and each tmux server by the holder's name for it."""

    unit: UnitEvidence = NO_UNIT
    servers: Mapping[str, ServerEvidence] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)  # servers that could not be observed, and why
    lost: tuple[tuple[int, int], ...] = ()  # pid and start ticks of servers whose socket file is gone
    panes: tuple[tuple[str, Pane], ...] = ()  # every agent's pane, with its socket


NO_HOLDER = HolderEvidence()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FileEvidence(KindEvidence):
    """A file that the fleet makes, or all those of one agent. `intact`: it is as it was once made, so that a difference
    comes from git. `odd`: what stands in its place, such as "a FIFO"."""

    intact: bool = False
    odd: str = ""
    only_peers: bool = False  # of the files that a launch adds: only the list of peers differs


NO_FILE = FileEvidence()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ReseedEvidence(KindEvidence):
    """The framework's own files, by their paths in `$MOSAIC_HOME`."""

    digests: Mapping[str, str] = field(default_factory=dict)  # of the files that may be overwritten or removed
    kept: Mapping[str, str] = field(default_factory=dict)  # edited by hand: where each is kept
    moved: Mapping[str, str] = field(default_factory=dict)  # the text that goes into its overlay
    blocked: Mapping[str, str] = field(default_factory=dict)  # something else is in its place, or it could not be read
    unread: frozenset[str] = frozenset()  # those that could not be read
    held: tuple[HeldReason, str] | None = None  # why none of it may be touched now
    drift: bool = False  # somebody has edited them; otherwise the difference comes from a new version


NO_RESEED = ReseedEvidence()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class StartEvidence(KindEvidence):
    """Why an agent cannot be started as declared. `why` is short, "" if it can; `searched` and `repair` are for the
    caller that shows one agent."""

    why: str = ""
    certain: bool = True
    reason: HeldReason = HeldReason.DEPENDENCY
    folder_gone: bool = False  # it lives in a folder that was deleted
    stranded: str = ""  # the whole problem in a sentence, for an agent that lives
    warning: str = ""  # what may trouble its program, which is started all the same
    searched: str = ""
    repair: str = ""

    @property
    def in_full(self) -> str:
        """Why it cannot be started, with where we searched and what fixes it."""
        parts = [self.why or self.warning]
        parts += [f"searched: {self.searched}"] if self.searched else []
        parts += [f"to fix that: {self.repair}"] if self.repair else []
        return "; ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class HeartbeatRecords(KindEvidence):
    """What an agent reports of itself: its heartbeat, and the record of its turns."""

    heartbeat: HeartbeatFile = NO_HEARTBEAT
    turn: HeartbeatFile | None = None


class KeptTrouble(NamedTuple):
    """What keeps an agent from working, by evidence that may be gone by now. `since` is when it was first seen, and
    `until_at` when it ends (0 if unknown); both are Unix seconds. `life`: see `AgentView`;
    `session`: its program's id of the conversation, "" if unknown. `reported`: its program said it, and not only its
    screen. `over`: when its screen showed that it is over (Unix seconds, 0 for not yet): a report from before that
    time says it no more."""

    kind: str
    since: float
    life: str
    until: str = ""
    until_at: float = 0.0
    reported: bool = False
    session: str = ""
    over: float = 0.0


class RawEvidence(NamedTuple):
    """One raw observation. `source` is where it was seen (git, systemd, tmux, screen, proc, heartbeat, turn, cgroup).
    `at` is when it was true or was written (Unix seconds), None if it has no time."""

    source: str
    what: str
    value: Json
    at: float | None
