"""The atomic write and the guarded read, by themselves: everything that reads or writes files goes by them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from errno import ELOOP, ENOSPC
from pathlib import Path

import pytest

from providers.filesystem.atomic_write import replace_file, replace_link
from providers.filesystem.guarded_read import NotRegularError, TooLargeError, read_regular, read_with_mode


def test_a_file_has_its_mode_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        replace_file(str(tmp_path / "file"), b"one", mode=0o644)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("temporary", [None, ".file.new"])
def test_what_cannot_be_written_whole_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, temporary: str | None
) -> None:
    (tmp_path / "file").write_bytes(b"old")
    write = os.write

    def full(descriptor: int, data: memoryview) -> int:
        if len(data) < 4:
            raise OSError(ENOSPC, "No space left on device")
        return write(descriptor, data[:2])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(str(tmp_path / "file"), b"new words", temporary=temporary)
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_what_a_crash_left_behind_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / ".file.new").symlink_to("precious")
    replace_file(str(tmp_path / "file"), b"new", temporary=".file.new", durable=False)
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert sorted(os.listdir(tmp_path)) == ["file", "precious"]


def test_a_new_file_takes_nobodys_place(tmp_path: Path) -> None:
    replace_file(str(tmp_path / "file"), b"first", only_new=True)
    with pytest.raises(FileExistsError):
        replace_file(str(tmp_path / "file"), b"second", only_new=True)
    assert (tmp_path / "file").read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["file"]


def test_only_what_is_durable_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    replace_file(str(tmp_path / "file"), b"one", durable=False)
    assert synced == []
    replace_file(str(tmp_path / "file"), b"two")
    assert len(synced) == 1


def test_a_link_takes_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / ".file.mosaic-new").write_bytes(b"left behind by a crash")
    replace_link(str(tmp_path / "file"), "/nowhere")
    assert os.readlink(tmp_path / "file") == "/nowhere"
    assert os.listdir(tmp_path) == ["file"]


def _socket(path: Path) -> None:
    os.mknod(path, stat.S_IFSOCK | 0o600)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (os.mkfifo, "a FIFO"),
        (Path.mkdir, "a folder"),
        (_socket, "a socket"),
        (lambda path: path.symlink_to("/dev/null"), "a device"),
    ],
)
def test_what_is_no_regular_file_is_not_read(tmp_path: Path, make: Callable[[Path], None], word: str) -> None:
    path = tmp_path / "odd"
    make(path)
    with pytest.raises(NotRegularError, match=word) as caught:
        read_regular(path)
    assert caught.value.filename == str(path)


def test_a_link_is_followed_or_is_itself_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"words")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "circle").symlink_to("circle")
    assert read_regular(tmp_path / "link") == b"words"
    for name in ("link", "circle"):
        with pytest.raises(NotRegularError, match="a symbolic link is there"):
            read_regular(tmp_path / name, follow=False)
    with pytest.raises(OSError, match="Too many levels") as caught:
        read_regular(tmp_path / "circle/file", follow=False)
    assert caught.value.errno == ELOOP
    folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        assert read_regular("file", folder=folder) == b"words"
        with pytest.raises(NotRegularError):
            read_regular("link", follow=False, folder=folder)
    finally:
        os.close(folder)


@pytest.mark.parametrize("size", [0, 1, 4, 5, 6, 9])
def test_no_more_is_read_than_is_asked_for(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    path.chmod(0o640)
    assert read_with_mode(path) == (b"x" * size, stat.S_IFREG | 0o640)
    assert read_regular(path, limit=5, cut=True) == b"x" * min(size, 5)
    if size > 5:
        with pytest.raises(TooLargeError, match="larger than 5 bytes") as caught:
            read_regular(path, limit=5)
        assert caught.value.size == size
    else:
        assert read_regular(path, limit=5) == b"x" * size


def test_a_file_that_says_it_is_empty_is_read_to_its_end() -> None:
    """As those of /proc do."""
    assert read_regular("/proc/self/cmdline").endswith(b"\0")
    with pytest.raises(TooLargeError):
        read_regular("/proc/self/cmdline", limit=1)
