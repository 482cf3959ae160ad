"""Commands of hosts that are forks of a process with the project imported: see `fork_server`."""

from __future__ import annotations

import atexit
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from itertools import cycle
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Two that take turns: each has another hash seed, so that what depends on one differs between two runs, as it should.
_SERVERS = 2


def can_fork(argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether this is our Python with `-m` or `-c`, in an environment that changes nothing about Python itself."""
    settings = {name: value for name, value in environ.items() if name.startswith("PYTHON")}
    return (
        len(argv) > 2
        and argv[0] == sys.executable
        and argv[1] in ("-m", "-c")
        and settings == {"PYTHONPATH": str(CHECKOUT)}
        and environ.get("LANG") == "C.UTF-8"
        and not any(name.startswith("LC_") for name in environ)
    )


class Forked:
    """A command that runs; what `subprocess.Popen` has of it, as far as `finish` asks."""

    def __init__(self, answers: socket.socket, stdin: int | None, out: int, err: int) -> None:
        """`stdin`, `out`, `err`: our ends of its pipes."""
        self.returncode = 0  # once it has ended
        self._ended = False
        self._answers, self._stdin = answers, stdin
        self._taken: dict[int, bytearray] = {out: bytearray(), err: bytearray()}
        self._open = {out, err}
        self._out, self._err = out, err
        self._input: memoryview | None = None
        self._told = b""
        while b"\n" not in self._told:
            if not (got := answers.recv(64)):
                raise RuntimeError("the fork server has ended: its traceback is in the output of the tests")
            self._told += got
        pid, _, self._told = self._told.partition(b"\n")
        self.pid = int(pid)

    def communicate(self, input: str | None = None, timeout: float | None = None) -> tuple[str, str]:
        """As Popen's: may be called again after TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        if self._input is None:
            self._input = memoryview((input or "").encode())
        with selectors.DefaultSelector() as ready:
            for descriptor in self._open:
                ready.register(descriptor, selectors.EVENT_READ, self._read)
            if self._stdin is not None:
                ready.register(self._stdin, selectors.EVENT_WRITE, self._write)
            if not self._ended:
                ready.register(self._answers, selectors.EVENT_READ, self._hear)
            while ready.get_map():
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise subprocess.TimeoutExpired("", timeout or 0.0)
                for key, _ in ready.select(left):
                    if not key.data(key.fd):
                        ready.unregister(key.fileobj)
        out, err = (bytes(self._taken[one]).decode("utf-8", "backslashreplace") for one in (self._out, self._err))
        return out, err

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._ended:
            left = None if deadline is None else deadline - time.monotonic()
            if not select.select([self._answers], [], [], left if left is None else max(0.0, left))[0]:
                raise subprocess.TimeoutExpired("", timeout or 0.0)
            self._hear(0)
        return self.returncode

    def _read(self, descriptor: int) -> bool:
        got = os.read(descriptor, 65536)
        self._taken[descriptor] += got
        if not got:
            self._open.remove(descriptor)
            os.close(descriptor)
        return bool(got)

    def _write(self, descriptor: int) -> bool:
        assert self._input is not None
        with suppress(BrokenPipeError):
            self._input = self._input[os.write(descriptor, self._input[:65536]) :] if self._input else self._input
            if self._input:
                return True
        self._stdin = None
        os.close(descriptor)
        return False

    def _hear(self, _: int) -> bool:
        if not self._ended:
            got = self._answers.recv(64)
            self._told += got
            if got:
                return True
            # Whoever waits for the command outside tells how it ended, unless it was killed itself.
            self._ended = True
            self.returncode = os.waitstatus_to_exitcode(int(self._told)) if self._told else -signal.SIGKILL
            self._answers.close()
        return False


class ForkServer:
    """One server process of this process."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.hosts.fork_server", str(theirs.fileno())],
                cwd=CHECKOUT,
                env={"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "PYTHONPATH": str(CHECKOUT)},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        atexit.register(self.close)

    def close(self) -> None:
        self._socket.close()
        self._process.wait()

    def start(self, order: Mapping[str, object], *, reads: bool) -> Forked:
        """Begin a command; `reads`: it has a standard input."""
        with ExitStack() as ours, ExitStack() as theirs:

            def pipe() -> tuple[int, int]:
                read, write = os.pipe()
                ours.callback(os.close, read)
                theirs.callback(os.close, write)
                return read, write

            out, err = pipe(), pipe()
            if reads:
                stdin, keep = os.pipe()
                ours.callback(os.close, keep)
            else:
                stdin, keep = os.open(os.devnull, os.O_RDONLY), -1
            theirs.callback(os.close, stdin)
            written = os.memfd_create("order")
            theirs.callback(os.close, written)
            os.write(written, json.dumps(order).encode())
            os.lseek(written, 0, os.SEEK_SET)
            answers, told = socket.socketpair()
            theirs.enter_context(told)
            ours.enter_context(answers)
            socket.send_fds(self._socket, [b"run"], [written, stdin, out[1], err[1], told.fileno()])
            theirs.close()
            forked = Forked(answers, keep if reads else None, out[0], err[0])
            ours.pop_all()
        return forked


_servers: tuple[int, Iterator[ForkServer]] = (0, iter(()))


def server() -> ForkServer:
    """The next one in turn; those of a process that forked are not its child's."""
    global _servers  # noqa: PLW0603 - one for each process, made when first needed
    if _servers[0] != os.getpid():
        _servers = (os.getpid(), cycle([ForkServer() for _ in range(_SERVERS)]))
    return next(_servers[1])
