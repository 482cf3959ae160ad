"""Run one program to its end: bounded in time and in output, in a process group of its own.

`os.posix_spawn` and not `subprocess`: importing that costs several milliseconds on the path of every run, and its
`timeout` ends the program but not the program's own children.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn

from providers.processes.held_signals import held_signals
from specs.dataclass import dataclass

DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_PIPE = 1 << 20  # what an unprivileged process may request


class SpawnError(Exception):
    """The program could not be run to its end; the text is a sentence that names it."""


class NotInstalledError(SpawnError):
    """PATH has no such program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """`status` is the exit status, or minus the number of the signal that ended it."""

    status: int
    out: bytes
    err: bytes


def find(program: str, environ: Mapping[str, str]) -> str:
    """The program's path on the PATH of `environ`; raises NotInstalledError."""
    for folder in (environ.get("PATH") or DEFAULT_PATH).split(":"):
        path = os.path.join(folder or ".", program)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise NotInstalledError(f"{program} is not on PATH")


class Child:
    """A program that runs in the background; the caller must call `finish()` or `abandon()`."""

    def __init__(
        self, argv: Sequence[str], environ: Mapping[str, str], *, timeout_s: float, limit: int, stdin: bytes = b""
    ) -> None:
        """Raises SpawnError. More output than `limit` bytes ends the program and is an error. `stdin` is its whole
        input."""
        self._name, self._timeout_s, self._limit = argv[0], timeout_s, limit
        self._deadline = time.monotonic() + timeout_s
        path = find(argv[0], environ)
        given = _in_memory(stdin) if stdin else None
        out_read, out_write = os.pipe2(os.O_CLOEXEC)
        err_read, err_write = os.pipe2(os.O_CLOEXEC)
        self._pipes: dict[int, list[bytes]] = {out_read: [], err_read: []}
        actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0) if given is None else (os.POSIX_SPAWN_DUP2, given, 0),
            (os.POSIX_SPAWN_DUP2, out_write, 1),
            (os.POSIX_SPAWN_DUP2, err_write, 2),
        ]
        try:
            self.pid = os.posix_spawn(
                path, list(argv), environ, file_actions=actions, setpgroup=0, setsigmask=(), setsigdef=(signal.SIGPIPE,)
            )
            self._pidfd = os.pidfd_open(self.pid)
        except OSError as error:
            os.close(out_read)
            os.close(err_read)
            raise SpawnError(f"{path} could not be started: {error.strerror}") from error
        finally:
            os.close(out_write)
            os.close(err_write)
            if given is not None:
                os.close(given)
        with suppress(OSError):  # a pipe that holds the whole output lets the program end before we read it
            fcntl.fcntl(out_read, fcntl.F_SETPIPE_SZ, _PIPE)
        os.set_blocking(out_read, False)
        os.set_blocking(err_read, False)

    def finish(self) -> Finished:
        """Wait for the end; raises SpawnError when the time or the output exceeds its bound."""
        out, err = self._pipes
        try:
            self._read_until_exit()
        except BaseException:
            os.killpg(self.pid, signal.SIGKILL)
            raise
        finally:
            status = self._close()
        return Finished(status=status, out=b"".join(self._pipes[out]), err=b"".join(self._pipes[err]))

    def abandon(self) -> None:
        """End it, whatever it does; no process of its group remains. Does nothing once it has finished."""
        if self._pidfd >= 0:
            os.killpg(self.pid, signal.SIGKILL)
            self._close()

    def _close(self) -> int:
        status = self._reap()
        for fd in (self._pidfd, *self._pipes):
            os.close(fd)
        self._pidfd = -1
        return status

    def _read_until_exit(self) -> None:
        # Wait for its exit, not for the end of its output: a process that it left behind may hold the pipes open.
        poll = select.poll()
        for fd in (*self._pipes, self._pidfd):
            poll.register(fd, select.POLLIN)
        size = 0
        while True:
            left = self._deadline - time.monotonic()
            events = poll.poll(max(0.0, left) * 1000)
            if not events:
                raise SpawnError(f"{self._name} did not end within {self._timeout_s:g} s")
            exited = False
            for fd, _ in events:
                if fd == self._pidfd:
                    exited = True
                    continue
                part = self._take(fd)
                size += len(part)
                if not part:
                    poll.unregister(fd)
            if exited and len(events) == 1:
                return
            if size > self._limit:
                raise SpawnError(f"{self._name} printed more than {self._limit} bytes")

    def _take(self, fd: int) -> bytes:
        try:
            part = os.read(fd, 1 << 18)
        except BlockingIOError:
            return b""
        self._pipes[fd].append(part)
        return part

    def _reap(self) -> int:
        # After SIGKILL it soon ends, unless the kernel itself hangs (a dead network disk): then leave it behind.
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        if not poll.poll(1000):
            return -signal.SIGKILL
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def become(argv: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Replace this process by that program, in this terminal. Raises SpawnError."""
    path = find(argv[0], environ)
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and a program inherits what is ignored
    try:
        os.execve(path, list(argv), dict(environ))  # noqa: S606 - no shell is wanted
    except OSError as error:
        raise SpawnError(f"{path} could not be started: {error.strerror}") from error


def attend(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a program in this terminal, on our own three streams, until it ends: its exit status, negative for a signal.
    It has no deadline, since a person uses it or reads its output; Ctrl-C goes to the program, and if we must end, it
    ends too. Raises SpawnError."""
    path = find(argv[0], environ)
    sys.stdout.flush()
    sys.stderr.flush()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with held_signals() as release:
            try:
                # The program would inherit the signals that are ignored here.
                default = (signal.SIGINT, signal.SIGPIPE)
                pid = os.posix_spawn(path, list(argv), dict(environ), setsigdef=default)
            except OSError as error:
                raise SpawnError(f"{path} could not be started: {error.strerror}") from error
            try:
                release()
                return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            except BaseException:
                os.kill(pid, signal.SIGTERM)
                os.waitpid(pid, 0)
                raise
    finally:
        signal.signal(signal.SIGINT, before)


def run(
    argv: Sequence[str], environ: Mapping[str, str], *, timeout_s: float, limit: int = 1 << 20, stdin: bytes = b""
) -> Finished:
    """Run a program to its end; raises SpawnError."""
    return Child(argv, environ, timeout_s=timeout_s, limit=limit, stdin=stdin).finish()


def _in_memory(data: bytes) -> int:
    """A nameless file that holds `data`: nobody has to feed it while we wait for its reader. Raises SpawnError."""
    try:
        handle = os.memfd_create("stdin", os.MFD_CLOEXEC)
    except OSError as error:
        raise SpawnError(f"no memory for the input: {error.strerror}") from error
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.lseek(handle, 0, os.SEEK_SET)
    except OSError as error:
        os.close(handle)
        raise SpawnError(f"the input could not be kept: {error.strerror}") from error
    return handle
