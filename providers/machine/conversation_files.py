"""The files about an agent's conversations: its record, what is asked of its next start, and what its program keeps."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.filesystem.atomic_write import replace_file
from providers.filesystem.bounded_look import ask
from providers.filesystem.guarded_read import read_regular
from providers.launch.conversations import ConversationRecord, StartRequest, once_path, parse, record_path, reset_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from providers.host import HostFacts

_MAX = 16 << 20  # bytes of a record; each start shortens a long one


def read_record(name: str, facts: HostFacts) -> ConversationRecord:
    """What is recorded of an agent's conversations; an empty record if there is none. Raises ObserveError."""
    path = record_path(name, facts)
    try:
        return parse(read_regular(path, limit=_MAX, follow=False).decode("utf-8", "replace"))
    except FileNotFoundError:
        return ConversationRecord()
    except OSError as error:
        raise ObserveError(f"{path} cannot be read: {error.strerror or error}") from error


def request_start(name: str, facts: HostFacts, request: StartRequest) -> None:
    """Ask for something at the next start of an agent on this host. Raises OSError."""
    path = once_path(name, facts)
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    replace_file(path, f"{request.render()}\n".encode())


def note_reset(name: str, facts: HostFacts, life: str, at: float) -> None:
    """Record that a new conversation was begun in the pane of this life (`PID.TICKS`); nothing without a record. Raises
    OSError."""
    path = record_path(name, facts)
    try:
        record = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.write(record, reset_line(life, at).encode())
    finally:
        os.close(record)


def kept_files(paths: Iterable[str]) -> dict[str, tuple[int, float]]:
    """Size in bytes and time of the last change (Unix seconds) of the files that programs keep conversations in; what
    is not there or does not answer is left out."""

    def look(path: str) -> Callable[[], tuple[int, float]]:
        def one() -> tuple[int, float]:
            seen = os.stat(path)
            return seen.st_size, seen.st_mtime

        return one

    wanted = dict.fromkeys(path for path in paths if path.startswith("/"))
    found = ask({path: look(path) for path in wanted})
    return {path: one for path, one in found.items() if not isinstance(one, OSError)}
