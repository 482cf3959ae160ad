"""`python -m tests.scenarios.trace OUT COMMAND...`: run a command and count, exactly, what it does.

Every process and thread below it is traced (ptrace), so nothing it starts can be missed. OUT gets a JSON object:
`processes` (all that were forked below the command), `programs` (what they executed, in order), and of the command's
own: `sent` (messages sent to sockets) and `connected` (sockets connected). Stdlib only; x86-64 and arm64.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import struct
import sys
from pathlib import Path

TRACEME, CONT, SETOPTIONS, GETEVENTMSG, SYSCALL, GETREGSET = 0, 7, 0x4200, 0x4201, 24, 0x4204
# TRACESYSGOOD, FORK, VFORK, CLONE, EXEC, EXITKILL
OPTIONS = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x100000
BORN = {1, 2, 3}
EXECUTED = 4
# Where the number of the system call is among the registers, and the numbers that count.
_ARCH = {
    "x86_64": (15, {42: "connected", 44: "sent", 46: "sent"}),
    "aarch64": (8, {203: "connected", 206: "sent", 211: "sent"}),
}
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> None:
    if _libc.ptrace(request, pid, address, data) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request} of {pid}")


class IoVec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def system_call(pid: int) -> int:
    """The number of the system call that a stopped thread is at."""
    registers = ctypes.create_string_buffer(512)
    vector = IoVec(ctypes.cast(registers, ctypes.c_void_p), 512)
    ptrace(GETREGSET, pid, 1, ctypes.addressof(vector))
    position, _ = _ARCH[platform.machine()]
    return int(struct.unpack_from("q", registers, position * 8)[0])


class Tracer:
    def __init__(self) -> None:
        self.processes, self.programs = 0, []  # type: int, list[str]
        self.counts = {"sent": 0, "connected": 0}
        self._root = 0
        self._inside = False  # a system call of the command itself

    def run(self, argv: list[str]) -> int:
        """The command's exit status."""
        self._root = root = os.fork()
        if root == 0:
            ptrace(TRACEME, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            os.execvp(argv[0], argv)  # noqa: S606 - no shell is wanted
        os.waitpid(root, 0)
        ptrace(SETOPTIONS, root, 0, OPTIONS)
        ptrace(SYSCALL, root)
        status = 1
        while True:
            try:
                pid, raw = os.waitpid(-1, 0x40000000)  # __WALL
            except ChildProcessError:
                return status
            if os.WIFSTOPPED(raw):
                self._stopped(pid, raw)
            elif pid == root:
                status = os.waitstatus_to_exitcode(raw)

    def _stopped(self, pid: int, raw: int) -> None:
        number, event = os.WSTOPSIG(raw), raw >> 16
        deliver = 0
        try:
            if event in BORN:
                message = ctypes.c_ulong()
                ptrace(GETEVENTMSG, pid, 0, ctypes.addressof(message))
                self.processes += _is_process(int(message.value))
            elif event == EXECUTED:
                self.programs.append(os.path.basename(os.readlink(f"/proc/{pid}/exe")))
            elif number == signal.SIGTRAP | 0x80:
                self._system_call(pid)
            elif event == 0 and number not in (signal.SIGSTOP, signal.SIGTRAP):
                deliver = number
            ptrace(SYSCALL, pid, 0, deliver)
        except ProcessLookupError:
            pass  # killed meanwhile

    def _system_call(self, pid: int) -> None:
        if pid != self._root:
            return
        self._inside = not self._inside
        if not self._inside:
            return
        name = _ARCH[platform.machine()][1].get(system_call(pid))
        if name is not None:
            self.counts[name] += 1


def _is_process(pid: int) -> bool:
    """Whether a new task is a process; a thread has another's id as its group's."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("Tgid:"):
            return int(line.split()[1]) == pid
    return True


def main() -> int:
    tracer = Tracer()
    code = tracer.run(sys.argv[2:])
    counted = {"processes": tracer.processes, "programs": tracer.programs[1:], **tracer.counts}
    Path(sys.argv[1]).write_text(json.dumps(counted))
    return code


if __name__ == "__main__":
    sys.exit(main())
