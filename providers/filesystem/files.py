"""Files of the host: read so that "absent" differs from "unreadable", and written whole."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from errno import EEXIST, ELOOP, ENOTEMPTY, ENXIO, ESTALE

from providers.base import ObserveError
from providers.host import FileState

MAX_BYTES = 4 << 20
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC
_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFLNK: "a symbolic link", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


def state(path: str) -> FileState | None:
    """None: certainly not there. Raises ObserveError."""
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


def _state(path: str) -> FileState | None:
    try:
        fd = os.open(path, _READ)
    except OSError as error:
        if error.errno not in (ELOOP, ENXIO):  # what O_NOFOLLOW says of a link, and open() of a socket
            raise
        return FileState(odd=_KINDS.get(stat.S_IFMT(os.lstat(path).st_mode), "not a regular file"))
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            return FileState(odd=_KINDS.get(stat.S_IFMT(info.st_mode), "not a regular file"))
        if info.st_size > MAX_BYTES:
            return FileState(odd=f"a file of {info.st_size} bytes")
        data, mode = os.read(fd, 1 << 16), stat.S_IMODE(info.st_mode)
        if len(data) != info.st_size:
            parts = [data]
            while part := os.read(fd, 1 << 16):
                parts.append(part)
            data = b"".join(parts)
        try:
            return FileState(content=data.decode(), mode=mode)
        except UnicodeDecodeError:
            # As \xNN: printable, and different from what we would write.
            return FileState(content=data.decode("utf-8", "backslashreplace"), mode=mode, raw=data)
    finally:
        os.close(fd)


def write(path: str, content: str, mode: int, known: tuple[str, ...] | None = None) -> bool:
    """Write a file whole, and its folders (mode 0700) if need be; False if it was so already. Raises OSError.

    `known`: see the step of that name. The name of the temporary file is fixed, so that a crash leaves at most one
    behind, which the next write removes.
    """
    data = content.encode("utf-8", "surrogateescape")
    try:
        if _same(path, data, mode):
            return False
    except OSError:
        pass  # it is written again; if that fails too, that error is the one to tell
    there = known is None or _may_change(path, (*known, hashlib.sha256(data).hexdigest()))
    folder, name = os.path.split(path)
    _make_folders(folder)
    temporary = os.path.join(folder, f".{name}.mosaic-new")
    with suppress(FileNotFoundError):
        os.unlink(temporary)
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            os.fchmod(fd, mode)
            os.fsync(fd)
        finally:
            os.close(fd)
        if there:
            os.rename(temporary, path)
        else:
            _put_where_nothing_is(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    return True


def delete(path: str, *, folder: bool = False, known: tuple[str, ...] | None = None) -> bool:
    """Remove a file, and with `folder` the folder that it was in, unless something else is in there. False if nothing
    was there to remove. Raises OSError. `known`: see the step of that name."""
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
    """Give a file a second name; False if it had it already. Raises OSError, if the file has another content by now or
    another one has that name, too."""
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
    """Make renames and removals in a folder survive a power cut. Raises OSError."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _same(path: str, data: bytes, mode: int) -> bool:
    fd = os.open(path, _READ)
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode) or info.st_size != len(data) or stat.S_IMODE(info.st_mode) != mode:
            return False
        return os.read(fd, len(data) + 1) == data
    finally:
        os.close(fd)


def _regular(path: str) -> tuple[bytes, int]:
    """Content and mode of a regular file, whole. Raises OSError for anything else."""
    fd = os.open(path, _READ)
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise OSError(EEXIST, f"{_KINDS.get(stat.S_IFMT(info.st_mode), 'something else')} is there")
        parts = []
        while part := os.read(fd, 1 << 16):
            parts.append(part)
        return b"".join(parts), stat.S_IMODE(info.st_mode)
    finally:
        os.close(fd)


def _may_change(path: str, known: tuple[str, ...]) -> bool:
    """Whether something is there, which is one of those that may be changed. Raises OSError if it is not."""
    try:
        data, _ = _regular(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    if hashlib.sha256(data).hexdigest() not in known:
        raise OSError(ESTALE, "it has changed since it was looked at")
    return True


def _put_where_nothing_is(temporary: str, path: str) -> None:
    """Unlike a rename, a link never takes the place of what has come meanwhile."""
    try:
        os.link(temporary, path, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.rename(temporary, path)
        return
    os.unlink(temporary)


def _make_folders(folder: str) -> None:
    if os.path.isdir(folder) or not folder:
        return
    _make_folders(os.path.dirname(folder))
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        if not os.path.isdir(folder):
            raise
