"""`events.ndjson`: one JSON object a line, bounded by rotation to one older file."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from providers.base import Json
from providers.filesystem.guarded_read import read_regular
from reconciler.helpers.atomic_files import set_aside
from reconciler.helpers.redact import hide_secrets, one_line
from reconciler.helpers.times import rfc3339
from reconciler.state.store import Store, write_failure
from reconciler.status.events import Event, EventSource
from specs.dataclass import dataclass

MAX_BYTES = 1024 * 1024  # of one file; there are at most two
LOCK_S = 1.0
MAX_TEXT = 2000  # characters of one value


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLog:
    """Where one fleet's events go, and who writes them. Every record carries the tenant and the host."""

    store: Store
    source: EventSource
    fleet: str
    tenant_id: str
    host: str
    max_bytes: int = MAX_BYTES

    @property
    def path(self) -> Path:
        return self.store.state / "events.ndjson"

    def write(self, events: Iterable[Event], *, now: float, revision: str) -> None:
        """Append events with one write and no fsync; without events, do nothing. Raises StateError."""
        lines = [json.dumps(self.record(event, now=now, revision=revision), ensure_ascii=False) for event in events]
        if not lines:
            return
        data = "".join(line + "\n" for line in lines).encode("utf-8", "replace")
        self.store.guard(self.path)
        try:
            self._append(data)
        except OSError as error:
            raise write_failure(self.path, error) from error

    def record(self, event: Event, *, now: float, revision: str) -> dict[str, Json]:
        """The object of one line; texts are bounded and carry no secrets and no control characters."""
        return {
            "ts": rfc3339(now),
            "type": str(event.type),
            "source": self.source,
            "fleet": self.fleet,
            "tenant_id": self.tenant_id,
            "host": self.host,
            "agent": event.agent,
            "revision": revision or None,
            "message": _clean(event.message),
            **{name: _clean(value) for name, value in event.fields.items()},
        }

    def _append(self, data: bytes) -> None:
        descriptor = self._open()
        try:
            size = os.fstat(descriptor).st_size
            if size and size + len(data) > self.max_bytes:
                self.path.replace(self.path.with_name("events.1.ndjson"))
                os.close(descriptor)
                descriptor = self._open()
                size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                data = b"\n" + data  # a line that a crash has torn stays alone
            written = os.write(descriptor, data)
            if written < len(data):
                os.ftruncate(descriptor, size)
                raise OSError(28, os.strerror(28))
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        """The log's file, locked for us alone: senders of messages write without the fleet's lock. If another process
        holds it for longer than a write takes, we do not wait for it."""
        if self.path.exists() and not self.path.is_file():
            set_aside(self.path)  # nobody would ever read an event from a FIFO
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        deadline = time.monotonic() + LOCK_S
        while True:
            descriptor = os.open(self.path, flags, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(descriptor), os.stat(self.path)):
                    return descriptor
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return descriptor
                time.sleep(0.005)
            except FileNotFoundError:
                pass  # it was rotated away at this moment
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)


def _clean(value: Json) -> Json:
    return one_line(hide_secrets(one_line(value)), MAX_TEXT) if isinstance(value, str) else value


def read_events(store: Store, *, limit: int | None = None, agent: str | None = None) -> tuple[Mapping[str, Json], ...]:
    """Oldest first, the last `limit` events; torn or foreign lines are skipped."""
    found = [one for one in _records(store) if agent is None or one.get("agent") == agent]
    return tuple(found if limit is None else found[max(0, len(found) - limit) :])


def _records(store: Store) -> Iterator[Mapping[str, Json]]:
    for name in ("events.1.ndjson", "events.ndjson"):
        try:
            data = read_regular(store.state / name)
        except OSError:
            continue
        for line in data.split(b"\n"):
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict) and "type" in record:
                yield record
