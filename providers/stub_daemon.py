"""A daemon that a stub agent leaves behind, as the children of real programs do."""

from __future__ import annotations

import os
import signal


def spawn(*, stubborn: bool) -> None:
    """Start a daemon that stays: its own session, no terminal, unaffected by the end of ours."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.execvp("sleep", ["mosaic-stub-daemon", "infinity"])  # noqa: S606 - no shell is wanted
