"""Waiting for a command that was started inside a host."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.hosts.errors import HostCommandError


def finish(
    process: subprocess.Popen[str], argv: Sequence[str | Path], *, input_: str | None, timeout: float, check: bool
) -> subprocess.CompletedProcess[str]:
    """Wait for `process` (the leader of a session of its own); on timeout all of that session's group is killed."""
    words = [str(word) for word in argv]
    try:
        out, err = process.communicate(input_, timeout=timeout)
    except BaseException as error:
        # nsenter forks into the process namespace: killing it alone would leave the command running.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise subprocess.TimeoutExpired(words, timeout, output=out, stderr=err) from None
        raise
    if check and process.returncode != 0:
        raise HostCommandError(process.returncode, words, out, err)
    return subprocess.CompletedProcess(words, process.returncode, out, err)
