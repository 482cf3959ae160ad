"""The machine as everything else sees it: facts to read, steps to carry out.

`Host` is the only door to subprocesses, sockets and files of the managed host. `providers/machine/local_host.py` is the
real one; `tests/world.py` is a simulated one that implements the same protocol and is checked against the real one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from providers.host_facts import HostFacts as HostFacts  # noqa: PLC0414 - exported again: every user of a host needs it
from providers.host_facts import Overlay as Overlay  # noqa: PLC0414 - likewise
from providers.pane_values import OtherPane as OtherPane  # noqa: PLC0414 - users of the host import it from here
from providers.pane_values import Pane as Pane  # noqa: PLC0414 - users of the host import it from here
from providers.pane_values import TmuxServer as TmuxServer  # noqa: PLC0414 - users of the host import it from here
from providers.screen import Screen
from specs.dataclass import dataclass, field

if TYPE_CHECKING:
    from providers.program_fault import ProgramFault
    from providers.steps import Step, StepResult
    from specs.compiled import Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """A loaded unit, as ListUnitsByPatterns reports it. A unit that is not loaded is not in the mapping."""

    load: str  # loaded, not-found, bad-setting, error, masked
    active: str  # active, inactive, failed, activating, deactivating, reloading
    sub: str  # exited, running, dead, failed, start, stop-sigterm, abandoned, ...
    job: str = ""  # the type of a queued job (start, stop, restart), or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFile:
    """A file that affects one of our units, in any folder that systemd searches. `rank` is the position of its folder
    in the search path: of several files for one unit the lowest counts. `unit` is the unit that it affects: for a
    drop-in, the name of its folder without `.d`, so it may be a template (`mosaic-agent@.service`) or `service` (all of
    them)."""

    path: str
    unit: str
    rank: int
    drop_in: bool = False
    own_folder: bool = False  # where the framework's own units are
    masked: bool = False  # a link to /dev/null, or an empty file
    leads_to: str = ""  # its real path, if it is a link
    sets: tuple[str, ...] = ()  # of a drop-in: names of the settings in it
    stamp: str = ""  # changes when the file changes
    odd: str = ""  # its type if it is not a regular file, such as "a FIFO": a reader may wait for ever
    unseen: str = ""  # why it could not be read; for a whole folder `unit` is ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerState:
    """What the user's systemd reports about itself. `stale`: its files have changed since it read them."""

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
    """What an agent uses: CPU seconds since its start, and bytes of memory; None where no source reports it. The
    sources are `cgroup` (the account of its scope, with leftover processes) and `proc` (the sum over its processes)."""

    cpu_s: float | None = None
    cpu_source: str = "proc"
    memory: int | None = None
    memory_source: str = "proc"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatFile:
    """One `<agent>.hb`, or one `<agent>.turn`. `error` says why it could not be read; then the other fields mean
    nothing. `words` holds its other entries by key; each known key has a property, "" where the file lacks it."""

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
        """Why it waits for a person."""
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
        """The program's own id of its conversation."""
        return self.words.get("session", "")

    @property
    def prompt(self) -> str:
        """The program's own id of the turn, for those that give one."""
        return self.words.get("prompt", "")

    @property
    def answered(self) -> float:
        """When a model last answered it (Unix seconds), as a program that writes for itself says; 0 if it does not."""
        text = self.words.get("answered", "")
        return float(text) if text.replace(".", "", 1).isdecimal() and text.isascii() and len(text) <= 24 else 0.0

    @property
    def interval(self) -> str:
        """How often it is written, in seconds, as the file states it."""
        return self.words.get("interval", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """A regular file's content. A link, a folder or a device in its place sets `odd` instead.

    `raw` is set only where the bytes are not UTF-8, so that `content` can only show them.
    """

    content: str = field(default="", repr=False)
    mode: int = 0
    odd: str | None = None
    raw: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathState:
    """What exists at a path that the fleet does not own, links followed. `usable`: a folder may be entered, a file may
    be read; `runs`: a file may be executed. `unclear`: that could not be determined. `why` says in a few words why the
    path cannot be used, whatever it is; it is "" for `nothing`."""

    kind: Literal["folder", "file", "nothing", "other", "unclear"]
    usable: bool = False
    runs: bool = False
    why: str = ""


class Look(Protocol):
    """One look at the host: each fact is read at most once, when first asked for, in a constant number of round trips,
    bounded in time. Every method raises `providers.base.ObserveError` if it could not observe the fact."""

    def now(self) -> float:
        """Unix seconds when the look began."""
        ...

    def uptime(self) -> float:
        """Seconds on the monotonic clock when the look began. That clock stops while the machine sleeps, and nobody can
        set it."""
        ...

    def boot_id(self) -> str: ...

    def units(self) -> Mapping[str, UnitState]:
        """Every loaded `mosaic-*` unit, by name (services, scopes, timers)."""
        ...

    def manager(self) -> ManagerState: ...

    def unit_files(self) -> tuple[UnitFile, ...]:
        """Every file that affects one of our units, also those that are not ours: masks, drop-ins, other units of the
        same name."""
        ...

    def behind(self, units: Sequence[str]) -> bool:
        """Whether systemd has yet to read what is on disk for one of these units. Ask after a change only: systemd
        checks the files of each."""
        ...

    def failing_condition(self, unit: str) -> str:
        """The condition of a unit that does not hold now, as written; "" if all hold. Starts a process, so ask only for
        the few units with a condition."""
        ...

    def enabled(self, wanted_by: str = "default.target") -> frozenset[str]:
        """Names of units linked in the `.wants` folder of a target, in the user's unit folder."""
        ...

    def linger(self) -> bool: ...

    def tmux(self, socket: str) -> TmuxServer: ...

    def screens(self, socket: str, panes: Mapping[str, int], *, since: float = 0.0) -> Mapping[str, Screen]:
        """What these panes (each one's number and process) of one server show, in one call; panes that have ended are
        left out, and so are those whose window has shown nothing since that time (Unix seconds)."""
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
        """The kernel's values of these limits (`MemoryMax`, `CPUWeight`, `TasksMax`) for one process: `max` for no
        limit, None if no controller of this host enforces it."""
        ...

    def cwd(self, pid: int) -> str:
        """The working directory of a process, with " (deleted)" appended if it is gone; "" if it cannot be
        determined."""
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
        """None: certainly absent."""
        ...

    def places(self, paths: Iterable[str]) -> Mapping[str, PathState]:
        """What exists at paths that the fleet does not own (working directories, secret files, paths from a roster), by
        path. Never raises, and never hangs: a path that does not answer is `unclear`. Ask for all at once: that is one
        round trip."""
        ...

    def programs(self, agents: Iterable[Agent], living: Collection[str] = ()) -> Mapping[str, ProgramFault | None]:
        """Why each agent's program cannot be started, by the agent's name; None if it can. Leaves out an agent whose
        answer is unknown. Checks only files of the `living`. Never raises, and never hangs. One round trip."""
        ...

    def listing(self, folder: str) -> tuple[str, ...]:
        """Names in a folder, sorted; empty if the folder does not exist."""
        ...


class Host(Protocol):
    """The machine. `begin` never raises for a step that fails: the result says so."""

    facts: HostFacts

    def look(self, sockets: Sequence[str] = ()) -> Look:
        """A fresh look; it also brings `facts.overlays` up to date. `sockets`: the tmux servers that the look will
        need, so that the host can ask them at once."""
        ...

    def until(self, deadline: float) -> None:
        """When the run's time is up, on the monotonic clock. A later call to systemd waits only a moment for its answer
        (`providers.systemd.client.LEAST_S`). A step that has begun has its own time."""
        ...

    def paused(self) -> str | None:
        """The kill switch: None, or the reason in the PAUSED file ("" if it is empty)."""
        ...

    def begin(self, batch: Sequence[tuple[str, Step]]) -> None:
        """Start carrying out independent steps, each under its caller's id; similar steps are merged into one call."""
        ...

    def completed(self, timeout_s: float) -> Sequence[tuple[str, StepResult]]:
        """Wait until at least one begun step has ended, at most `timeout_s`; return all that have. Every step ends by
        itself: one that has run out of its own time comes back as failed."""
        ...
