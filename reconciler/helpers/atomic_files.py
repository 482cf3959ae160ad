"""Files that survive a crash: written whole, appended with fsync, private to this user.

Guarantee of `write_atomic`: after a power cut the path holds either all of the old content or all of the new. Every
function raises OSError (no space, read-only, permissions) and then leaves the old content as it was; `filename` is what
could not be written or made, as people know it, also where it is the disk that fails and not a name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from providers.base import Parsed
from providers.filesystem import atomic_write
from providers.filesystem.guarded_read import read_regular

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Whatever the disk refuses in here is said of `path`: of a write or an fsync the kernel names no file, and nobody
    knows the temporary ones."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def make_folder(path: Path, mode: int = PRIVATE_FOLDER) -> Path:
    """Make `path` and the missing folders above it, each with `mode`; existing ones keep theirs. Returns `path`."""
    missing = []
    folder = path
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for folder in reversed(missing):
        try:
            folder.mkdir(mode=mode)
        except FileExistsError:  # made by somebody else meanwhile; a file in its place fails below, with its name
            continue
        folder.chmod(mode)  # the umask may have taken bits away from mkdir's mode
    if missing and not path.is_dir():
        raise NotADirectoryError(f"{path} is not a folder")
    return path


def write_atomic(path: Path, content: str | bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Replace `path` with `content`: temporary file in the same folder, fsync, rename, fsync of the folder.

    The folder is made if need be. A symlink at `path` is replaced, not followed.
    """
    data = content.encode() if isinstance(content, str) else content
    make_folder(path.parent)
    with about(path):
        atomic_write.replace_file(str(path), data, mode=mode)
        sync_folder(path.parent)


def append_synced(path: Path, content: str | bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Append `content` and fsync; the file is made if need be. If it cannot be written whole, what was written of it
    is cut off again, so that only a crash can leave a torn end."""
    data = content.encode() if isinstance(content, str) else content
    make_folder(path.parent)
    with about(path):
        new = not path.exists()
        _append(path, data, mode)
        if new:
            sync_folder(path.parent)


def _append(path: Path, data: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, mode)
    try:
        before = os.fstat(descriptor).st_size
        try:
            atomic_write.write_all(descriptor, data)
            os.fsync(descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, before)
            raise
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Make renames and new names in the folder durable."""
    atomic_write.sync_folder(str(path))


def read_optional(path: Path) -> bytes | None:
    """The content, or None if there is no such file. Any other failure raises OSError: unreadable is not absent, and
    neither is what is not a regular file."""
    try:
        return read_regular(path)
    except FileNotFoundError:
        return None


def set_aside(path: Path, *, word: str = "corrupt") -> Path:
    """Give what stands at `path` another name, `NAME.corrupt` or the first number behind it that is free; the newest
    file of that name is replaced. Raises OSError."""
    kept = path.with_name(f"{path.name}.{word}")
    number = 1
    while kept.is_dir() or (os.path.lexists(kept) and path.is_dir()):
        kept = path.with_name(f"{path.name}.{word}.{number}")
        number += 1
    path.rename(kept)
    return kept


def write_cache(path: Path, content: str | bytes, *, mode: int = PRIVATE_FILE) -> None:
    """`write_atomic` for what can be made again: a folder in the place of the file is set aside. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        set_aside(path)
    write_atomic(path, content, mode=mode)


def discard(path: Path) -> None:
    """Remove whatever is there: a folder with all that is in it, or anything else. Raises OSError."""
    import shutil

    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def parse_json(data: bytes) -> Parsed:
    """`json.loads`, whose only failure is ValueError: also of brackets that are nested too deep to follow."""
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def loose_permissions(path: Path) -> str | None:
    """Why this file cannot be trusted to say whom to trust (somebody else may write it), or None if it can.

    Raises FileNotFoundError and OSError like `stat`.
    """
    seen = path.stat()
    if seen.st_uid not in (0, os.geteuid()):
        return f"{path} belongs to another user (uid {seen.st_uid})"
    if seen.st_mode & 0o022:
        return f"{path} can be written by others (mode {seen.st_mode & 0o7777:04o})"
    return None
