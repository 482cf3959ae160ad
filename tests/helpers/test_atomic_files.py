"""State files that are something else: nothing waits for them, and nothing breaks off."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.context.bindings import read_bindings
from reconciler.helpers.atomic_files import append_synced, parse_json, read_optional
from reconciler.source.ledger import read_ledger, rejections
from reconciler.source.record import SourceRecord, load_record
from tests.builders import facts

DEEP = b"[" * 100_000


def test_a_fifo_in_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "state")
    with pytest.raises(OSError, match="a FIFO is there"):
        read_optional(tmp_path / "state")
    with pytest.raises(OSError, match="No such device"):
        append_synced(tmp_path / "state", "more")


def test_brackets_that_nest_too_deep_are_damage_like_any_other(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nested"):
        parse_json(DEEP)
    for name in ("source.json", "rejected.json", "ledger.ndjson", "marker.json"):
        (tmp_path / name).write_bytes(DEEP + b"\n")
    assert load_record(tmp_path, "key") == SourceRecord(key="key")
    assert rejections(tmp_path) == {}
    assert read_ledger(tmp_path, tmp_path / "marker.json").problem is not None
    (tmp_path / "marker.json").unlink()
    assert read_ledger(tmp_path, tmp_path / "marker.json").problem is not None


@pytest.mark.parametrize("folder", [True, False])
def test_bindings_that_cannot_be_read_count_as_none(tmp_path: Path, folder: bool) -> None:
    host = facts(str(tmp_path))
    index = Path(host.state_home, "mosaic", "sources.json")
    index.parent.mkdir(parents=True)
    if folder:
        index.mkdir()
    else:
        index.write_bytes(DEEP)
    assert read_bindings(host).names == {}
