"""The record of the source between two runs: `source.json` and the time of `source.seen`."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from reconciler.git.objects import Commit
from reconciler.helpers.atomic_files import make_folder, parse_json, read_optional, write_cache
from specs.dataclass import asdict, dataclass

_VERSION = 2
_OLDER = 1  # its commit has only the files of the root
_FIRST_DELAY_S = 5.0
_LONGEST_DELAY_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """`key` identifies the source; `tip` is what `ref` named when `commit` was fetched (a tag's own id for a tag).

    `next_fetch` (Unix seconds) is when an unreachable remote may be asked again.
    """

    key: str
    ref: str = ""
    tip: str = ""
    commit: Commit | None = None
    failures: int = 0
    next_fetch: float = 0.0
    error: str = ""

    def waits(self, now: float) -> bool:
        """Whether it is too early to ask the remote. A time too far ahead means that the clock was set back."""
        return self.failures > 0 and now < self.next_fetch <= now + fetch_delay(self.failures)


def fetch_delay(failures: int) -> float:
    """Seconds until the next try after so many failures in a row: 5, 10, 20, ... at most 300."""
    return min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2.0 ** min(failures - 1, 16)) if failures > 0 else 0.0


def load_record(state_dir: Path, key: str) -> SourceRecord:
    """The record of this source; an empty one if the file is missing, unreadable, or about another source: it only
    saves work, and losing it costs one fetch."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        data = parse_json(read_optional(state_dir / "source.json") or b"{}")
        if data["version"] in (_OLDER, _VERSION) and data["key"] == key:
            raw = data["commit"]
            commit = Commit(**raw) if raw is not None else None
            return SourceRecord(
                key=key,
                ref=str(data["ref"]),
                tip=str(data["tip"]) if data["version"] == _VERSION else "",  # so it is fetched again
                commit=commit,
                failures=int(data["failures"]),
                next_fetch=float(data["next_fetch"]),
                error=str(data["error"]),
            )
    return SourceRecord(key=key)


def save_record(state_dir: Path, record: SourceRecord) -> None:
    """Raises OSError."""
    write_cache(state_dir / "source.json", json.dumps({"version": _VERSION, **asdict(record)}, indent=1) + "\n")


def touch_seen(state_dir: Path, now: float) -> None:
    """Record that the source was seen. It happens once a run, so it is one system call: the file's own time."""
    path = state_dir / "source.seen"
    try:
        os.utime(path, (now, now))
    except FileNotFoundError:
        make_folder(state_dir)
        path.touch(mode=0o600)
        os.utime(path, (now, now))


def seen_at(state_dir: Path) -> float | None:
    """When the source was last seen, Unix seconds; None if never."""
    try:
        return (state_dir / "source.seen").stat().st_mtime
    except FileNotFoundError:
        return None
