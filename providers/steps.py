"""Steps: the smallest changes of a host, as data.

A step is idempotent, printable as the command a person would type, and carried out by a `Host`. The real host and the
simulated one accept exactly these classes and reject any other.
"""

from __future__ import annotations

import shlex
from typing import Literal, get_args

from specs.dataclass import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFile:
    """Write a whole file (temporary file, fsync, rename); parents are made with mode 0700. `mode` is octal.

    `known`: SHA-256 of the contents that may be overwritten (an absent file, or this very content, always may); the
    step fails on anything else, a link too. None: overwrite whatever exists.
    """

    path: str
    content: str = field(repr=False)
    mode: int
    known: tuple[str, ...] | None = None

    @property
    def command(self) -> str:
        return f"install -m {self.mode:04o} /dev/stdin {shlex.quote(self.path)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFile:
    """Remove one file; an absent file counts as done. With `folder`, also remove its folder if that is then empty.

    `known`: SHA-256 of the contents that may be removed; the step fails on anything else. None: remove any content.
    """

    path: str
    folder: bool = False
    known: tuple[str, ...] | None = None

    @property
    def command(self) -> str:
        remove = f"rm -f {shlex.quote(self.path)}"
        if not self.folder:
            return remove
        folder = shlex.quote(self.path.rpartition("/")[0])
        return f"{remove}; rmdir --ignore-fail-on-non-empty {folder}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepFile:
    """Give a file a second name, `kept`, under which it stays when the first one is overwritten. `digest` is its
    SHA-256: the step fails if the file has changed since, or if another file has the name `kept`. It never overwrites
    anything; a file that is kept already counts as done."""

    path: str
    kept: str
    digest: str

    @property
    def command(self) -> str:
        return f"ln {shlex.quote(self.path)} {shlex.quote(self.kept)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonReload:
    """Make systemd read its unit files again."""

    @property
    def command(self) -> str:
        return "systemctl --user daemon-reload"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetEnabled:
    """Enable or disable a unit for the next boot, without starting or stopping it."""

    unit: str
    enabled: bool

    @property
    def command(self) -> str:
        return f"systemctl --user {'enable' if self.enabled else 'disable'} {shlex.quote(self.unit)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitJob:
    """One systemd job, done when the job has ended. Fails if the job ends as `failed`, or not within `timeout_s`."""

    verb: Literal["start", "stop", "restart", "reload", "reset-failed"]
    unit: str
    timeout_s: float = 60.0

    @property
    def command(self) -> str:
        return f"systemctl --user {self.verb} {shlex.quote(self.unit)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureDead:
    """Keep the last lines of an agent's dead pane. Best effort: a pane that is gone or alive gives no lines.

    The result's `output` is the text (at most `lines` lines), not yet redacted.
    """

    socket: str
    pane: str  # tmux's number for it, like "%3"
    agent: str
    lines: int = 40

    @property
    def command(self) -> str:
        where = f"-L {shlex.quote(self.socket)} " if self.socket else ""
        return f"tmux {where}capture-pane -p -S -{self.lines} -t {shlex.quote(self.pane)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KillPane:
    """End one pane, only while it carries the mark of this agent and `pid` is its process; a pane that is gone counts
    as done. `agent` "" is a person's pane, which carries no mark. A session ends with its last pane."""

    socket: str
    pane: str
    agent: str
    pid: int

    @property
    def command(self) -> str:
        where = f"-L {shlex.quote(self.socket)} " if self.socket else ""
        return f"tmux {where}kill-pane -t {shlex.quote(self.pane)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteMission:
    """Record on an agent's pane which mission it was told, while the pane carries the agent's mark. `mission` is 12 hex
    digits. The pane's program is not touched."""

    socket: str
    pane: str
    agent: str
    mission: str

    @property
    def command(self) -> str:
        where = f"-L {shlex.quote(self.socket)} " if self.socket else ""
        return f"tmux {where}set-option -p -t {shlex.quote(self.pane)} @mosaic_mission {shlex.quote(self.mission)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLinger:
    """Let the user's systemd manager run without a login, from boot on."""

    user: str

    @property
    def command(self) -> str:
        return f"loginctl enable-linger {shlex.quote(self.user)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecreateSocket:
    """Make a live tmux server create its deleted socket file again (SIGUSR1); no pane is touched.

    `start_ticks` is field 22 of /proc/PID/stat: the signal is sent only to that very process.
    """

    pid: int
    start_ticks: int

    @property
    def command(self) -> str:
        return f"kill -USR1 {self.pid}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confine:
    """Put a living pane's processes into the scope `unit`, created for them, with these systemd properties
    (`MemoryMax=2G`); a pane that is in its agent's own scope already only gets the properties. No process ends.

    `start_ticks` is field 22 of /proc/PID/stat: only that very process moves, with its child processes.
    """

    agent: str
    pid: int
    start_ticks: int
    unit: str
    properties: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        words = ["StartTransientUnit", "ssa(sv)a(sa(sv))", self.unit, "fail", str(2 + len(self.properties))]
        words += ["Slice", "s", "mosaic-panes.slice", "PIDs", "au", "1", str(self.pid)]
        for text in self.properties:
            name, _, value = text.partition("=")
            words += [name, "t", value]
        return "busctl --user call org.freedesktop.systemd1 /org/freedesktop/systemd1 " + shlex.join(
            ["org.freedesktop.systemd1.Manager", *words, "0"]
        )


Step = (
    WriteFile
    | DeleteFile
    | KeepFile
    | DaemonReload
    | SetEnabled
    | UnitJob
    | CaptureDead
    | KillPane
    | NoteMission
    | SetLinger
    | RecreateSocket
    | Confine
)
STEPS: tuple[type, ...] = get_args(Step)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """`changed` is False if the step found everything as it should be. `error` is a sentence for people."""

    ok: bool
    changed: bool = True
    error: str | None = None
    output: str = ""
