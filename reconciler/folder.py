"""The files of a fleet as they stand in a folder, committed or not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from providers.reading import read_regular
from specs.load import FOLDERS

if TYPE_CHECKING:
    from reconciler.errors import MosaicError

MAX_BYTES = 1024 * 1024  # of one file; the loader refuses what is longer
_MOST_LINKS = 40  # on the way to a file, as in git


def read_folder(path: Path) -> dict[str, bytes]:
    """Everything that a fleet is made of, by its path below the folder; `path` may be a file of its root, too. A link
    is followed as the host follows one: inside the folder, or not at all.

    Raises NotFound for what is no folder, Refused for a link that leaves it, InvalidConfig for what a commit could not
    have either, MosaicError for what cannot be read."""
    from reconciler.dirty import folder_files
    from reconciler.errors import NotFound
    from specs.load import FILES

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


def inside(root: Path, name: str) -> str | None:
    """Where a file or folder of a fleet is below `root`, links followed as git follows them in a commit; None if there
    is none. Raises Refused, InvalidConfig."""
    from reconciler.commit import Entry, folder_problem, problem_of
    from reconciler.errors import InvalidConfig, Refused

    kind, place = _follow(root, name)
    entry = Entry(kind, place, 0)
    problem = folder_problem(name, entry) if name in FOLDERS else problem_of(name, entry)
    if problem:
        error = Refused if kind == "symlink" else InvalidConfig
        raise error(problem, where=str(root / name), help="correct the file and commit")
    return place if kind in ("blob", "tree") else None


def _follow(root: Path, name: str) -> tuple[str, str]:
    """The kind of what a name leads to, in git's words (see `commit.Entry`), and where that is."""
    parts, done, links = name.split("/"), list[str](), 0
    while parts:
        part = parts.pop(0)
        if part in ("", "."):
            continue
        if part == "..":
            if not done:
                return "symlink", name
            done.pop()
            continue
        here = os.path.join(root, *done, part)
        try:
            mode = os.lstat(here).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return ("dangling" if links else "missing"), name
        except OSError as error:
            raise unreadable(Path(here), error) from error
        if stat.S_ISLNK(mode):
            links += 1
            if links > _MOST_LINKS:
                return "loop", name
            target = os.readlink(here)
            if target.startswith("/"):
                return "symlink", name
            parts = target.split("/") + parts
        elif parts and not stat.S_ISDIR(mode):
            return ("notdir" if links else "missing"), name
        else:
            done.append(part)
    place = "/".join(done)
    if not (root / place).is_dir():
        return "blob", place
    # A folder without a file in it is nothing that could be committed.
    return ("tree" if any(files for _, _, files in os.walk(root / place)) else "missing"), place


def read_file(path: Path) -> bytes | None:
    """The beginning of a file, as far as anybody looks at one; None if there is none.

    Raises MosaicError for what cannot be read, or is no file: a FIFO would be waited for."""
    try:
        return read_regular(path, limit=MAX_BYTES + 1, cut=True)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> MosaicError:
    """The error of a file that cannot be read, with the reason."""
    from reconciler.errors import MosaicError

    return MosaicError(f"{path} cannot be read: {error.strerror or error}", help="put it right, or move it away")


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
