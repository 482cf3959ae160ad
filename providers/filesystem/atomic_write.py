"""The one atomic write: a whole file, or a link, replaces what is at a path, and nobody sees half of it.

If a function raises OSError, the old content is still there and the temporary file is gone.
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
    """Write `data` to a temporary file in the same folder, which must exist, and rename it to `path`. A link at `path`
    is replaced, not followed. The folder itself is not synced: see `sync_folder`.

    `mode`: exactly this, whatever the umask. `temporary`: the name of the temporary file, if only one process at a time
    writes there: a crash then leaves at most one, which the next write removes. By default it is `.NAME.PID.HEX.tmp`,
    for concurrent writers. `durable`: the data is on the disk before the file has its name, so that after a power cut
    all of the old content or all of the new is there. `only_new`: FileExistsError if the path exists by now.
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
    except BaseException:  # also on KeyboardInterrupt, so that no temporary file stays
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
    """Writes all of it: one `os.write` may take less."""
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
    """A link, unlike a rename, never replaces a file that has appeared meanwhile."""
    try:
        os.link(temporary, path, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.rename(temporary, path)
        return
    os.unlink(temporary)


def _forget(temporary: str) -> None:
    with suppress(OSError):  # the file system has become read-only meanwhile
        os.unlink(temporary)
