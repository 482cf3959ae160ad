"""The process that makes looks that may hang, for `bounded_look.py`. It holds nothing that others could wait for, so it
may be left behind."""

from __future__ import annotations

import errno
import gc
import hashlib
import marshal
import os
import signal
import socket
import struct
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NoReturn

NAME = b"mosaic-look"
_LENGTH, _CREDENTIALS = struct.Struct("=I"), struct.Struct("=iii")


def fork(questions: Sequence[tuple[str, Callable[[], object]]], within_s: float) -> tuple[int, int]:
    """Start one process that answers these questions in their order, each by its path; returns its pid and the pipe of
    its answers, for `take`. Raises OSError."""
    read, write = os.pipe2(os.O_CLOEXEC)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # about other threads: the child takes no lock
            pid = os.fork()
    except OSError:
        os.close(read)
        os.close(write)
        raise
    if pid == 0:
        _answer(questions, write, within_s)
    os.close(write)
    return pid, read


def _answer(questions: Sequence[tuple[str, Callable[[], object]]], pipe: int, within_s: float) -> NoReturn:
    """The forked process. It keeps nothing that others could wait for: no lock, no connection, no terminal."""
    try:
        gc.disable()  # garbage here must not close or end anything of the parent's
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.setpgid(0, 0)
        for fd in map(int, os.listdir("/proc/self/fd")):
            if fd != pipe:
                with suppress(OSError):
                    os.close(fd)
        with suppress(OSError), open("/proc/self/comm", "wb", buffering=0) as comm:
            comm.write(NAME)
        os.chdir("/")
        for path, question in questions:
            data = marshal.dumps(_said(path, question, within_s))  # type: ignore[arg-type]  # plain values, see `ask`
            view = memoryview(_LENGTH.pack(len(data)) + data)
            while view:
                view = view[os.write(pipe, view) :]
    finally:
        os._exit(0)


def _said(path: str, question: Callable[[], object], within_s: float) -> tuple[bool, object]:
    name = _sign(path, within_s / 2)
    if name is None:
        return False, (errno.ETIMEDOUT, "")
    try:
        return True, question()
    except OSError as error:
        return False, (error.errno or errno.EIO, error.strerror or str(error))
    except ValueError as error:  # a path with a NUL in it
        return False, (errno.EINVAL, str(error))
    finally:
        name.close()


def _sign(path: str, within_s: float) -> socket.socket | None:
    """A socket name that exists as long as this process looks at this path; None if another process of this user looks
    at it already, and does not finish. Such names (unix(7), "abstract") leave nothing behind."""
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:24]
    address = b"\0%s-%d-%s" % (NAME, os.getuid(), digest.encode())
    end = time.monotonic() + within_s
    while True:
        name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            name.bind(address)
            name.listen(1)
        except OSError:
            if _holder(address) != os.getuid():
                return name  # it has ended just now, or somebody else took the name: continue without
            name.close()
            if time.monotonic() > end:
                return None
            time.sleep(0.01)
        else:
            return name


def _holder(address: bytes) -> int:
    """The user who holds a name; -1 if nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)
        try:
            asking.connect(address)
            pid_uid_gid = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        except BlockingIOError:
            return os.getuid()  # its queue is full of other processes that asked
        except OSError:
            return -1
    return int(_CREDENTIALS.unpack(pid_uid_gid)[1])


def take(data: bytearray) -> tuple[bool, Any] | None:
    """The next answer in the data, None if it is incomplete: True and its value, or False and the number and text of an
    OSError. The text is empty if an earlier look at the same path still has no answer."""
    if len(data) < _LENGTH.size:
        return None
    end = _LENGTH.size + _LENGTH.unpack_from(data)[0]
    if len(data) < end:
        return None
    said: tuple[bool, Any] = marshal.loads(bytes(data[_LENGTH.size : end]))  # noqa: S302 - from our own child
    del data[:end]
    return said
