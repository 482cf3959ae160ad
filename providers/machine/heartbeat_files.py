"""Heartbeat files, version 1: `ts=<RFC 3339> pid=<pid> status=<ok|busy> key=value ...`, one line, one file per agent.

`NAME.turn` has the same form: what the hooks of an agent's program report of its turns. It is written at events, not at
intervals.

A file that is half-written, foreign, huge, a link, a FIFO or from the future does no harm: `error` says why we do not
accept it.
"""

from __future__ import annotations

import os
import re
from datetime import datetime

from providers.base import ObserveError
from providers.filesystem.guarded_read import NotRegularError, TooLargeError, read_regular
from providers.host import HeartbeatFile

MAX_BYTES = 4096
MAX_AHEAD_S = 15.0  # after the clock was set back by more than one interval, earlier files are not accepted
_TS = re.compile(
    r"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-][0-2]\d:[0-5]\d)", re.ASCII | re.IGNORECASE
)


def scan_both(folder: str, now: float) -> tuple[dict[str, HeartbeatFile], dict[str, HeartbeatFile]]:
    """Every `*.hb` and every `*.turn` of a folder, by agent name, in one pass; empty if the folder does not exist.
    Raises ObserveError."""
    heartbeats: dict[str, HeartbeatFile] = {}
    turns: dict[str, HeartbeatFile] = {}
    try:
        root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return heartbeats, turns
    except OSError as error:
        raise ObserveError(f"{folder} cannot be read: {error.strerror}") from error
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                name, dot, kind = entry.name.rpartition(".")
                if dot and not name.startswith(".") and kind in ("hb", "turn") and name:
                    (heartbeats if kind == "hb" else turns)[name] = _read(root, entry, now)
    except OSError as error:
        raise ObserveError(f"{folder} cannot be listed: {error.strerror}") from error
    finally:
        os.close(root)
    return heartbeats, turns


def parse(line: bytes, now: float) -> HeartbeatFile:
    """The content of one file; never raises. A newline at the end is usual and not required."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return HeartbeatFile(error="it is not UTF-8 text")
    text = text.removesuffix("\n")
    if "\n" in text:
        return HeartbeatFile(error="it has more than one line")
    words: dict[str, str] = {}
    for word in text.split():
        key, equals, value = word.partition("=")
        if not equals or not key:
            return HeartbeatFile(error=f"{_short(word)} is not key=value")
        if key in words:
            return HeartbeatFile(error=f"{_short(key)} is given twice")
        words[key] = value
    try:
        stamp, pid, status = words.pop("ts"), words.pop("pid"), words.pop("status")
    except KeyError as missing:
        return HeartbeatFile(error=f"it has no {missing.args[0]}= (half-written, or not a heartbeat)")
    if status not in ("ok", "busy"):
        return HeartbeatFile(error=f"status is {_short(status)}, neither ok nor busy")
    if not (pid.isascii() and pid.isdigit() and len(pid) <= 10 and int(pid) > 0):
        return HeartbeatFile(error=f"pid is {_short(pid)}, not a process id")
    ts = _seconds(stamp)
    if ts is None:
        return HeartbeatFile(error=f"ts is {_short(stamp)}, not an RFC 3339 time")
    if ts > now + MAX_AHEAD_S:
        return HeartbeatFile(error=f"ts is {ts - now:.0f} s in the future; was the clock set back?")
    return HeartbeatFile(ts=ts, pid=int(pid), status=status, words=words)


def _seconds(stamp: str) -> float | None:
    if not _TS.fullmatch(stamp):
        return None
    try:
        return datetime.fromisoformat(stamp.upper()).timestamp()
    except (ValueError, OverflowError):
        return None


def _read(root: int, entry: os.DirEntry[str], now: float) -> HeartbeatFile:
    try:
        if not entry.is_file(follow_symlinks=False):
            return HeartbeatFile(error="it is not a regular file")
        return parse(read_regular(entry.name, limit=MAX_BYTES, follow=False, folder=root), now)
    except FileNotFoundError:
        return HeartbeatFile(error="it was removed while being read")
    except NotRegularError:  # replaced after the listing
        return HeartbeatFile(error="it is not a regular file")
    except TooLargeError as error:
        return HeartbeatFile(error=str(error.strerror))
    except OSError as error:
        return HeartbeatFile(error=f"it cannot be read: {error.strerror}")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "...")
