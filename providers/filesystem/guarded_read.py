"""The one guarded read of a file that somebody else may have replaced: regular files only, without waiting, bounded.

Of a FIFO nothing ever comes, a device may have no end, and an error of `read` names no path. All of that is an OSError
here, with the path in `filename` and the reason in `strerror`.
"""

from __future__ import annotations

import os
import stat
from errno import EFBIG, EINVAL, EISDIR, ENXIO

LARGEST = 64 << 20  # bytes; no file of ours, or of a repository's own bookkeeping, comes near
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFLNK: "a symbolic link",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


def read_regular(
    path: str | os.PathLike[str], *, limit: int = LARGEST, cut: bool = False, follow: bool = True
) -> bytes:
    """All of a regular file; of one longer than `limit` bytes OSError, or with `cut` its first `limit` bytes.

    Raises FileNotFoundError if there is none, IsADirectoryError for a folder, and OSError for anything else that is no
    regular file or cannot be read. `follow`: whether a symbolic link as the last part is followed.
    """
    name = os.fspath(path)
    try:
        descriptor = os.open(name, _READ | (0 if follow else os.O_NOFOLLOW))
    except OSError as error:
        if error.errno == ENXIO:  # what opening a socket says
            raise _odd(stat.S_IFSOCK, name) from error
        raise
    try:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):
            raise _odd(seen.st_mode, name)
        parts, length = [], 0
        while length <= limit and (part := os.read(descriptor, min(1 << 20, limit + 1 - length))):
            parts.append(part)
            length += len(part)
    except OSError as error:
        raise error if error.filename else OSError(error.errno, error.strerror, name) from error
    finally:
        os.close(descriptor)
    data = b"".join(parts)
    if length > limit:
        if not cut:
            raise OSError(EFBIG, f"it is larger than {limit} bytes", name)
        data = data[:limit]
    return data


def kind_of(mode: int) -> str:
    """In words, what is not a regular file."""
    return _KINDS.get(stat.S_IFMT(mode), "no regular file")


def _odd(mode: int, name: str) -> OSError:
    number = EISDIR if stat.S_ISDIR(mode) else EINVAL
    return OSError(number, f"{kind_of(mode)} is there, not a regular file", name)
