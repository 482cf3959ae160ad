"""Allow one run at a time: a kernel lock, which ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import Locked
from reconciler.helpers.redact import one_line
from reconciler.helpers.times import spell_duration
from reconciler.state.store import Store, write_failure
from specs.dataclass import dataclass

_POLL_S = 0.02
_PEEK_S = 0.1  # a caller of `holder` has the lock for a moment; that must not end a run


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds the lock, in the holder's own words: for people, never for a decision."""

    pid: int
    since: float
    command: str

    def described(self, now: float) -> str:
        """For people."""
        return f"pid {self.pid} ({self.command}), for {spell_duration(now - self.since)}"


@contextmanager
def run_lock(
    store: Store,
    *,
    now: float,
    wait_s: float = 0.0,
    command: str | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Hold the fleet's lock. Raises Locked, naming the holder, if it is still taken after `wait_s` seconds.

    A killed holder's note about itself stays in the file and means nothing: only the kernel's lock counts.
    """
    path = store.runtime / "lock"
    store.guard(path)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise write_failure(path, error) from error
    try:
        deadline = clock() + max(wait_s, _PEEK_S)
        while not _taken(descriptor):
            if clock() >= deadline:
                found = _read(descriptor)
                raise Locked(
                    f"another run holds the lock: {found.described(now) if found else 'it does not say who it is'}",
                    where=str(path),
                    help="wait for it to end, or look at it with `mosaic fleet status`",
                )
            sleep(_POLL_S)
        _write(descriptor, Holder(pid=os.getpid(), since=now, command=command or _command_line()))
        yield
    finally:
        os.close(descriptor)


def sub_store(store: Store, name: str) -> Store:
    """The same fleet's store with a lock of its own: a resident loop keeps other resident loops out, and lets an
    operator's single runs in between its looks."""
    return Store(store.state, store.runtime / name)


def holder(store: Store) -> Holder | None:
    """Who holds the lock now; None if nobody does, or the note is missing. Takes nothing and writes nothing."""
    try:
        descriptor = os.open(store.runtime / "lock", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        # A shared lock, given back at once: it fails exactly when a run holds the exclusive one.
        if _taken(descriptor, fcntl.LOCK_SH):
            return None
        return _read(descriptor)
    finally:
        os.close(descriptor)


def _taken(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _command_line() -> str:
    return one_line(" ".join([Path(sys.argv[0]).name, *sys.argv[1:]]), 200) or "unknown command"


def _write(descriptor: int, who: Holder) -> None:
    data = json.dumps({"pid": who.pid, "since": who.since, "command": who.command}).encode() + b"\n"
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, data, 0)
    except OSError:
        return  # only the message to a run that is locked out suffers


def _read(descriptor: int) -> Holder | None:
    try:
        raw = json.loads(os.pread(descriptor, 4096, 0))
        return Holder(pid=int(raw["pid"]), since=float(raw["since"]), command=one_line(str(raw["command"]), 200))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
