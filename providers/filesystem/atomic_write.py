"""The one atomic write: a whole file, or a link, replaces what is at a path, and nobody sees half of it.

Every function raises OSError; then the old content is still there, and the temporary file is gone.
"""

from __future__ import annotations

import os
from contextlib import suppress

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def replace_file(
    path: str,
    data: bytes,
    *,
    mode: int = 0o600,
    temporary: str | None = None,
    durable: bool = True,
    only_new: bool = False,
) -> None:
    """Write `data` to a temporary file in the same folder, which must exist, and give it the name `path`. A link at
    `path` is replaced, not followed. The folder itself is not synced: see `sync_folder`.

    `mode`: exactly so, whatever the umask. `temporary`: the name of the temporary file, where only one process writes
    there at a time: a crash then leaves at most one behind, which the next write removes. Without it the name is
    `.NAME.PID.HEX.tmp`, for those who write side by side. `durable`: the data is on the disk before it has the name, so
    that after a power cut there is all of the old content or all of the new. `only_new`: FileExistsError if something
    is there by now.
    """
    folder, name = os.path.split(path)
    beside = os.path.join(folder, temporary or f".{name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    descriptor = _create(beside)
    try:
        try:
            write_all(descriptor, data)
            os.fchmod(descriptor, mode)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if only_new:
            _link(beside, path)
        else:
            os.rename(beside, path)
    except BaseException:  # also on KeyboardInterrupt: no litter; the error itself goes on
        _forget(beside)
        raise


def replace_link(path: str, target: str) -> None:
    """Make `path` a symbolic link to `target`."""
    folder, name = os.path.split(path)
    beside = os.path.join(folder, f".{name}.mosaic-new")
    with suppress(FileNotFoundError):
        os.unlink(beside)
    os.symlink(target, beside)
    try:
        os.rename(beside, path)
    except BaseException:
        _forget(beside)
        raise


def write_all(descriptor: int, data: bytes) -> None:
    """`os.write` may take less than it is given."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: str) -> None:
    """Make renames, removals and new names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create(path: str) -> int:
    try:
        return os.open(path, _NEW, 0o600)
    except FileExistsError:  # left behind by a crash
        os.unlink(path)
        return os.open(path, _NEW, 0o600)


def _link(temporary: str, path: str) -> None:
    """Unlike a rename, a link never takes the place of what has come meanwhile."""
    try:
        os.link(temporary, path, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.rename(temporary, path)
        return
    os.unlink(temporary)


def _forget(temporary: str) -> None:
    with suppress(OSError):  # of a file system that has become read-only meanwhile
        os.unlink(temporary)
