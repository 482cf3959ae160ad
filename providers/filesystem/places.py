"""What is at paths that the fleet does not own. The caller never hangs: a process that we may leave behind looks at a
file system that may hang (see `bounded_look.py`); all else is looked at directly, without a process."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from errno import EINVAL, ELOOP, ENOENT, ENOTDIR
from functools import partial

from providers.host import PathState

_Seen = tuple[int, bool, bool]  # mode, may be read (a folder: entered), may be executed


def at(paths: Iterable[str], may_hang: Callable[[str], bool]) -> dict[str, PathState]:
    """By path, in their order. Never raises."""
    wanted = list(paths)
    answers: dict[str, _Seen | OSError] = {}
    far: list[str] = []
    for path in wanted:
        if may_hang(path):
            far.append(path)
        else:
            answers[path] = _seen(path)
    if far:
        from providers.filesystem.bounded_look import ask

        answers |= ask({path: partial(_see, path) for path in far})
    return {path: _place(answers[path]) for path in wanted}


def _seen(path: str) -> _Seen | OSError:
    try:
        return _see(path)
    except OSError as error:
        return error
    except ValueError as error:  # a path with a NUL in it
        return OSError(EINVAL, str(error))


def _see(path: str) -> _Seen:
    mode = os.stat(path).st_mode
    runs = os.access(path, os.X_OK)
    return mode, runs if stat.S_ISDIR(mode) else os.access(path, os.R_OK), runs


def _place(seen: _Seen | OSError) -> PathState:
    if isinstance(seen, OSError):
        if seen.errno in (ENOENT, ENOTDIR):
            return PathState(kind="nothing")
        if seen.errno == ELOOP:
            return PathState(kind="other", why="its symbolic links form a loop")
        return PathState(kind="unclear", why=seen.strerror or str(seen))
    mode, usable, runs = seen
    if stat.S_ISDIR(mode):
        return PathState(kind="folder", usable=usable, why="" if usable else "it may not be entered")
    if stat.S_ISREG(mode):
        return PathState(kind="file", usable=usable, runs=runs, why="" if usable else "it may not be read")
    return PathState(kind="other", why="it is neither a folder nor a regular file")
