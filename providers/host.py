"""The machine as everything else sees it: facts to read, steps to carry out.

`Host` is the only door to subprocesses, sockets and files of the managed host. `providers/machine/local_host.py` is the
real one; `tests/world.py` is a simulated one that implements the same protocol and is checked against the real one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from providers.host_facts import HostFacts as HostFacts  # noqa: PLC0414 - handed on: whoever has a host needs it
from providers.host_facts import Overlay as Overlay  # noqa: PLC0414 - likewise
from providers.pane_values import OtherPane as OtherPane  # noqa: PLC0414 - whoever asks the host finds it here
from providers.pane_values import Pane as Pane  # noqa: PLC0414 - whoever asks the host finds it here
from providers.pane_values import TmuxServer as TmuxServer  # noqa: PLC0414 - whoever asks the host finds it here
from providers.screen import Screen

if TYPE_CHECKING:
    from providers.program_fault import ProgramFault
    from providers.steps import Step, StepResult
    from specs.compiled import Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """A loaded unit, as ListUnitsByPatterns gives it. A unit that is not loaded is not in the mapping."""

    load: str  # loaded, not-found, bad-setting, error, masked
    active: str  # active, inactive, failed, activating, deactivating, reloading
    sub: str  # exited, running, dead, failed, start, stop-sigterm, abandoned, ...
    job: str = ""  # the type of a queued job (start, stop, restart), or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFile:
    """A file that decides about a unit of ours, wherever systemd looks for such. `rank` is the place of its folder in
    the search path: of several files for one unit the lowest counts. `unit` is whom it is for: of a drop-in the name of
    its folder without `.d`, so a template (`mosaic-agent@.service`) or `service` (all of them), too."""

    path: str
    unit: str
    rank: int
    drop_in: bool = False
    own_folder: bool = False  # where the framework's own units are
    masked: bool = False  # a link to /dev/null, or an empty file
    leads_to: str = ""  # where it really is, if it is a link
    sets: tuple[str, ...] = ()  # of a drop-in: names of the settings in it
    stamp: str = ""  # another one when the file has changed
    odd: str = ""  # what it is where it is not a regular file, such as "a FIFO": whoever reads it may wait for ever
    unseen: str = ""  # why nothing is known of it; of a whole folder `unit` is ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerState:
    """What the user's systemd says of itself. `stale`: its files have changed since it has read them."""

    unit_path: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process from /proc. `started` is Unix seconds; `start_ticks` is field 22 of stat; `cgroup` its unit name."""

    pid: int
    ppid: int
    comm: str
    state: str  # R, S, D, Z, ...
    started: float
    start_ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceUsage:
    """What an agent uses: CPU seconds since its start, and bytes of memory; None where nothing tells. The sources are
    `cgroup` (the account of its scope, what it left behind included) and `proc` (the sum over its processes)."""

    cpu_s: float | None = None
    cpu_source: str = "proc"
    memory: int | None = None
    memory_source: str = "proc"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatFile:
    """One `<agent>.hb`, or one `<agent>.turn`. `error` says why it could not be read; then the other fields mean
    nothing. `words` are all that it says besides, by key; each that is known has a name, "" where it says nothing."""

    ts: float = 0.0
    pid: int = 0
    status: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None

    @property
    def source(self) -> str:
        """Who wrote it: `sidecar` for something that answers for the agent."""
        return self.words.get("source", "native")

    @property
    def own(self) -> bool:
        """Whether the agent's program, or one of its hooks, wrote it."""
        return self.source != "sidecar"

    @property
    def waiting(self) -> str:
        """For what it waits for a person."""
        return self.words.get("waiting", "")

    @property
    def stuck(self) -> str:
        return self.words.get("stuck", "")

    @property
    def event(self) -> str:
        """What happened when it was written."""
        return self.words.get("event", "")

    @property
    def session(self) -> str:
        """The id that the program has for its conversation."""
        return self.words.get("session", "")

    @property
    def interval(self) -> str:
        """How often it is written, in seconds, as it stands there."""
        return self.words.get("interval", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """A regular file's content. A link, a folder or a device where a file should be has `odd` set instead.

    `raw` is set only where the bytes are not UTF-8, so that `content` can only show them.
    """

    content: str = field(default="", repr=False)
    mode: int = 0
    odd: str | None = None
    raw: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathState:
    """What stands at a path that the fleet does not own, links followed. `usable`: a folder may be entered, a file may
    be read; `runs`: a file may be executed. `unclear`: that could not be told. `why` says in a few words why it is not
    to be used, whatever it is; it is "" for `nothing`."""

    kind: Literal["folder", "file", "nothing", "other", "unclear"]
    usable: bool = False
    runs: bool = False
    why: str = ""


class Look(Protocol):
    """One look at the host: each fact is read at most once, when first asked for, in a constant number of round
    trips, bounded in time. Every method raises `providers.base.ObserveError` if it could not see."""

    def now(self) -> float:
        """Unix seconds when the look began."""
        ...

    def uptime(self) -> float:
        """Seconds on the monotonic clock when the look began: it stands still while the machine sleeps, and nobody
        can set it."""
        ...

    def boot_id(self) -> str: ...

    def units(self) -> Mapping[str, UnitState]:
        """Every loaded `mosaic-*` unit, by name (services, scopes, timers)."""
        ...

    def manager(self) -> ManagerState: ...

    def unit_files(self) -> tuple[UnitFile, ...]:
        """Every file that decides about a unit of ours, also those that are not: masks, drop-ins, other units of the
        same name."""
        ...

    def behind(self, units: Sequence[str]) -> bool:
        """Whether systemd has not read yet what is on disk for one of these units. For when something has changed:
        systemd looks at the files of each."""
        ...

    def failing_condition(self, unit: str) -> str:
        """The condition of a unit that does not hold now, as it is written; "" if all do. A process: for the few units
        that somebody has given a condition."""
        ...

    def enabled(self, wanted_by: str = "default.target") -> frozenset[str]:
        """Names of units linked in the `.wants` folder of a target, in the user's unit folder."""
        ...

    def linger(self) -> bool: ...

    def tmux(self, socket: str) -> TmuxServer: ...

    def screens(self, socket: str, panes: Mapping[str, int]) -> Mapping[str, Screen]:
        """What these panes (each one's number and process) of one server show, in one call; without those that have
        gone."""
        ...

    def processes(self) -> Mapping[int, Process]:
        """Every process of this user, by pid."""
        ...

    def cmdline(self, pid: int) -> tuple[str, ...]:
        """Argument list of one process seen in `processes()`; empty if it has ended since."""
        ...

    def unit_of(self, pid: int) -> str:
        """The systemd unit (the innermost folder of its control group) that a process is in, `-.slice` at the top; ""
        if it has ended."""
        ...

    def limits(self, pid: int, names: Sequence[str]) -> Mapping[str, int | str | None]:
        """What the kernel keeps of these limits (`MemoryMax`, `CPUWeight`, `TasksMax`) for one process: `max` where
        there is none, None where no controller of this host does that."""
        ...

    def cwd(self, pid: int) -> str:
        """The folder that a process is in, with " (deleted)" behind it if it is gone; "" if that cannot be told."""
        ...

    def usage(self, panes: Mapping[str, Sequence[int]]) -> Mapping[str, ResourceUsage]:
        """What agents use of the machine, by agent name: `panes` has the processes of each one's pane, nearest first.
        One pass over the control groups of the panes."""
        ...

    def heartbeats(self) -> Mapping[str, HeartbeatFile]:
        """Every `*.hb` of the run folder, by agent name."""
        ...

    def turns(self) -> Mapping[str, HeartbeatFile]:
        """Every `*.turn` of the run folder, by agent name; from the same pass as the heartbeats."""
        ...

    def file(self, path: str) -> FileState | None:
        """None: certainly not there."""
        ...

    def places(self, paths: Iterable[str]) -> Mapping[str, PathState]:
        """What stands at paths that are not the fleet's (working directories, secret files, whatever a roster names),
        by path. Never raises, and never hangs: what does not answer is `unclear`. Ask for all at once: that is one
        round trip."""
        ...

    def programs(self, agents: Iterable[Agent], living: Collection[str] = ()) -> Mapping[str, ProgramFault | None]:
        """What speaks against starting each agent's program, by the agent's name; None for nothing. An agent is left
        out if nobody could tell. Of the `living` only files are looked at. Never raises, and never hangs. One round
        trip."""
        ...

    def listing(self, folder: str) -> tuple[str, ...]:
        """Names in a folder, sorted; empty if the folder is not there."""
        ...


class Host(Protocol):
    """The machine. `begin` never raises for a step that fails: that is in its result."""

    facts: HostFacts

    def look(self, sockets: Sequence[str] = ()) -> Look:
        """A fresh look; it also brings `facts.overlays` up to date. `sockets`: tmux servers that will be asked for, so
        that asking them may begin at once."""
        ...

    def until(self, deadline: float) -> None:
        """When the run's time is up, on the monotonic clock: what is asked of systemd after that has a moment only for
        its answer (`providers.systemd.client.LEAST_S`). A step that has begun has its own time."""
        ...

    def paused(self) -> str | None:
        """The kill switch: None, or the reason that stands in the PAUSED file ("" if it is empty)."""
        ...

    def begin(self, batch: Sequence[tuple[str, Step]]) -> None:
        """Start carrying out independent steps, each under its caller's id; like steps are merged into one call."""
        ...

    def completed(self, timeout_s: float) -> Sequence[tuple[str, StepResult]]:
        """Wait until at least one begun step has ended, at most `timeout_s`; return all that have. Every step ends
        by itself: one that has run out of its own time comes back as failed."""
        ...
