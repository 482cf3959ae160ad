"""A private host in an empty network: loopback, and nothing that leads anywhere else."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self, TypeVar

from tests.hosts.private import PrivateHost

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1


class EmptyNetwork:
    """A network namespace belongs to a thread: processes and sockets that `call` makes are in it, and no others are."""

    def __init__(self, enter: Callable[[], None] | None = None) -> None:
        """`enter`: takes the calling thread into a network that is there already."""
        self._thread = ThreadPoolExecutor(max_workers=1, initializer=enter or _leave_the_network)

    def call(self, work: Callable[[], T]) -> T:
        return self._thread.submit(work).result()

    def interfaces(self) -> list[str]:
        return self.call(lambda: [name for _, name in socket.if_nameindex()])

    def close(self) -> None:
        self._thread.shutdown()


class OfflineHost(PrivateHost):
    """The manager, and every command that is run inside, have the empty network."""

    def __init__(self, network: EmptyNetwork, **options: Any) -> None:
        super().__init__(**options)
        self._network = network

    def start(self) -> Self:
        start = super().start
        return self._network.call(start)

    def spawn(self, argv: Sequence[str], env: Mapping[str, str], **options: Any) -> subprocess.Popen[Any]:
        spawn = super().spawn
        return self._network.call(lambda: spawn(argv, env, **options))


def network_of(pid: int) -> EmptyNetwork:
    """The network of a machine's process: that of a booted machine is empty, and another one after each boot."""
    return EmptyNetwork(lambda: _enter_the_network(pid))


def _enter_the_network(pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/proc/{pid}/ns/net", "rb") as network:
        if libc.setns(network.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"not the network of {pid}: {os.strerror(ctypes.get_errno())}")


def _leave_the_network() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"no network namespace: {os.strerror(ctypes.get_errno())}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))
