"""Waiting for a command that was started inside a host."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tests.hosts.errors import HostCommandError


class Running(Protocol):
    """What is needed of `subprocess.Popen`."""

    pid: int
    returncode: int

    def communicate(self, input: str | None = ..., timeout: float | None = ...) -> tuple[str, str]: ...

    def wait(self, timeout: float | None = ...) -> int: ...


def finish(
    process: Running, argv: Sequence[str | Path], *, input_: str | None, timeout: float, check: bool
) -> subprocess.CompletedProcess[str]:
    """Wait for `process` (the leader of a session of its own); on timeout all of that session's group is killed."""
    words = [str(word) for word in argv]
    try:
        out, err = process.communicate(input_, timeout=timeout)
    except BaseException as error:
        kill_group(process)
        out, err = process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise subprocess.TimeoutExpired(words, timeout, output=out, stderr=err) from None
        raise
    if check and process.returncode != 0:
        raise HostCommandError(process.returncode, words, out, err)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def kill_group(process: Running) -> None:
    """End a command inside a host and its nsenter outside, the command first.

    nsenter is the command's parent. Killed before it has reaped it, it leaves a zombie to the machine's process 1,
    and the host cannot end before that one gets round to it (where process 1 reaps nothing: never).
    """
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            group = os.getpgid(int(entry.name)) if entry.name.isdigit() else 0
            if group == process.pid and entry.name != str(process.pid):
                os.kill(int(entry.name), signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
