"""A process that has the project imported, and forks once for each command of a host (run as a program).

Most of what a short command costs is its interpreter and its imports, and a test suite runs thousands of them. A fork
begins where those are done; in everything else it is what a new interpreter would be: its arguments, environment,
streams, folder, namespaces, cgroup and session are the command's own, it ends like any program, and nothing that
another command did is left in it.

Input: one message for each command on the socket whose number is the first argument. Its descriptors are the `Order`
as JSON, standard input, output and error, and the socket for the answers: the number of the process group, then the
exit status as wait(2) tells it.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import io
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import threading
import types
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import NoReturn, TypedDict

from tests.hosts import cgroups

_PACKAGES = ("reconciler", "providers", "specs")
# What a program of the tests imports that is run for each of many cases.
_OF_TESTS = ("tests.laws.picture", "tests.laws.scenarios")
_NAMESPACES = ("cgroup", "ipc", "uts", "pid", "mnt")  # the order matters: behind the last one /proc is another
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Order(TypedDict):
    """One command: `-m MODULE ARGUMENT...` or `-c CODE ARGUMENT...`, run in the host whose process 1 is `pid`."""

    argv: list[str]
    environ: dict[str, str]
    cwd: str
    pid: int
    cgroup_files: list[str]


def preload() -> None:
    """Import all that a command may need; a module that cannot be imported here fails in the command, too."""
    for name in _OF_TESTS:
        import_module(name)
    for name in _PACKAGES:
        package = import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}.", onerror=lambda _: None):
            if not module.name.endswith("__main__"):
                with suppress(ImportError):
                    import_module(module.name)


def serve(orders: socket.socket) -> tuple[Order, socket.socket] | None:
    """In a new process: the command that it is to become. None: nobody orders any more."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, 16, 5)
        if not message:
            return None
        while _reaped():
            pass
        if os.fork() == 0:
            orders.close()
            order, *streams, answers = descriptors
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            with os.fdopen(order, "rb") as file:
                wanted: Order = json.load(file)
            for stream in streams:
                os.close(stream)
            return wanted, socket.socket(fileno=answers)
        for descriptor in descriptors:
            os.close(descriptor)


def _reaped() -> bool:
    with suppress(ChildProcessError):
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    return False


def enter(order: Order, answers: socket.socket) -> None:
    """Go into the host, and return in a child that is inside; this process stays outside and tells how it ended."""
    os.setsid()
    answers.sendall(f"{os.getpid()}\n".encode())
    status = 1 << 8
    try:
        cgroups.join(tuple(order["cgroup_files"]))
        _join_namespaces(order["pid"])
        child = os.fork()
        if child == 0:
            answers.close()
            return
        for number in range(3):
            os.close(number)
        status = os.waitpid(child, 0)[1]
    except OSError as error:
        os.write(2, f"the host cannot be entered: {error}\n".encode())
    answers.sendall(f"{status}\n".encode())
    os._exit(0)


def _join_namespaces(pid: int) -> None:
    opened = [os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in _NAMESPACES]
    for name, descriptor in zip(_NAMESPACES, opened, strict=True):
        if _libc.setns(descriptor, 0) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), f"namespace {name}")
        os.close(descriptor)


def become(order: Order) -> None:
    """Run the command as `python -m` or `python -c` would; returns or raises as its code does."""
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environ"])
    sys.stdin, sys.stdout, sys.stderr = (_stream(number) for number in range(3))
    kind, what, *arguments = order["argv"]
    sys.argv = [kind, *arguments]
    sys.path[0] = order["cwd"] if kind == "-m" else ""
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(what, "<string>", "exec"), vars(main))  # noqa: S102 - what `python -c` does


def end(status: int) -> NoReturn:
    """End as the interpreter does, without taking every module apart: that costs a third of a short command."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(status)  # and the interpreter says so in its way
    os._exit(status & 0xFF)


def _stream(number: int) -> io.TextIOWrapper:
    """As the interpreter opens it, and as it has opened ours."""
    ours = (sys.__stdin__, sys.__stdout__, sys.__stderr__)[number]
    assert isinstance(ours, io.TextIOWrapper)
    raw = io.FileIO(number, ours.mode, closefd=False)
    raw.name = ours.name
    buffer = io.BufferedWriter(raw) if number else io.BufferedReader(raw)
    stream = io.TextIOWrapper(buffer, ours.encoding, ours.errors, "\n", number == 2 or os.isatty(number))
    stream.mode = ours.mode  # type: ignore[misc]
    return stream


def main(argv: Sequence[str]) -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    orders = socket.socket(fileno=int(argv[0]))
    preload()
    gc.collect()
    gc.freeze()  # what is never collected is never copied
    ordered = serve(orders)
    if ordered is not None:
        enter(*ordered)
        status = 0
        try:
            become(ordered[0])
        except SystemExit as leaving:
            if not isinstance(leaving.code, int | None):
                raise
            status = leaving.code or 0
        end(status)


if __name__ == "__main__":
    main(sys.argv[1:])
