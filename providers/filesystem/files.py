"""Files of the host: read so that "absent" differs from "unreadable", and written whole."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from errno import EEXIST, ENOTEMPTY, ESTALE

from providers.base import ObserveError
from providers.filesystem import atomic_write
from providers.filesystem.atomic_write import replace_file
from providers.filesystem.guarded_read import NotRegularError, TooLargeError, kind_of, read_regular, read_with_mode
from providers.host import FileState

MAX_BYTES = 4 << 20
A_FOLDER = FileState(odd=kind_of(stat.S_IFDIR))


def state(path: str) -> FileState | None:
    """None: certainly absent. Raises ObserveError."""
    try:
        return _state(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ObserveError(f"{path} cannot be read: {error.strerror}") from error


def plain_state(path: str) -> tuple[str, int, str | None, bytes | None] | None:
    """The same as plain values, in the order of `FileState`. Raises OSError."""
    try:
        seen = _state(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return None if seen is None else (seen.content, seen.mode, seen.odd, seen.raw)


def read_switch(path: str) -> bytes:
    """The text of the kill switch: its first 4096 bytes. The file only has to exist, so a FIFO or a device has no text
    and nobody waits for it. Raises OSError, also for a folder."""
    try:
        return read_regular(path, limit=4096, cut=True)
    except NotRegularError as error:
        if stat.S_ISDIR(error.mode):
            raise
        return b""


def _state(path: str) -> FileState | None:
    try:
        data, seen = read_with_mode(path, limit=MAX_BYTES, follow=False)
    except NotRegularError as error:
        return FileState(odd=kind_of(error.mode))
    except TooLargeError as error:
        return FileState(odd=f"a file of {error.size} bytes")
    mode = stat.S_IMODE(seen)
    try:
        return FileState(content=data.decode(), mode=mode)
    except UnicodeDecodeError:
        # As \xNN: printable, and different from what we would write.
        return FileState(content=data.decode("utf-8", "backslashreplace"), mode=mode, raw=data)


def write(path: str, content: str, mode: int, known: tuple[str, ...] | None = None) -> bool:
    """Write a file whole, and create its folders (mode 0700) if needed; False if it was so already. Raises OSError.

    `known`: see the step of that name. The folder is not synced: see `sync_folder`.
    """
    data = content.encode("utf-8", "surrogateescape")
    try:
        if _same(path, data, mode):
            return False
    except OSError:
        pass  # rewritten below; if that also fails, report that error
    there = known is None or _may_change(path, (*known, hashlib.sha256(data).hexdigest()))
    folder, name = os.path.split(path)
    _make_folders(folder)
    replace_file(path, data, mode=mode, temporary=f".{name}.mosaic-new", only_new=not there)
    return True


def delete(path: str, *, folder: bool = False, known: tuple[str, ...] | None = None) -> bool:
    """Remove a file, and with `folder` also its folder, unless that has other files. False if the file did not exist.
    Raises OSError. `known`: see the step of that name."""
    did = True
    if known is not None:
        _may_change(path, known)
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        did = False
    if folder:
        try:
            os.rmdir(os.path.dirname(path))
            did = True
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            if error.errno not in (ENOTEMPTY, EEXIST):
                raise
    return did


def keep(path: str, kept: str, digest: str) -> bool:
    """Give a file a second name; False if it had it already. Raises OSError if the file's content has changed, or if
    another file has that name."""
    data, mode = _regular(path)
    if hashlib.sha256(data).hexdigest() != digest:
        raise OSError(ESTALE, "it has changed since it was looked at")
    try:
        os.link(path, kept, follow_symlinks=False)
    except FileExistsError:
        if hashlib.sha256(_regular(kept)[0]).hexdigest() != digest:
            raise
        return False
    except OSError:  # not every file system has hard links, and not every file may have one
        write(kept, data.decode("utf-8", "surrogateescape"), mode, known=())
    return True


def sync_folder(folder: str) -> None:
    """Make renames and removals in a folder survive a power cut, unless it is gone itself. Raises OSError."""
    with suppress(FileNotFoundError):
        atomic_write.sync_folder(folder)


def _same(path: str, data: bytes, mode: int) -> bool:
    found, seen = read_with_mode(path, limit=len(data), follow=False)
    return found == data and stat.S_IMODE(seen) == mode


def _regular(path: str) -> tuple[bytes, int]:
    """Content and mode of a regular file, whole. Raises OSError for anything else."""
    try:
        data, seen = read_with_mode(path, follow=False)
    except NotRegularError as error:
        raise OSError(EEXIST, f"{kind_of(error.mode)} is there") from error
    return data, stat.S_IMODE(seen)


def _may_change(path: str, known: tuple[str, ...]) -> bool:
    """Whether the file exists, with content that may be changed. Raises OSError if its content may not."""
    try:
        data, _ = _regular(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    if hashlib.sha256(data).hexdigest() not in known:
        raise OSError(ESTALE, "it has changed since it was looked at")
    return True


def _make_folders(folder: str) -> None:
    if os.path.isdir(folder) or not folder:
        return
    _make_folders(os.path.dirname(folder))
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        if not os.path.isdir(folder):
            raise
