"""Our own files on a file system that may hang, because somebody has mounted it over one of our folders.

If all of `$MOSAIC_HOME` is on such a file system, nothing works without it, and its files are read directly. Anything
mounted further down is only a part: a process that we may leave behind reads it, so that only what needs it waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from providers.filesystem.mounts import Mounts

T = TypeVar("T")


class FarFiles:
    """For one look: a file system that gives no answer is asked once."""

    def __init__(self, home: str, mounts: Mounts | None = None) -> None:
        self._mounts = mounts or Mounts()
        self._home = self._mounts.far(home)
        self._known: dict[str, str] = {}
        self._silent: set[str] = set()

    def is_far(self, path: str) -> bool:
        """Whether `path` must be read through `ask`. Needs no system call if no mounted file system may hang."""
        return self._mounts.any_far and bool(self._mount(path))

    @property
    def none(self) -> bool:
        """Whether no mounted file system may hang."""
        return not self._mounts.any_far

    def may_hang(self, path: str) -> bool:
        """As `is_far`, for a path outside `$MOSAIC_HOME`: its readers do not depend on it."""
        return self._mounts.far(path) is not None

    def ask(self, path: str, question: Callable[[], T]) -> T:
        """See `bounded_look.ask`. Raises OSError."""
        from providers.filesystem.bounded_look import NoAnswerError, ask_one

        mount = self._mount(path)
        if mount in self._silent:
            raise NoAnswerError(f"{mount} gives no answer")
        try:
            return ask_one(path, question)
        except NoAnswerError:
            self._silent.add(mount)
            raise

    def _mount(self, path: str) -> str:
        if path not in self._known:
            mount = self._mounts.far(path)
            self._known[path] = str(mount) if mount is not None and mount != self._home else ""
        return self._known[path]
