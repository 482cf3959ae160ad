"""Wake-ups: wait at once for everything that may wake the resident loop.

Each source says only *look again*: a changed unit, a process that ended, a file in the heartbeat folder, a new commit,
somebody's `mosaic fleet sync`, SIGHUP. Many at once count as one wake-up.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from reconciler.resident.wake_reason import WakeReason

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver, ObservedWatch


class WakeSources:
    """Holds the descriptors. `close()` when done; every method is for one thread."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._selector.register(self._read, selectors.EVENT_READ, None)
        self._said: set[WakeReason] = set()
        self._records: set[str] = set()  # files of the run folder that were written
        self._processes: dict[int, int] = {}  # pid -> pidfd
        self._bus: int = -1
        self._drain: Callable[[], bool] = lambda: False
        self._trigger: tuple[socket.socket, Path] | None = None
        self._observer: BaseObserver | None = None
        self._heartbeats: ObservedWatch | None = None
        self._heartbeats_watched: object = None
        self._refs: list[ObservedWatch] = []
        self._watched: tuple[object, object] = None, None  # the watched folders of the repository
        self._signals: dict[int, object] = {}

    def wake(self, reason: WakeReason) -> None:
        """From any thread or signal handler. The pipe only ends the wait: the reason is stored beside it, so that
        nothing is lost when the pipe is full."""
        self._said.add(reason)
        with suppress(BlockingIOError):
            os.write(self._write, b"!")

    def note_records(self, names: Iterable[str]) -> None:
        """From any thread: these files of the run folder were written."""
        self._records.update(names)

    def take_records(self) -> set[str]:
        """The names of the files that were written to the run folder since the last call."""
        found: set[str] = set()
        while self._records:  # one by one: another thread may be adding at this moment
            found.add(self._records.pop())
        return found

    def wait(self, timeout_s: float) -> set[WakeReason]:
        """The reasons since the last call, waiting at most so long for the first one."""
        reasons: set[WakeReason] = set()
        if self._bus >= 0 and self._drain():
            reasons.add(WakeReason.UNITS)
        ready = self._selector.select(0.0 if reasons else max(0.0, timeout_s))
        for key, _ in ready:
            if key.fd == self._read:
                with suppress(BlockingIOError):
                    os.read(self._read, 65536)
                while self._said:  # one by one: another thread may be adding at this moment
                    reasons.add(self._said.pop())
            elif key.fd == self._bus:
                if self._drain():
                    reasons.add(WakeReason.UNITS)
            elif self._trigger is not None and key.fd == self._trigger[0].fileno():
                with suppress(BlockingIOError):
                    while True:
                        self._trigger[0].recv(64)
                        reasons.add(WakeReason.SYNC)
                reasons.add(WakeReason.SYNC)
            else:
                self._forget(key.data)
                reasons.add(WakeReason.PROCESS)
        return reasons

    def follow_bus(self, fileno: int, drain: Callable[[], bool]) -> None:
        """Watch a D-Bus connection, or none (-1). `drain` reads what arrived and says whether it concerns us.

        Registered again each time: a reopened connection usually has the old one's number, and the kernel forgot that
        number when the old one was closed.
        """
        if self._bus >= 0:
            with suppress(KeyError, ValueError):
                self._selector.unregister(self._bus)
        self._bus, self._drain = fileno, drain
        if fileno >= 0:
            self._selector.register(fileno, selectors.EVENT_READ, None)

    def follow_processes(self, pids: Iterable[int]) -> bool:
        """Watch exactly these processes end. False: one of them has ended already, so look again at once."""
        wanted = {pid for pid in pids if pid > 0}
        for pid in [pid for pid in self._processes if pid not in wanted]:
            self._forget(pid)
        complete = True
        for pid in wanted - self._processes.keys():
            try:
                fd = os.pidfd_open(pid)
            except ProcessLookupError:
                complete = False
                continue
            except OSError:
                break  # out of descriptors: D-Bus and the interval still report it
            self._processes[pid] = fd
            self._selector.register(fd, selectors.EVENT_READ, pid)
        return complete

    def listen(self, path: Path) -> None:
        """Open the trigger socket; raises OSError. Only our own user can reach its folder."""
        path.unlink(missing_ok=True)
        trigger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
        try:
            trigger.bind(str(path))
            path.chmod(0o600)
        except OSError:
            trigger.close()
            raise
        self._trigger = (trigger, path)
        self._selector.register(trigger, selectors.EVENT_READ, None)

    def on_signals(self, handlers: Mapping[int, Callable[[], None]]) -> None:
        """Run a handler, and wake up, for each of these signals; `close()` restores the earlier handlers."""

        def handle(number: int, frame: FrameType | None) -> None:
            _ = frame
            handlers[number]()
            self.wake(WakeReason.HANGUP)

        for number in handlers:
            self._signals[number] = signal.signal(number, handle)

    def watch_heartbeats(self, folder: Path) -> None:
        """inotify on the heartbeat folder, and the kill switch in it. If the kernel gives none, raises OSError, once.

        Cheap while the folder is the watched one; somebody may have deleted it and made it again.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        identity = _identity(folder)
        if identity == self._heartbeats_watched:
            return
        self._heartbeats_watched = identity
        from watchdog.events import (
            DirDeletedEvent,
            DirMovedEvent,
            FileCreatedEvent,
            FileDeletedEvent,
            FileMovedEvent,
            FileSystemEventHandler,
        )

        sources = self
        # Heartbeats are written whole and moved into place; a file's earlier events are many times as many.
        heard = [FileCreatedEvent, FileDeletedEvent, FileMovedEvent, DirDeletedEvent, DirMovedEvent]

        class HeartbeatChanges(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                names = {os.path.basename(os.fsdecode(path)) for path in (event.src_path, event.dest_path) if path}
                if "PAUSED" in names or os.fsdecode(event.src_path) == str(folder):
                    sources.wake(WakeReason.PAUSE)
                elif event.event_type != "created":
                    sources.note_records(names)
                    sources.wake(WakeReason.HEARTBEAT)

        observer = self._observing()
        if self._heartbeats is not None:
            observer.unschedule(self._heartbeats)  # the folder was made again, and the old watch does not see it
        self._heartbeats = observer.schedule(HeartbeatChanges(), str(folder), event_filter=heard)

    def watch_repository(self, repository: Path, common: Path) -> None:
        """inotify on HEAD and the refs of a local repository, and no longer on any other. Raises OSError, once.

        `common` has the refs: in a linked worktree, it is another folder. Cheap for folders that are watched already.
        """
        identity = _identity(repository), _identity(common)
        if identity == self._watched:
            return
        self._watched = identity
        from watchdog.events import FileSystemEventHandler

        sources = self

        class Refs(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                if event.event_type not in ("opened", "closed_no_write"):
                    sources.wake(WakeReason.GIT)

        observer = self._observing()
        for watch in self._refs:
            observer.unschedule(watch)
        self._refs = []
        for folder in dict.fromkeys(Path(os.path.realpath(one)) for one in (repository, common)):
            self._refs.append(observer.schedule(Refs(), str(folder)))
        refs = Path(os.path.realpath(common)) / "refs"
        if refs.is_dir():
            self._refs.append(observer.schedule(Refs(), str(refs), recursive=True))

    def _observing(self) -> BaseObserver:
        from watchdog.observers import Observer

        if self._observer is None:
            observer = Observer()
            observer.daemon = True
            observer.start()
            self._observer = observer
        return self._observer

    def close(self) -> None:
        """Close everything and restore the signal handlers."""
        for number, before in self._signals.items():
            signal.signal(number, before)  # type: ignore[arg-type]  # what signal.signal itself returned
        self._signals.clear()
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(2.0)
        if self._trigger is not None:
            self._trigger[0].close()
            self._trigger[1].unlink(missing_ok=True)
        for pid in list(self._processes):
            self._forget(pid)
        self._selector.close()
        os.close(self._read)
        os.close(self._write)

    def _forget(self, pid: int) -> None:
        fd = self._processes.pop(pid, None)
        if fd is not None:
            self._selector.unregister(fd)
            os.close(fd)


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        seen = os.stat(folder)
    except OSError:
        return None
    return seen.st_dev, seen.st_ino
