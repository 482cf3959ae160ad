"""What the disk refuses is said of the file that could not be written, whatever call it is that fails."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from reconciler.helpers.atomic_files import append_synced, write_atomic
from reconciler.state.store import StateError, Store, write_failure

Write = Callable[[Path, str], None]
NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
CALLS = {"open": (os, "open"), "write": (os, "write"), "fsync": (os, "fsync"), "rename": (os, "rename")}


def refuse(monkeypatch: pytest.MonkeyPatch, call: str, number: int) -> None:
    def refused(*args: object, **_: object) -> NoReturn:
        # As the kernel has it: a call with a name tells it, one with a descriptor does not.
        names = [str(one) for one in args if isinstance(one, str | Path)]
        raise OSError(number, os.strerror(number), *names[:1])

    monkeypatch.setattr(*CALLS[call], refused)


@pytest.mark.parametrize("number", NUMBERS, ids=errno.errorcode.get)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("write", [write_atomic, append_synced])
def test_the_error_is_about_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write, call: str, number: int
) -> None:
    path = tmp_path / "there.json"
    path.write_text("old")
    with monkeypatch.context() as patched:
        refuse(patched, call, number)
        if write is append_synced and call == "rename":
            write(path, "")  # nothing is renamed
            return
        with pytest.raises(OSError, match=r"there\.json") as raised:
            write(path, "new")
    assert (raised.value.errno, raised.value.filename) == (number, str(path))
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["there.json"]


@pytest.mark.parametrize("number", NUMBERS, ids=errno.errorcode.get)
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def mkdir(self: Path, **_: object) -> NoReturn:
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(OSError, match="new") as raised:
        write_atomic(tmp_path / "new" / "file", "")
    assert raised.value.filename == str(tmp_path / "new")


@pytest.mark.parametrize("number", NUMBERS, ids=errno.errorcode.get)
def test_what_people_read_names_the_file_and_the_way_out(number: int) -> None:
    elsewhere = OSError(number, os.strerror(number), "/far/ledger/canary.json")
    failure = write_failure(Path("/near/ledger.ndjson"), elsewhere)
    assert failure.message == f"cannot write /far/ledger/canary.json: {os.strerror(number)}"
    assert failure.help
    assert "near" not in failure.help
    unnamed = write_failure(Path("/near/events.ndjson"), OSError(number, os.strerror(number)))
    assert unnamed.message.startswith("cannot write /near/events.ndjson: ")


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_a_file_of_the_state_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    store = Store(tmp_path / "state", tmp_path / "run")
    path = store.state / "history.json"
    with monkeypatch.context() as patched:
        refuse(patched, call, errno.ENOSPC)
        with pytest.raises(StateError, match=f"cannot write {path}: No space left"):
            store.write(path, "{}")
