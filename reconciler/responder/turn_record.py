"""Update a turn record from the program's own state file: see `providers/programs/turn_status.py`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.filesystem.atomic_write import replace_file
from providers.filesystem.guarded_read import read_regular
from providers.machine import heartbeat_files
from providers.processes import procfs
from providers.programs import turn_status

if TYPE_CHECKING:
    from providers.host import HeartbeatFile

_MAX = 1 << 16
_ENVIRON_MAX = 1 << 20


def refresh_turn(folder: str, name: str, runtime: str, pid: int, turn: HeartbeatFile | None) -> HeartbeatFile | None:
    """The newest report of an agent's turn: `turn`, unless its program's own file differs; then that is also written to
    `folder`/NAME.turn. `pid` is its program's. A program that writes no such file costs nothing."""
    if turn_status.status_file(runtime, {"HOME": "/"}, pid) is None:
        return turn
    try:
        words = procfs.head(f"/proc/{pid}/environ", _ENVIRON_MAX).decode("utf-8", "replace").split("\0")
        path = turn_status.status_file(runtime, dict(word.split("=", 1) for word in words if "=" in word), pid)
        if path is None:
            return turn
        line = turn_status.newer(_read(path), turn, pid)
        if line is None or not _is_still(folder, name, turn):
            return turn  # it says the same, or the program has reported meanwhile: the next look is soon enough
        beside = f".{name}.turn.told"
        replace_file(f"{folder}/{name}.turn", f"{line}\n".encode(), temporary=beside, durable=False)
    except (OSError, ObserveError):
        return turn  # it has no file, or has ended
    return heartbeat_files.parse(line.encode(), time.time())


def _is_still(folder: str, name: str, turn: HeartbeatFile | None) -> bool:
    """Whether the record is the one that the file was compared with. Raises OSError."""
    try:
        now = heartbeat_files.parse(_read(f"{folder}/{name}.turn").encode(), time.time())
    except FileNotFoundError:
        return turn is None
    return turn is not None and (now.ts, now.pid, now.words) == (turn.ts, turn.pid, turn.words)


def _read(path: str) -> str:
    """Raises OSError."""
    return read_regular(path, limit=_MAX, cut=True, follow=False).decode("utf-8", "replace")
