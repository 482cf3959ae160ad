"""Our own files on a file system that may hang, because somebody has mounted it over one of our folders.

Where all of `$MOSAIC_HOME` lies on such a file system there is nothing to look at without it, and its files are read
directly. Anything mounted further down is a part of it: what is in there is read by a process that may be left behind,
so that only what needs it waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from providers.filesystem.mounts import Mounts

T = TypeVar("T")


class FarFiles:
    """Of one look: a file system that gives no answer is asked once."""

    def __init__(self, home: str, mounts: Mounts | None = None) -> None:
        self._mounts = mounts or Mounts()
        self._home = self._mounts.far(home)
        self._known: dict[str, str] = {}
        self._silent: set[str] = set()

    def is_far(self, path: str) -> bool:
        """Whether it has to be asked for by `ask`. That takes no system call where nothing of this kind is mounted."""
        return self._mounts.any_far and bool(self._mount(path))

    @property
    def none(self) -> bool:
        """Nothing that may hang is mounted at all."""
        return not self._mounts.any_far

    def may_hang(self, path: str) -> bool:
        """As `is_far`, of a path that is not below `$MOSAIC_HOME`: who looks there does not depend on it."""
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
