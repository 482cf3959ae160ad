"""Heartbeat files: what the contract allows is read, anything else is harmless and says why."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import ObserveError
from providers.machine.heartbeat_files import MAX_AHEAD_S, MAX_BYTES, parse, scan_both

NOW = 1_800_000_000.0
WORD = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126, exclude_characters="="), min_size=1)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(
    ts=st.datetimes(datetime(1980, 1, 1), datetime(2026, 12, 31), timezones=ZONES),
    pid=st.integers(1, 2**31),
    status=st.sampled_from(("ok", "busy")),
    words=st.dictionaries(WORD.filter(lambda key: key not in ("ts", "pid", "status")), WORD, max_size=5),
    end=st.sampled_from(("", "\n")),
)
def test_what_is_written_is_read(ts: datetime, pid: int, status: str, words: dict[str, str], end: str) -> None:
    extra = "".join(f" {key}={value}" for key, value in words.items())
    line = f"ts={ts.isoformat()} pid={pid} status={status}{extra}{end}".encode()
    if len(line) > MAX_BYTES:
        return
    beat = parse(line, NOW)
    assert beat.error is None
    assert beat.ts == pytest.approx(ts.timestamp())
    assert (beat.pid, beat.status, beat.words) == (pid, status, words)


@given(st.binary(max_size=300), st.floats(0, 4e9))
def test_garbage_is_harmless(line: bytes, now: float) -> None:
    beat = parse(line, now)
    assert beat.error or beat.ts <= now + MAX_AHEAD_S


@given(st.integers(0, 200), st.integers(0, 200), st.binary(max_size=3))
def test_a_torn_line_never_reads_as_something_else(start: int, end: int, junk: bytes) -> None:
    whole = b"ts=2026-01-02T03:04:05Z pid=4711 status=busy source=native\n"
    beat = parse(whole[:start] + junk + whole[end:], NOW)
    if beat.error is None:
        assert beat.status in ("ok", "busy")
        assert beat.ts > 0
        assert beat.pid > 0


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "no ts="),
        (b"ts=2026-01-02T03:04:05Z pid=1", "no status="),
        (b"ts=2026-01-02T03:04:05Z pid=1 status=o", "neither ok nor busy"),
        (b"ts=2026-01-02T03:04:05 pid=1 status=ok", "not an RFC 3339 time"),
        (b"ts=2026-02-30T03:04:05Z pid=1 status=ok", "not an RFC 3339 time"),
        (b"ts=2026-W01-1 pid=1 status=ok", "not an RFC 3339 time"),
        (b"ts=1767323045 pid=1 status=ok", "not an RFC 3339 time"),
        (b"ts=2026-01-02T03:04:05Z pid=-1 status=ok", "not a process id"),
        ("ts=2026-01-02T03:04:05Z pid=¹ status=ok".encode(), "not a process id"),
        (b"ts=2026-01-02T03:04:05Z pid=1 pid=2 status=ok", "given twice"),
        (b"ts=2026-01-02T03:04:05Z pid=1 status=ok loose", "not key=value"),
        (b"ts=2026-01-02T03:04:05Z pid=1 status=ok\nts=2026-01-02T03:04:05Z pid=1 status=ok\n", "more than one line"),
        (b"ts=2999-01-02T03:04:05Z pid=1 status=ok", "in the future"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_what_is_wrong_is_said(line: bytes, why: str) -> None:
    assert why in str(parse(line, NOW).error)


def test_every_kind_of_file(tmp_path: Path) -> None:
    now = time.time()
    line = f"ts={datetime.fromtimestamp(now, UTC).isoformat()} pid=12 status=ok note=x\n"
    (tmp_path / "good.hb").write_text(line)
    (tmp_path / "dot.in.name.hb").write_text(line)
    (tmp_path / "huge.hb").write_text(line + "x" * 100_000)
    (tmp_path / "link.hb").symlink_to("good.hb")
    (tmp_path / "nowhere.hb").symlink_to("gone")
    (tmp_path / "folder.hb").mkdir()
    os.mkfifo(tmp_path / "fifo.hb")
    (tmp_path / "empty.hb").touch()
    (tmp_path / ".hidden.hb").write_text(line)
    (tmp_path / "PAUSED").touch()
    seen = scan_both(str(tmp_path), now)[0]  # a fifo that is opened to be read would hold it up for ever
    assert {name for name, beat in seen.items() if beat.error is None} == {"good", "dot.in.name"}
    assert seen["good"].words == {"note": "x"}
    assert seen.keys() == {"good", "dot.in.name", "huge", "link", "nowhere", "folder", "fifo", "empty"}
    assert "larger than" in str(seen["huge"].error)
    assert all(seen[name].error == "it is not a regular file" for name in ("link", "nowhere", "folder", "fifo"))


def test_a_missing_folder_is_empty_and_a_wrong_one_an_error(tmp_path: Path) -> None:
    assert scan_both(str(tmp_path / "none"), 0.0) == ({}, {})
    (tmp_path / "file").touch()
    with pytest.raises(ObserveError, match="cannot be read"):
        scan_both(str(tmp_path / "file"), 0.0)
