"""The real host: systemd by D-Bus, tmux, /proc and files of the machine that we run on."""

from __future__ import annotations

import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from providers.filesystem import files
from providers.host import HostFacts
from providers.machine.facts import gather
from providers.machine.look import LocalLook
from providers.machine.overlays import read_overlays
from providers.processes import process as spawn
from providers.processes import procfs
from providers.systemd.bus_address import LINGER_DIR
from providers.systemd.client import Systemd
from providers.tmux.server import TmuxClient
from specs.dataclass import replace

if TYPE_CHECKING:
    from providers.steps import (
        DeleteFile,
        KeepFile,
        RecreateSocket,
        Step,
        StepResult,
        WriteFile,
    )

    FileStep = WriteFile | DeleteFile | KeepFile

__all__ = ["LocalHost", "LocalLook"]

LINGER_TIMEOUT_S = 15.0
_REASON_MAX = 500
_WRITERS = 8
FinishedStep = tuple[str, "StepResult"]
S = TypeVar("S")


class LocalHost:
    """Implements `providers.host.Host`. One thread at a time; `close()` when done with it."""

    def __init__(self, environ: Mapping[str, str] | None = None, facts: HostFacts | None = None) -> None:
        self._environ = dict(os.environ if environ is None else environ)
        self.facts = facts or gather(self._environ)
        self.systemd = Systemd(self._environ, self.facts.uid)
        self._tmux = TmuxClient(self._environ, self.facts.uid)
        self._open: set[str] = set()
        self._done: list[FinishedStep] = []
        self._from_threads: deque[FinishedStep] = deque()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def close(self) -> None:
        """Close the connection; nothing on the host changes. Steps under way continue unobserved."""
        self.systemd.close()
        if self._wake >= 0 and not self._open:  # else a thread may still write to it
            os.close(self._wake)
            self._wake = -1

    def look(self, sockets: Sequence[str] = ()) -> LocalLook:
        """`sockets`: the tmux servers that the look will need, so that they may begin."""
        overlays = read_overlays(self.facts.mosaic_home)
        if overlays != self.facts.overlays:
            self.facts = replace(self.facts, overlays=overlays)
        return LocalLook(self.facts, self.systemd, self._tmux, sockets)

    def until(self, deadline: float) -> None:
        self.systemd.until(deadline)

    def paused(self) -> str | None:
        path = f"{self.facts.run_dir}/PAUSED"
        try:
            # A link may lead to a file system that gives no answer.
            text = _far_switch(path) if os.path.islink(path) else files.read_switch(path)
        except (FileNotFoundError, NotADirectoryError):
            return "PAUSED is a link to nowhere" if os.path.islink(path) else None
        except OSError as error:
            return f"{path} cannot be read: {error.strerror}"
        lines = text.decode("utf-8", "replace").strip().splitlines()
        return lines[0].strip()[:_REASON_MAX] if lines else ""

    def begin(self, batch: Sequence[tuple[str, Step]]) -> None:
        """Raises TypeError, before any step begins, for an object that is not a step, and ValueError for an id in
        use."""
        from providers.steps import STEPS, Confine, DaemonReload, RecreateSocket, SetEnabled, SetLinger, UnitJob

        ids = [name for name, _ in batch]
        for _, step in batch:
            if type(step) not in STEPS:
                raise TypeError(f"{type(step).__name__} is not a step that this host knows")
        if len(set(ids)) < len(ids) or not self._open.isdisjoint(ids):
            raise ValueError("a step's id is in use already")
        self._open.update(ids)
        # Jobs first: systemd works on them while we write files.
        for name, job in _only(UnitJob, batch):
            self.systemd.unit_job(name, job, self._ended)
        for name, pane in _only(Confine, batch):
            self.systemd.confine(name, pane, self._ended)
        if links := _only(SetEnabled, batch):
            from providers.systemd import enabling

            self._done.extend(enabling.carry_out(links, self.facts.unit_dir))
        if reloads := [name for name, _ in _only(DaemonReload, batch)]:
            self.systemd.reload(reloads, self._ended)
        self._begin_tmux(batch)
        for name, linger in _only(SetLinger, batch):
            self._in_thread([name], partial(self._set_linger, name, linger.user))
        self._change_files(batch)
        for name, socket in _only(RecreateSocket, batch):
            self._ended(name, _recreate_socket(socket))

    def completed(self, timeout_s: float) -> Sequence[FinishedStep]:
        deadline = time.monotonic() + timeout_s
        while True:
            self.systemd.pump(0)
            self._collect()
            left = deadline - time.monotonic()
            if self._done or not self._open or left <= 0:
                done, self._done = self._done, []
                self._open.difference_update(name for name, _ in done)
                return done
            poll = select.poll()
            poll.register(self._wake, select.POLLIN)
            if (connection := self.systemd.fileno()) >= 0:
                poll.register(connection, self.systemd.events())
            due = self.systemd.next_deadline()
            wait = left if due is None else min(left, due - time.monotonic())
            poll.poll(max(0.0, wait) * 1000 + 1)

    def _ended(self, name: str, result: StepResult) -> None:
        self._done.append((name, result))

    def _collect(self) -> None:
        try:
            os.eventfd_read(self._wake)
        except BlockingIOError:
            return
        while self._from_threads:
            self._done.append(self._from_threads.popleft())

    def _in_thread(self, ids: Sequence[str], work: Callable[[], Iterable[FinishedStep]]) -> None:
        import threading

        from providers.steps import StepResult

        # Programs may hang up to their deadline: each group of them has a thread, so none delays the rest.
        def run() -> None:
            missing = dict.fromkeys(ids)
            try:
                for name, result in work():
                    missing.pop(name)
                    self._from_threads.append((name, result))
            finally:  # the thread prints a bug in `work`, and each step must still end
                for name in missing:
                    self._from_threads.append((name, StepResult(ok=False, error="the step could not be carried out")))
                os.eventfd_write(self._wake, 1)

        threading.Thread(target=run, daemon=True).start()

    def _begin_tmux(self, batch: Sequence[tuple[str, Step]]) -> None:
        from providers.steps import CaptureDead, KillPane, NoteMission

        captures, kills = _only(CaptureDead, batch), _only(KillPane, batch)
        for socket in dict.fromkeys(step.socket for _, step in captures):
            steps = [(name, step) for name, step in captures if step.socket == socket]
            self._in_thread([n for n, _ in steps], partial(self._tmux.capture, socket, steps))
        notes, processes = _only(NoteMission, batch), partial(procfs.scan, self.facts.uid)
        for socket in dict.fromkeys(step.socket for _, step in notes):
            written = [(name, step) for name, step in notes if step.socket == socket]
            self._in_thread([n for n, _ in written], partial(self._tmux.note, socket, written))
        for socket in dict.fromkeys(step.socket for _, step in kills):
            ends = [(name, step) for name, step in kills if step.socket == socket]
            self._in_thread([n for n, _ in ends], partial(self._tmux.kill, socket, ends, processes))

    def _change_files(self, batch: Sequence[tuple[str, Step]]) -> None:
        from providers.steps import DeleteFile, KeepFile, StepResult, WriteFile

        steps = [(name, step) for name, step in batch if isinstance(step, WriteFile | DeleteFile | KeepFile)]
        results: dict[str, StepResult] = {}

        def change(part: Sequence[tuple[str, FileStep]]) -> None:
            for name, step in part:
                results[name] = _change_file(step)

        if len(steps) <= _WRITERS:
            change(steps)
        else:  # each write waits for the disk, which takes many at once: this is ten times faster
            import threading

            threads = [threading.Thread(target=change, args=(steps[at::_WRITERS],)) for at in range(_WRITERS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        folders: dict[str, list[str]] = {}
        for name, step in steps:
            if results[name].changed:
                folders.setdefault(os.path.dirname(step.path), []).append(name)
        for folder, names in folders.items():
            try:
                files.sync_folder(folder)
            except OSError as error:
                text = f"{folder} cannot be written to disk: {error.strerror}"
                results |= dict.fromkeys(names, StepResult(ok=False, error=text))
        self._done.extend(results.items())

    def _set_linger(self, name: str, user: str) -> Iterable[FinishedStep]:
        yield name, self._linger(user)

    def _linger(self, user: str) -> StepResult:
        from providers.steps import StepResult

        if os.path.exists(f"{LINGER_DIR}/{user}"):
            return StepResult(ok=True, changed=False)
        argv = ["loginctl", "--no-ask-password", "enable-linger", user]
        try:
            done = spawn.run(argv, self._environ, timeout_s=LINGER_TIMEOUT_S)
        except spawn.SpawnError as error:
            return StepResult(ok=False, changed=False, error=f"linger for {user} cannot be set: {error}")
        if done.status == 0:
            return StepResult(ok=True)
        said = done.err.decode("utf-8", "replace").strip() or f"status {done.status}"
        text = f"linger for {user} cannot be set: {said}; run: sudo loginctl enable-linger {user}"
        return StepResult(ok=False, changed=False, error=text)


def _far_switch(path: str) -> bytes:
    from providers.filesystem.bounded_look import ask_one

    return ask_one(path, lambda: files.read_switch(path))


def _change_file(step: FileStep) -> StepResult:
    from providers.steps import DeleteFile, StepResult, WriteFile

    try:
        if isinstance(step, WriteFile):
            did = files.write(step.path, step.content, step.mode, step.known)
        elif isinstance(step, DeleteFile):
            did = files.delete(step.path, folder=step.folder, known=step.known)
        else:
            did = files.keep(step.path, step.kept, step.digest)
    except OSError as error:
        text = f"{step.path} cannot be {_what(step)}: {error.strerror}"
        return StepResult(ok=False, changed=False, error=text)
    return StepResult(ok=True, changed=did)


def _what(step: FileStep) -> str:
    from providers.steps import DeleteFile, WriteFile

    if isinstance(step, WriteFile):
        return "written"
    return "removed" if isinstance(step, DeleteFile) else "kept under a second name"


def _recreate_socket(step: RecreateSocket) -> StepResult:
    from providers.steps import StepResult

    try:
        # The descriptor refers to this very process, so we never signal a process that got the same pid later.
        process = os.pidfd_open(step.pid)
    except OSError as error:
        return _not_signalled(step, error.strerror or str(error))
    try:
        if procfs.start_ticks(step.pid) != step.start_ticks:
            return _not_signalled(step, "another process has that number now")
        signal.pidfd_send_signal(process, signal.SIGUSR1)
    except OSError as error:
        return _not_signalled(step, error.strerror or str(error))
    finally:
        os.close(process)
    return StepResult(ok=True)


def _not_signalled(step: RecreateSocket, why: str) -> StepResult:
    from providers.steps import StepResult

    return StepResult(ok=False, changed=False, error=f"the tmux server, process {step.pid}, was not signalled: {why}")


def _only(kind: type[S], batch: Sequence[tuple[str, Step]]) -> list[tuple[str, S]]:
    return [(name, step) for name, step in batch if isinstance(step, kind)]
