"""The evidence of each kind of thing, beside what is compared: one frozen dataclass for each, made by the provider and
read by decisions and views. `of` gives that of a thing that was seen, None where there is none of that kind.

What is compared (`Present.fields`) is made from these in the provider, so that nothing but the diff reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from providers.base import HeldReason, KindEvidence
from providers.host import HeartbeatFile
from providers.pane_values import Pane

if TYPE_CHECKING:
    from providers.host import ResourceUsage
    from providers.pane_values import OtherPane
    from providers.programs.base import Reading

Kept = int | str | None  # the kernel's value of a limit, `max` where there is none; None: no controller keeps it
NO_PANE = Pane(
    session="", pid=0, dead=False, dead_status=None, command="", mark="", fleet="", launch="", created=0.0,
    activity=0.0, attached=0, in_mode=False, title="",
)  # fmt: skip
NO_HEARTBEAT = HeartbeatFile(error="no heartbeat file")  # of an agent of which only a turn record is there


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SessionEvidence(KindEvidence):
    """An agent's session. `pane` is the pane as tmux tells it, `NO_PANE` where there are only scopes; the rest is what
    follows from its processes. Times are Unix seconds, 0 where nothing tells."""

    pane: Pane = NO_PANE
    alive: bool = False
    program: str = ""  # what runs in the pane: the agent's runtime, or what stands there instead
    socket: str = ""  # the tmux server that it was seen on, "" for the default one
    scope: str | None = None  # placement.OWN, or the unit that the pane is in; None for an agent that should not run
    limits: Mapping[str, Kept] = field(default_factory=dict)  # those that are declared, as they are in force
    unkept: tuple[str, ...] = ()  # limits that this host has no controller for
    start_ticks: int = 0  # of the pane's process, field 22 of its stat
    pids: tuple[int, ...] = ()  # the processes of the pane, nearest first
    started: float = 0.0  # when its program did
    launching: bool = False  # our launch program has not handed over yet
    another: bool = False  # the program of an earlier declaration runs there
    idle_s: float | None = None  # seconds since the pane last showed anything
    scopes: tuple[str, ...] = ()  # live scopes that are the agent's by their names
    leftover: tuple[str, ...] = ()  # those of them that hold only what it left behind
    hidden: bool = False  # it lives in a tmux server that nobody can ask
    taken: bool = False  # it lives elsewhere, and its session's name is somebody else's
    screen: Reading | None = None
    unread: str = ""  # why its screen could not be read
    usage: ResourceUsage | None = None  # only where it was measured
    unit_failed: bool = False  # its unit is in systemd's list of failed ones

    @property
    def created(self) -> float:
        """When the pane's life began: its session may be older."""
        return max(self.pane.created, self.started)

    @property
    def last_activity(self) -> float:
        return max(self.pane.activity, self.pane.created)

    @property
    def others(self) -> tuple[OtherPane, ...]:
        """What other people have in the agent's session; another agent's pane is its own."""
        return tuple(one for one in self.pane.others if not one.agent)

    @property
    def strange(self) -> bool:
        """Whether the pane carries the mark, and something runs in it that we did not start."""
        return bool(self.pane.life) and not self.pane.life.startswith(f"{self.pane.pid}.")


NO_SESSION = SessionEvidence()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class UnitEvidence(KindEvidence):
    """A systemd unit: that of an agent, or the responder's. The words are systemd's."""

    enabled: bool = False
    active: str = "inactive"
    job: str = ""  # the type of a queued job (start, stop, restart)


NO_UNIT = UnitEvidence()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ServerEvidence(KindEvidence):
    """A tmux server of the holder's. `holder`: whether its holder session is there and lives."""

    state: Literal["up", "down", "lost"]
    holder: bool
    definition: str  # what the server was started with


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class HolderEvidence(KindEvidence):
    """The holder's unit, and each tmux server by the name that the holder has for it."""

    unit: UnitEvidence = NO_UNIT
    servers: Mapping[str, ServerEvidence] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)  # servers of which nothing is known, and why
    lost: tuple[tuple[int, int], ...] = ()  # pid and start ticks of servers whose socket file is gone
    panes: tuple[tuple[str, Pane], ...] = ()  # every agent's pane, with the socket that it is on


NO_HOLDER = HolderEvidence()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FileEvidence(KindEvidence):
    """A file that the fleet makes, or all those of one agent. `intact`: it is as it was once made, so that a difference
    comes from git. `odd`: what stands there instead, such as "a FIFO"."""

    intact: bool = False
    odd: str = ""
    only_peers: bool = False  # of the files that a launch adds: nothing differs but the list of peers


NO_FILE = FileEvidence()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ReseedEvidence(KindEvidence):
    """The framework's own files, by their paths in `$MOSAIC_HOME`."""

    digests: Mapping[str, str] = field(default_factory=dict)  # of what may be written over or removed
    kept: Mapping[str, str] = field(default_factory=dict)  # edited by hand: where each is kept
    moved: Mapping[str, str] = field(default_factory=dict)  # the text that goes into its overlay
    blocked: Mapping[str, str] = field(default_factory=dict)  # something else stands there, or it could not be read
    unread: frozenset[str] = frozenset()  # those of them that could not be read
    held: tuple[HeldReason, str] | None = None  # why nothing of it is to be touched now
    drift: bool = False  # somebody has changed them, rather than a new version


NO_RESEED = ReseedEvidence()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class StartEvidence(KindEvidence):
    """What speaks against starting an agent as it is declared. `why` is short, "" for nothing; `searched` and `mend`
    are for the caller that shows one agent."""

    why: str = ""
    certain: bool = True
    reason: HeldReason = HeldReason.DEPENDENCY
    folder_gone: bool = False  # it lives in a folder that was deleted
    stranded: str = ""  # all that in a sentence, of one that lives
    warning: str = ""  # what its program may trip over though it is started
    searched: str = ""
    mend: str = ""

    @property
    def in_full(self) -> str:
        """What speaks against a start, with where was searched and what fixes it."""
        parts = [self.why or self.warning]
        parts += [f"searched: {self.searched}"] if self.searched else []
        parts += [f"to fix that: {self.mend}"] if self.mend else []
        return "; ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class HeartbeatRecords(KindEvidence):
    """What an agent says of itself: its heartbeat, and the record of its turns."""

    beat: HeartbeatFile = NO_HEARTBEAT
    turn: HeartbeatFile | None = None
