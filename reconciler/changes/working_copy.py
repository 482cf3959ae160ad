"""The files of a fleet as they are in a folder, committed or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from providers.filesystem.guarded_read import read_regular
from reconciler.git.links import inside, unreadable
from specs.fleet_files import FILES, FOLDERS

if TYPE_CHECKING:
    pass

MAX_BYTES = 1024 * 1024  # of one file; the loader refuses what is longer


def read_folder(path: Path) -> dict[str, bytes]:
    """Everything that a fleet is made of, by its path below the folder; `path` may be a file of its root, too. A link
    is followed as the host follows one: inside the folder, or not at all.

    Raises NotFound unless it is a folder, Refused for a link that leaves it, InvalidConfig for what a commit could not
    have either, MosaicError for what cannot be read."""
    from reconciler.errors import NotFound
    from reconciler.git.dirty import folder_files

    folder = path.parent if path.name in FILES and path.is_file() else path
    if not folder.is_dir():
        raise NotFound(f"{path} is not a folder", help="give the folder that has roster.yaml in it")
    for name in FOLDERS:
        inside(folder, name)
    read = {name: read_inside(folder, name) for name in (*FILES, *folder_files(folder))}
    return {name: data for name, data in read.items() if data is not None}


def read_inside(root: Path, name: str) -> bytes | None:
    """The beginning of a file below `root`, as far as anybody looks at one; None if there is none. Raises as
    `read_folder`."""
    place = inside(root, name)
    return None if place is None else read_file(root / place)


def read_file(path: Path) -> bytes | None:
    """The beginning of a file, as far as anybody looks at one; None if there is none.

    Raises MosaicError for what cannot be read, or is not a file: a FIFO would be waited for."""
    try:
        return read_regular(path, limit=MAX_BYTES + 1, cut=True)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(path, error) from error


@contextmanager
def fleet_folder(fleet: str | None, environ: Mapping[str, str], *, tree: bool = False) -> Iterator[Path | None]:
    """The folder with the fleet's files as they stand: one that was named or that somebody stands in, in a repository
    or not; else the fleet's working tree. A repository without one is cloned for as long as this lasts, unless `tree`
    asks for a real one. None if nobody named a fleet. Raises NotFound, Usage, Refused and what reaching a repository
    raises."""
    from reconciler.changes.make_change import gather_here, target
    from reconciler.errors import NotFound, Refused

    if fleet is not None and Path(fleet).name in FILES and Path(fleet).is_file():
        fleet = str(Path(fleet).parent)  # one of its files
    facts, settings = gather_here()
    goal = target(fleet, settings, facts, environ, files=True)
    if goal is None:
        yield None
        return
    try:
        repo = goal.place.repo()
    except NotFound:
        if goal.place.path is None or not goal.place.path.is_dir():
            raise
        yield goal.place.path
        return
    if repo is not None and repo.worktree is not None:
        yield repo.worktree
    elif tree:
        raise Refused(f"{goal.place.shown} has no working tree to write into", help="give the PATH of one")
    else:
        from reconciler.git.temporary_clone import temporary_clone_of

        with temporary_clone_of(goal.place, goal.ref, timeout_s=settings.fetch_timeout) as copy:
            yield copy.path
