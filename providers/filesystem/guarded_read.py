"""The one guarded read of a file that somebody else may have replaced: regular files only, without waiting, bounded.

A FIFO may never deliver, a device may have no end, and an error of `read` names no path. Each becomes an OSError here,
with the path in `filename` and the reason in `strerror`.
"""

from __future__ import annotations

import os
import stat
from errno import EFBIG, EINVAL, EISDIR, ELOOP, ENXIO

LARGEST = 64 << 20  # bytes; far more than any file of ours, or of a repository's own bookkeeping
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_ITSELF = _READ | os.O_NOFOLLOW
_PART = 1 << 20
_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFLNK: "a symbolic link",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


class NotRegularError(OSError):
    """The path is not a regular file. `mode`: its `st_mode`."""

    def __init__(self, mode: int, name: str) -> None:
        number = EISDIR if stat.S_ISDIR(mode) else EINVAL
        super().__init__(number, f"{kind_of(mode)} is there, not a regular file", name)
        self.mode = mode


class TooLargeError(OSError):
    """The file has more bytes than the limit. `size`: how many, if known."""

    def __init__(self, size: int, limit: int, name: str) -> None:
        super().__init__(EFBIG, f"it is larger than {limit} bytes", name)
        self.size = size


def read_regular(
    path: str | os.PathLike[str],
    *,
    limit: int = LARGEST,
    cut: bool = False,
    follow: bool = True,
    folder: int | None = None,
) -> bytes:
    """All of a regular file; of one longer than `limit` bytes TooLargeError, or with `cut` its first `limit` bytes.

    `follow`: whether to follow a symbolic link as the last part; if not, a link raises NotRegularError, as all else
    does that is not a regular file. `folder`: the descriptor of the folder that a relative path begins at. Raises
    FileNotFoundError if the path does not exist, and OSError if it cannot be read.
    """
    return _read(os.fspath(path), limit, cut, follow, folder)[0]


def read_with_mode(
    path: str | os.PathLike[str],
    *,
    limit: int = LARGEST,
    cut: bool = False,
    follow: bool = True,
    folder: int | None = None,
) -> tuple[bytes, int]:
    """As `read_regular`, with the `st_mode` of the very file that was read."""
    return _read(os.fspath(path), limit, cut, follow, folder)


def _read(name: str, limit: int, cut: bool, follow: bool, folder: int | None) -> tuple[bytes, int]:
    try:
        descriptor = os.open(name, _READ if follow else _ITSELF, dir_fd=folder)
    except OSError as error:
        odd = _what_cannot_be_opened(error, name, follow, folder)
        if odd is None:
            raise
        raise odd from error
    try:
        seen = os.fstat(descriptor)
        mode, size = seen.st_mode, seen.st_size
        if not stat.S_ISREG(mode):
            raise NotRegularError(mode, name)
        if size > limit and not cut:
            raise TooLargeError(size, limit, name)
        # Ask for one byte more than its size: if no more than the size comes, that is its end, without a further read.
        data = os.read(descriptor, min(limit, size or _PART) + 1)
        if data and len(data) != size:
            data = _rest(descriptor, data, limit)
    except OSError as error:
        raise error if error.filename else OSError(error.errno, error.strerror, name) from error
    finally:
        os.close(descriptor)
    if len(data) > limit:
        if not cut:
            raise TooLargeError(len(data), limit, name)
        data = data[:limit]
    return data, mode


def _rest(descriptor: int, data: bytes, limit: int) -> bytes:
    parts, length = [data], len(data)
    while length <= limit and (part := os.read(descriptor, min(_PART, limit + 1 - length))):
        parts.append(part)
        length += len(part)
    return b"".join(parts)


def _what_cannot_be_opened(error: OSError, name: str, follow: bool, folder: int | None) -> NotRegularError | None:
    """None for a regular file, or for nothing at all."""
    if error.errno == ENXIO:  # the error of opening a socket
        return NotRegularError(stat.S_IFSOCK, name)
    if error.errno == ELOOP and not follow:
        mode = os.lstat(name, dir_fd=folder).st_mode
        if stat.S_ISLNK(mode):  # and not a loop of links on the way
            return NotRegularError(mode, name)
    return None


def kind_of(mode: int) -> str:
    """What it is instead of a regular file, in words."""
    return _KINDS.get(stat.S_IFMT(mode), "not a regular file")
