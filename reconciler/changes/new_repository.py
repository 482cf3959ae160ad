"""Make a fleet's repository: beside its place and then moved there whole, or in an existing folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reconciler.changes.commit import commit_files, must_have_identity, write_files
from reconciler.errors import MosaicError, Refused, Usage
from reconciler.git.location import parse_place
from reconciler.git.process import run_as_operator
from reconciler.git.refs import find_repo
from reconciler.git.worktree import LOCAL_S, WorkTree, edit_lock, open_worktree, tracked_of
from reconciler.helpers.atomic_files import read_optional
from specs.dataclass import dataclass, replace

SPECS = ("roster.yaml", "fleet.yaml", "NORTH_STAR.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class InitTarget:
    """Where a fleet is to be. `files` are the spec files that are there; `kind`: nothing, a folder, a repository."""

    path: Path
    kind: str
    files: Mapping[str, bytes]


def inspect_target(spec: str) -> InitTarget:
    """Raises Usage for what is not a folder of this machine, Refused if git does not know whose commit it would be,
    MosaicError for what cannot be read or written."""
    place = parse_place(spec)
    if place.path is None:
        raise Usage(f"{place.shown} is not a folder", help="make the fleet in a folder, and push it there afterwards")
    path = Path(os.path.normpath(place.path))
    if path.exists() and not path.is_dir():
        raise Usage(f"{path} is not a folder")
    above = path
    while not above.is_dir():
        above = above.parent
    if not os.access(above, os.W_OK | os.X_OK):
        raise MosaicError(f"{above} cannot be written by you", help="choose another place for the fleet")
    must_have_identity(above)
    if not path.exists():
        return InitTarget(path=path, kind="nothing", files={})
    repo = find_repo(path)
    if repo is not None and repo.worktree is None:
        raise Usage(f"{path} is a bare repository", help="make the fleet in a folder, and push it there afterwards")
    try:
        found = {name: read_optional(path / name) for name in SPECS}
    except OSError as error:
        raise MosaicError(f"{error.filename} cannot be read: {error.strerror}") from error
    files = {name: data for name, data in found.items() if data is not None}
    return InitTarget(path=path, kind="folder" if repo is None else "repository", files=files)


def create_repository(target: InitTarget, files: Mapping[str, bytes], message: str) -> tuple[str, str]:
    """Write the files (paths below the folder) and commit exactly them: the commit, and its branch.

    If that fails, or is interrupted, everything is as before: no folder, no repository, no file. Raises MosaicError.
    """
    if target.kind == "nothing":
        with _beside(target.path) as folder:
            _init(folder)
            made = _commit(folder, files, message)
            os.rename(folder, target.path)
        return made
    if target.kind == "repository":
        return _commit(target.path, files, message)
    try:
        _init(target.path)
        return _commit(target.path, files, message)
    except BaseException:
        shutil.rmtree(target.path / ".git", ignore_errors=True)  # it was made a moment ago
        raise


def write_fleet_files(target: InitTarget, files: Mapping[str, bytes]) -> None:
    """Write the files, and make no commit and no repository. Raises MosaicError; then everything is as before, but for
    the folder."""
    tree = WorkTree(
        root=target.path,
        git_dir=target.path / ".git",
        branch="",
        files={name: data for name in files if (data := read_optional(target.path / name)) is not None},
        paths={name: name for name in (*SPECS, *files)},
        committed={},
        dirty=frozenset(),
        tracked=frozenset(),
    )
    write_files(tree, files)


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A folder next to `path`, which is gone afterwards unless it was moved away; and so are the folders above it."""
    above = [folder for folder in path.parents if not folder.exists()]
    folder = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise MosaicError(f"{folder} cannot be made: {error.strerror or error}") from error
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        for one in above:
            if one.exists() and not any(one.iterdir()):
                one.rmdir()
        raise


def _init(folder: Path) -> None:
    """With the branch that the operator's git begins with, or main."""
    configured = run_as_operator(["config", "--get", "init.defaultBranch"], cwd=folder, timeout_s=LOCAL_S, ok=(0, 1))
    branch = [] if configured.out.strip() else ["--initial-branch=main"]
    run_as_operator(["init", "--quiet", *branch], cwd=folder, timeout_s=LOCAL_S)


def _commit(folder: Path, files: Mapping[str, bytes], message: str) -> tuple[str, str]:
    repo = find_repo(folder)
    if repo is None:
        raise MosaicError(f"git made no repository in {folder}")
    with edit_lock(repo.git_dir):
        tree = open_worktree(repo, ref=None, roster=False)
        mixed = sorted(tree.dirty & files.keys() & tree.committed.keys())
        if mixed:
            raise Refused(
                f"there are edits in {' and '.join(mixed)} that are not committed, and they would go into this commit "
                f"({folder})",
                help=f"look at them (git -C {folder} diff HEAD), then commit them or discard them",
            )
        return commit_files(_with_others(tree, files), files, message), tree.branch


def _with_others(tree: WorkTree, files: Mapping[str, bytes]) -> WorkTree:
    """The tree as one that knows of every file that is to be written, and of what git has not heard of."""
    paths = {**{name: name for name in files}, **tree.paths}
    there = {name: read_optional(tree.root / path) for name, path in paths.items()}
    return replace(
        tree,
        paths=paths,
        files={name: data for name, data in there.items() if data is not None},
        tracked=tracked_of(tree.root, paths),
    )
