"""Deliveries: notices on their way, each in a thread of its own, so that no notifier ever slows the loop."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from providers.processes.process import Child, Finished
from reconciler.attention.notices import NoticeError
from reconciler.errors import MosaicError
from reconciler.notify.channels import ChannelTools, channel
from reconciler.notify.failures import note_outcome
from reconciler.state.store import Store

if TYPE_CHECKING:
    from reconciler.attention.notices import Notice
    from reconciler.status.events import EventSource

OUTPUT_MAX = 64 << 10  # bytes that a notifier may print; more ends it
GRACE_S = 1.0  # beyond a rule's own timeout, for the events


class Deliveries:
    """Notices that are being handed over. One rule's notices follow each other; those of different rules do not wait
    for each other. `close()` when done."""

    def __init__(self, store: Store, environ: Mapping[str, str], uid: int, source: EventSource) -> None:
        self._store, self._source = Store(store.state, store.runtime), source  # the other one is another thread's
        self._environ, self._uid = dict(environ), uid
        self._turns: dict[str, threading.Lock] = {}
        self._threads: list[threading.Thread] = []
        self._children: set[int] = set()
        self._closed = False

    def begin(self, notices: Sequence[Notice], sockets: Sequence[str]) -> None:
        """Start handing over; returns at once. `sockets`: the fleet's tmux servers."""
        tools = ChannelTools(run=self._run, environ=self._environ, uid=self._uid, sockets=tuple(sockets))
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        for notice in notices:
            turn = self._turns.setdefault(notice.rule.name, threading.Lock())
            thread = threading.Thread(target=self._deliver, args=(notice, tools, turn), daemon=True)
            self._threads.append(thread)
            thread.start()

    def wait(self, seconds: float) -> None:
        """Until all of them have ended, at most so long."""
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def close(self) -> None:
        """End what is still under way; no process of ours remains."""
        self._closed = True
        for pid in list(self._children):
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        self.wait(GRACE_S)

    def _deliver(self, notice: Notice, tools: ChannelTools, turn: threading.Lock) -> None:
        with turn:
            error = "the reconciler was ended before it was handed over" if self._closed else _sent(notice, tools)
            with suppress(MosaicError):  # the state folder cannot be written, which every run reports by itself
                note_outcome(self._store, notice, error, source=self._source, now=time.time())

    def _run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float) -> Finished:
        """Raises SpawnError."""
        child = Child(argv, self._environ, timeout_s=timeout_s, limit=OUTPUT_MAX, stdin=stdin)
        self._children.add(child.pid)
        if self._closed:  # it began while `close` was ending the others
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        try:
            return child.finish()
        finally:
            self._children.discard(child.pid)


def _sent(notice: Notice, tools: ChannelTools) -> str:
    """Why it failed, "" if it did not."""
    try:
        channel(notice.rule, tools).send(notice)
    except NoticeError as error:
        return str(error)
    except Exception as error:  # a channel may be anybody's; its bug is said where the failures are, and ends no other
        return f"a bug in this notifier: {type(error).__name__}: {error}"
    return ""
