"""`World`: a simulated host that implements `providers.host.Host` exactly.

It does what a real one does: a started agent unit reads its launch environment and makes a session, a dead holder
takes every pane with it, a job of a unit without a file fails. It rejects any step or unit that it was not told about.
`tests/laws/test_simulator_against_real.py` runs the same scenarios here and on a real host and compares what a look
shows.

    world_model.py      what it is made of, and the tally of what was done
    world_processes.py  processes and tmux servers
    world_machine.py    systemd's jobs and the launch programs
    world_trouble.py    what can happen behind the reconciler's back
    world_look.py       what a look shows
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from providers.host import HostFacts, Overlay
from providers.launch.contract import OVERLAYS, PROFILE
from providers.screen import Screen
from providers.steps import (
    CaptureDead,
    Confine,
    DaemonReload,
    DeleteFile,
    KeepFile,
    KillPane,
    NoteMission,
    RecreateSocket,
    SetEnabled,
    SetLinger,
    Step,
    StepResult,
    UnitJob,
    WriteFile,
)
from tests.world_look import WorldLook
from tests.world_machine import template_of
from tests.world_model import FACTS, HOLDER_UNIT, Ended, File, PendingJob, Session, SimulatedKill, Tally, of
from tests.world_trouble import Trouble

__all__ = ["FACTS", "HOLDER_UNIT", "Ended", "SimulatedKill", "Tally", "World"]

STEPS = (
    WriteFile,
    DeleteFile,
    KeepFile,
    DaemonReload,
    SetEnabled,
    UnitJob,
    CaptureDead,
    KillPane,
    NoteMission,
    SetLinger,
    RecreateSocket,
    Confine,
)
UNITS = re.compile(
    r"mosaic-tmux-holder\.service|mosaic-responder\.service|mosaic-agent@[A-Za-z0-9_.-]+\.service"
    r"|mosaic-pane-[A-Za-z0-9_.-]+:[0-9a-f]+\.scope|mosaic-reconcile(-watch)?\.(service|timer)"
)
Crash = Literal["before", "half", "after"]


class World(Trouble):
    """A host in memory. Time stands still unless `advance` is called, or a step is waited for that hangs."""

    def __init__(self, facts: HostFacts = FACTS, now: float = 1_700_000_000.0) -> None:
        super().__init__(facts, now)
        self.blind: set[str] = set()  # names of `Look` methods that fail; "tmux:work" is one socket only
        self.shows: dict[str, str | Screen] = {}  # the screen that an agent shows; a text names a captured one
        self.failing: list[Callable[[Step], str | None]] = []  # each may say why a step fails
        self.before_step: Callable[[Step], None] | None = None  # what happens just before a step
        self.unkept: set[str] = set()  # limits that no controller of this host keeps
        self._kill_at: int | None = None
        self._kill_how: Crash = "before"
        self._ended: list[tuple[str, StepResult]] = []
        self._hanging: list[tuple[float, str, StepResult]] = []

    def copy(self) -> World:
        """Another host in the same state."""
        return copy.deepcopy(self)

    # Host

    def look(self, sockets: Sequence[str] = ()) -> WorldLook:
        _ = sockets  # nothing here takes time
        self.tally.looks += 1
        folder = self.facts.mosaic_home
        found = ((name, self.files.get(f"{folder}/{name}")) for name in (*PROFILE, *OVERLAYS))
        overlays = tuple(
            Overlay(name=name, text="" if file.odd else file.content, fault=file.odd or "")
            for name, file in found
            if file is not None
        )
        self.facts = replace(self.facts, overlays=overlays)
        return WorldLook(self)

    def until(self, deadline: float) -> None:
        """Nothing here takes time to answer."""

    def paused(self) -> str | None:
        file = self.files.get(f"{self.facts.run_dir}/PAUSED")
        return None if file is None else file.content.strip()

    def begin(self, batch: Sequence[tuple[str, Step]]) -> None:
        self.tally.batches.append([step for _, step in batch])
        for ident, step in batch:
            if type(step) not in STEPS:
                raise TypeError(f"not a step that a host knows: {step!r}")
            self._begin(ident, step)

    def completed(self, timeout_s: float) -> Sequence[tuple[str, StepResult]]:
        if not self._ended and self._hanging:
            self.advance(max(0.0, min(min(self._hanging)[0] - self.now, timeout_s)))
            self._ended = [(ident, result) for due, ident, result in self._hanging if due <= self.now]
            self._hanging = [entry for entry in self._hanging if entry[0] > self.now]
        ended, self._ended = self._ended[::-1], []  # never in the order in which they were begun
        return ended

    # killing the reconciler

    def crash_after(self, n: int, how: Crash = "before") -> None:
        """Kill the reconciler at the (n+1)th step from now: before it, half way through, or when it has its effect
        and nobody has heard of it. A job that was handed to systemd half way is carried out later, by systemd."""
        self._kill_at, self._kill_how = n, how

    def restart_reconciler(self) -> None:
        """A new process: what was begun and not collected is forgotten, and there is no crash in wait."""
        self._kill_at = None
        self._ended, self._hanging = [], []

    # steps

    def _begin(self, ident: str, step: Step) -> None:
        self.tally.steps.append(step)
        if self._kill_at == 0 and self._kill_how != "after":
            if self._kill_how == "half":
                self._half(step)
            raise SimulatedKill(repr(step))
        if self.before_step is not None:
            self.before_step(step)
        self.run_pending()
        self.by = "reconciler"
        before = self.fingerprint()
        error = next((why for fails in self.failing if (why := fails(step))), None)
        output = ""
        if error is None:
            error, output = self._carry_out(step)
        changed = self.fingerprint() != before
        if changed:
            self.tally.changed.append(step)
        said = changed or (error is None and isinstance(step, UnitJob | DaemonReload))  # systemd does not tell
        result = StepResult(ok=error is None, changed=said, error=error, output=output)
        if error == "hangs" and isinstance(step, UnitJob):
            late = StepResult(ok=False, changed=changed, error=f"did not end within {step.timeout_s:.0f} s")
            self._hanging.append((self.now + step.timeout_s, ident, late))
        else:
            self._ended.append((ident, result))
        if self._kill_at is not None:
            if self._kill_at == 0:
                raise SimulatedKill(repr(step))
            self._kill_at -= 1

    def _half(self, step: Step) -> None:
        if isinstance(step, UnitJob):
            self._known(step.unit)
            self.unit(step.unit).job = step.verb if step.verb != "reset-failed" else ""
            self.pending.append(PendingJob(step.verb, step.unit))
        elif isinstance(step, WriteFile):
            folder, _, name = step.path.rpartition("/")
            self.files[f"{folder}/.{name}.tmp"] = File(step.content[: len(step.content) // 2], 0o600)

    def _carry_out(self, step: Step) -> tuple[str | None, str]:
        """The error, or None; and the output."""
        error: str | None = None
        output = ""
        match step:
            case UnitJob():
                error = self._unit_job(step)
            case SetEnabled():
                error = self._set_enabled(step)
            case CaptureDead() | KillPane() | NoteMission():
                error, output = self._tmux(step)
            case RecreateSocket():
                error = self._recreate_socket(step)
            case Confine():
                error = self.confine(step)
            case SetLinger():
                error = None if step.user == self.facts.user else f"no such user: {step.user}"
                self.linger = self.linger or error is None
            case WriteFile() | DeleteFile() | KeepFile():
                error = self._change_file(step)
            case DaemonReload():
                self.reload()
        return error, output

    def _change_file(self, step: WriteFile | DeleteFile | KeepFile) -> str | None:
        there = self.files.get(step.path)
        if isinstance(step, KeepFile):
            if there is None or there.odd or there.digest != step.digest:
                return f"{step.path} has changed since it was looked at"
            kept = self.files.setdefault(step.kept, File(there.content, there.mode))
            return None if kept.digest == step.digest else f"{step.kept} is there already"
        known = step.known if isinstance(step, DeleteFile) or step.known is None else (*step.known, of(step.content))
        if known is not None and there is not None and (there.odd or there.digest not in known):
            return f"{step.path} has changed since it was looked at"
        if isinstance(step, WriteFile):
            self.files[step.path] = File(step.content, step.mode)
        else:
            self.files.pop(step.path, None)
        return None

    def _unit_job(self, step: UnitJob) -> str | None:
        self._known(step.unit)
        if not step.unit.endswith(".scope"):
            return self.job(step.verb, step.unit)
        for proc in [proc for proc in self.procs.values() if proc.scope == step.unit]:
            self.end_process(proc.pid)
        return None

    def _tmux(self, step: CaptureDead | KillPane | NoteMission) -> tuple[str | None, str]:
        server = self.server(step.socket)
        if server is None:
            lost = isinstance(step, KillPane) and any(other.socket == step.socket for other in self.servers)
            return ("the tmux server has lost its socket" if lost else None), ""
        for beside in server.sessions.values():
            for other in beside.others:
                if isinstance(step, KillPane) and (other.id, other.pid, "") == (step.pane, step.pid, step.agent):
                    self.tally.lost.append(other)
                    self.end_other(server, beside, other)
                    return None, ""
        session = next((one for one in server.sessions.values() if one.pane == step.pane and not one.vacant), None)
        if session is None:
            return ("no such pane" if isinstance(step, NoteMission) else None), ""
        if isinstance(step, CaptureDead):
            return None, session.last_lines if session.dead and session.mark == step.agent else ""
        if session.mark != step.agent or (isinstance(step, KillPane) and session.pid != step.pid):
            return f"tmux pane {step.pane} does not carry the mark of agent {step.agent}; left alone", ""
        if isinstance(step, NoteMission):
            session.mission = step.mission
        else:
            self.end_pane(server, session)
        return None, ""

    def _recreate_socket(self, step: RecreateSocket) -> str | None:
        for server in self.servers:
            if (server.pid, server.start_ticks) == (step.pid, step.start_ticks):
                server.reachable = True
                return None
        return "that process has ended"

    def _set_enabled(self, step: SetEnabled) -> str | None:
        self._known(step.unit)
        if not step.enabled:
            self.enabled.discard(step.unit)
        elif f"{self.facts.unit_dir}/{template_of(step.unit)}" not in self.files:
            return f"Unit file {step.unit} does not exist."
        else:
            self.enabled.add(step.unit)
        return None

    def _known(self, unit: str) -> None:
        if not UNITS.fullmatch(unit):
            raise ValueError(f"not a unit that this host knows: {unit}")

    def fingerprint(self) -> Mapping[str, object]:
        """Everything that a step could change, as comparable values."""
        return {
            "files": {path: (file.content, file.mode, file.odd) for path, file in self.files.items()},
            "units": {
                name: (unit.load, unit.active, unit.sub, unit.job)
                for name, unit in self.units.items()
                if unit.active != "inactive" or unit.job
            },
            "enabled": frozenset(self.enabled),
            "linger": self.linger,
            "procs": frozenset((pid, proc.scope, tuple(proc.limits.items())) for pid, proc in self.procs.items()),
            "fragments": dict(self.fragments),
            "servers": [(s.socket, s.pid, s.reachable, tuple(map(_shown, s.sessions.values()))) for s in self.servers],
        }


def _shown(session: Session) -> tuple[object, ...]:
    return session.name, session.pid, session.dead, session.mission, session.vacant, session.others
