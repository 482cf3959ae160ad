"""A file system that gives no answer, for real: FUSE, whose server is this program and answers nothing (stdlib only).

`python -m tests.hosts.hanging FOLDER [MODE]` mounts it over a folder and says `hangs`; at SIGTERM, or at its end, it is
gone, and the folder is as it was. `deaf` (the default) reads no request, so that whoever waits for one can still be
killed; `mute` reads them all and says nothing: then the kernel lets nobody go who asks, not even by SIGKILL.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

CHECKOUT = Path(__file__).resolve().parents[2]
MODES = ("deaf", "mute")
Mode = Literal["deaf", "mute"]
_MNT_FORCE, _MNT_DETACH, _MS_NOSUID, _MS_NODEV = 1, 2, 2, 4
_INIT = 26  # of <linux/fuse.h>, like the layouts of its headers and of the answer to it
_IN, _OUT = struct.Struct("=IIQQIIII"), struct.Struct("=IiQ")
_INIT_OUT = struct.Struct("=IIIIHHIIHH32x")


def _libc(name: str, *args: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def serve(folder: str, mode: str) -> None:
    """Until SIGTERM."""
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode=40755,user_id=0,group_id=0,allow_other".encode()
    _libc("mount", b"hanging", folder.encode(), b"fuse", _MS_NOSUID | _MS_NODEV, options)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    mounted = True
    try:
        if mode == "mute":
            _begin(device)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        print("hangs", flush=True)
        if mode == "deaf":
            signal.sigwait({signal.SIGTERM})
        while mode == "mute":
            os.read(device, 1 << 18)
    except (KeyboardInterrupt, SystemExit):
        pass
    except OSError as error:
        # Another process has begun to unmount it by force. The kernel ends this read first and unmounts afterwards,
        # so that a second call from here may come between the two, and the other one then fails with "not mounted".
        mounted = error.errno != errno.ENODEV
    finally:
        if mounted:
            with suppress(OSError):
                _libc("umount2", folder.encode(), _MNT_FORCE | _MNT_DETACH)
        os.close(device)


def _begin(device: int) -> None:
    """The one request that is answered, or all others would wait inside of the kernel."""
    _, opcode, unique, *_ = _IN.unpack_from(os.read(device, 1 << 18))
    if opcode != _INIT:
        raise RuntimeError(f"the first request is not INIT but {opcode}")
    body = _INIT_OUT.pack(7, 23, 1 << 16, 0, 12, 9, 1 << 16, 1, 0, 0)
    os.write(device, _OUT.pack(_OUT.size + len(body), 0, unique) + body)


@contextmanager
def hanging(folder: str | Path, mode: Mode = "deaf") -> Iterator[subprocess.Popen[str]]:
    """In this process's own mount namespace, until the context ends."""
    argv = [sys.executable, "-m", "tests.hosts.hanging", str(folder), mode]
    with subprocess.Popen(argv, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            assert server.stdout.readline() == "hangs\n"
            yield server
        finally:
            server.terminate()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    serve(sys.argv[1], (*sys.argv[2:], "deaf")[0])
