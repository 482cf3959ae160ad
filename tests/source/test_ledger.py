"""The ledger of applied revisions: append-only, chained, and missed when it is gone."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import Refused
from reconciler.helpers.atomic_files import append_synced
from reconciler.source.ledger import Ledger, clear_rejection, marker_path, read_ledger, reject, rejections
from tests.source.conftest import NOW

SHAS = tuple(letter * 40 for letter in "abcdef")


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return marker_path(tmp_path / "config", "canary")


def filled(state_dir: Path, marker: Path, count: int = 3, verify: str = "head") -> Ledger:
    ledger = read_ledger(state_dir, marker)
    for index, sha in enumerate(SHAS[:count]):
        ledger = ledger.record(sha, by="ada", verify=verify, now=NOW + index)
    return ledger


def test_a_new_host_has_no_ledger_and_no_problem(state_dir: Path, marker: Path) -> None:
    ledger = read_ledger(state_dir, marker)
    assert (ledger.last, ledger.problem, ledger.last_good()) == (None, None, None)
    assert not state_dir.exists()


def test_entries_are_chained(state_dir: Path, marker: Path) -> None:
    written = filled(state_dir, marker)
    read = read_ledger(state_dir, marker)
    assert read == written
    assert read.last is not None
    assert (read.last.sha, read.last.parent, read.last.by, read.last.ts) == (
        SHAS[2],
        SHAS[1],
        "ada",
        "2026-09-21T14:13:22Z",
    )
    lines = [json.loads(line) for line in read.path.read_bytes().splitlines()]
    assert [line["parent"] for line in lines] == [None, SHAS[0], SHAS[1]]
    assert lines[0]["prev"] == "0" * 64
    assert len({line["prev"] for line in lines}) == 3
    assert read.path.stat().st_mode & 0o777 == 0o600


def test_recording_the_same_revision_again_writes_nothing(state_dir: Path, marker: Path) -> None:
    ledger = filled(state_dir, marker)
    before = ledger.path.stat().st_mtime_ns, marker.stat().st_mtime_ns
    assert ledger.record(SHAS[2], by="bob", verify="all", now=NOW + 99) == ledger
    assert (ledger.path.stat().st_mtime_ns, marker.stat().st_mtime_ns) == before


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_crash_while_appending_is_repaired(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        state_dir, marker = Path(folder) / "state", Path(folder) / "marker.json"
        ledger = filled(state_dir, marker)
        before, mark = ledger.path.read_bytes(), marker.read_bytes()
        ledger.record(SHAS[3], by="ada", verify="head", now=NOW + 9)
        line = ledger.path.read_bytes()[len(before) :]
        cut = data.draw(st.integers(0, len(line)))
        mark_written = data.draw(st.booleans()) and cut == len(line)
        ledger.path.write_bytes(before + line[:cut])
        if not mark_written:
            marker.write_bytes(mark)
        read = read_ledger(state_dir, marker)
        assert read.problem is None
        assert read.last is not None
        assert read.last.sha == (SHAS[3] if cut == len(line) else SHAS[2])
        again = read.record(SHAS[4], by="ada", verify="head", now=NOW + 10)
        assert read_ledger(state_dir, marker) == again
        assert again.problem is None
        assert again.path.read_bytes().startswith(before)
        assert again.path.read_bytes().count(b"\n") == (5 if cut == len(line) else 4)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_whatever_is_altered_is_noticed(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        state_dir, marker = Path(folder) / "state", Path(folder) / "marker.json"
        ledger = filled(state_dir, marker)
        whole = ledger.path.read_bytes()
        at = data.draw(st.integers(0, len(whole) - 1))
        change = data.draw(st.sampled_from(["flip", "cut", "drop", "empty"]))
        lines = whole.splitlines(keepends=True)
        altered = {
            "flip": whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :],
            "cut": whole[:at],
            "drop": b"".join(line for index, line in enumerate(lines) if index != at % 3),
            "empty": b"",
        }[change]
        ledger.path.write_bytes(altered)
        read = read_ledger(state_dir, marker)
        assert read.problem is not None, change
        assert read.last_good() is None
        with pytest.raises(Refused):
            read.record(SHAS[5], by="ada", verify="head", now=NOW)
        assert ledger.path.read_bytes() == altered


def test_a_whole_state_folder_that_is_gone_is_noticed(state_dir: Path, marker: Path) -> None:
    filled(state_dir, marker)
    for path in state_dir.iterdir():
        path.unlink()
    read = read_ledger(state_dir, marker)
    assert read.problem is not None
    assert "missing" in read.problem
    with pytest.raises(Refused) as caught:
        read.record(SHAS[0], by="ada", verify="all", now=NOW)
    assert "--allow-rewind" in caught.value.help


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"lines": "x", "sha256": 3}'])
def test_a_damaged_marker_fits_no_ledger(state_dir: Path, marker: Path, content: str) -> None:
    filled(state_dir, marker)
    marker.write_text(content)
    assert read_ledger(state_dir, marker).problem is not None


def test_a_lost_marker_is_made_again(state_dir: Path, marker: Path) -> None:
    filled(state_dir, marker)
    marker.unlink()
    read = read_ledger(state_dir, marker)
    assert read.problem is None
    read.record(SHAS[3], by="ada", verify="head", now=NOW)
    assert marker.exists()


@pytest.mark.parametrize(("verify", "rewind"), [("none", False), ("all", True)])
def test_a_new_ledger_is_begun_and_the_old_one_kept(state_dir: Path, marker: Path, verify: str, rewind: bool) -> None:
    ledger = filled(state_dir, marker)
    ledger.path.write_bytes(ledger.path.read_bytes()[5:])
    altered = ledger.path.read_bytes()
    read = read_ledger(state_dir, marker)
    begun = read.record(SHAS[4], by="ada", verify=verify, now=NOW, rewind=rewind)
    assert read_ledger(state_dir, marker) == begun
    assert begun.problem is None
    assert begun.last is not None
    assert (begun.last.sha, begun.last.parent) == (SHAS[4], SHAS[2])
    (aside,) = state_dir.glob("ledger.ndjson.set-aside-*")
    assert aside.read_bytes() == altered


def test_an_unreadable_ledger_is_not_a_lost_one(state_dir: Path, marker: Path) -> None:
    (state_dir / "ledger.ndjson").mkdir(parents=True)
    ledger = read_ledger(state_dir, marker)
    assert ledger.problem is not None
    assert f"cannot be read: {state_dir}/ledger.ndjson: a folder is there" in ledger.problem
    assert ledger.last_good() is None
    with pytest.raises(Refused, match=r"cannot be read: /.*/ledger\.ndjson"):
        ledger.record(SHAS[0], by="ada", verify="head", now=NOW)
    begun = ledger.record(SHAS[0], by="ada", verify="none", now=NOW)
    assert begun.problem is None
    assert read_ledger(state_dir, marker).last == begun.last


def test_rejections_are_remembered_bounded_and_forgiven(state_dir: Path) -> None:
    first = reject(state_dir, SHAS[0], "not signed", NOW)
    stamp = (state_dir / "rejected.json").stat().st_mtime_ns
    assert reject(state_dir, SHAS[0], "not signed", NOW + 60) == first
    assert (state_dir / "rejected.json").stat().st_mtime_ns == stamp
    changed = reject(state_dir, SHAS[0], "bad roster", NOW + 60)
    assert (changed.ts, changed.reason) == (first.ts, "bad roster")
    for index in range(80):
        reject(state_dir, f"{index:040x}", "why", NOW)
    assert len(rejections(state_dir)) == 50
    clear_rejection(state_dir, f"{79:040x}")
    assert f"{79:040x}" not in rejections(state_dir)
    (state_dir / "rejected.json").write_text("{")
    assert rejections(state_dir) == {}


def test_an_append_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    path = tmp_path / "log"
    append_synced(path, "one\n")
    real, calls = os.write, []

    def full(descriptor: int, data: bytes) -> int:
        calls.append(data)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[:2])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        append_synced(path, "two\n")
    assert path.read_text() == "one\n"
