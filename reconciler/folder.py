"""The files of a fleet as they stand in a folder, committed or not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

MAX_BYTES = 1024 * 1024  # of one file; the loader refuses what is longer


def read_folder(path: Path) -> dict[str, bytes]:
    """Everything that a fleet is made of, by its path below the folder; `path` may be a file of its root, too. Raises
    NotFound for what is no folder, MosaicError for what cannot be read."""
    from reconciler.dirty import folder_files
    from reconciler.errors import NotFound
    from specs.load import FILES

    folder = path.parent if path.name in FILES and path.is_file() else path
    if not folder.is_dir():
        raise NotFound(f"{path} is not a folder", help="give the folder that has roster.yaml in it")
    read = {name: read_file(folder / name) for name in (*FILES, *folder_files(folder))}
    return {name: data for name, data in read.items() if data is not None}


def read_file(path: Path) -> bytes | None:
    """The beginning of a file, as far as anybody looks at one; None if there is none.

    Raises MosaicError for what cannot be read, or is no file: a FIFO would be waited for."""
    from reconciler.errors import MosaicError

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise MosaicError(f"{path} cannot be read: it is no regular file", help="move it away")
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MosaicError(f"{path} cannot be read: {error.strerror or error}") from error


@contextmanager
def fleet_folder(fleet: str | None, environ: Mapping[str, str]) -> Iterator[Path | None]:
    """The working tree of the fleet's repository as it stands; one without a working tree is cloned for as long as this
    lasts. None if nobody named a fleet. Raises NotFound, Usage and what reaching a repository raises."""
    from reconciler.change import gather_here, target

    facts, settings = gather_here()
    goal = target(fleet, settings, facts, environ)
    repo = goal.place.repo() if goal is not None else None
    if goal is None:
        yield None
    elif repo is not None and repo.worktree is not None:
        yield repo.worktree
    else:
        from reconciler.borrowed import borrowed

        with borrowed(goal.place, goal.ref, timeout_s=settings.fetch_timeout) as copy:
            yield copy.path
