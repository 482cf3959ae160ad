"""Find a fleet's file in its repository, following links as git follows them in a commit."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from specs.fleet_files import FOLDERS

if TYPE_CHECKING:
    from reconciler.errors import MosaicError


_MOST_LINKS = 40  # on the way to a file, as in git


def inside(root: Path, name: str) -> str | None:
    """The path of a fleet's file or folder below `root`, links followed as git follows them in a commit; None if it
    does not exist. Raises Refused, InvalidConfig."""
    from reconciler.errors import InvalidConfig, Refused
    from reconciler.git.objects import TreeEntry, folder_problem, problem_of

    kind, place = _follow(root, name)
    entry = TreeEntry(kind, place, 0)
    problem = folder_problem(name, entry) if name in FOLDERS else problem_of(name, entry)
    if problem:
        error = Refused if kind == "symlink" else InvalidConfig
        raise error(problem, where=str(root / name), help="correct the file and commit")
    return place if kind in ("blob", "tree") else None


def _follow(root: Path, name: str) -> tuple[str, str]:
    """The kind of the target, in git's words (see `objects.Entry`), and its path."""
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
    # git cannot commit a folder without a file in it.
    return ("tree" if any(files for _, _, files in os.walk(root / place)) else "missing"), place


def unreadable(path: Path, error: OSError) -> MosaicError:
    """The error of a file that cannot be read, with the reason."""
    from reconciler.errors import MosaicError

    return MosaicError(f"{path} cannot be read: {error.strerror or error}", help="put it right, or move it away")
