"""The operator's own working tree, as far as a change of the fleet is committed in it: whether that can be done now,
what is committed there, and what is not."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.commit import FILES
from reconciler.dirty import folder_files
from reconciler.errors import Locked, MosaicError, NotFound, Refused
from reconciler.git import run_as_operator
from reconciler.refs import LocalRepo

LOCAL_S = 30.0  # seconds for a call that only reads
LOCK_WAIT_S = 30.0
_BUSY = {
    "MERGE_HEAD": ("a merge is in progress", "git merge --continue or --abort"),
    "rebase-merge": ("a rebase is in progress", "git rebase --continue or --abort"),
    "rebase-apply": ("a rebase or `git am` is in progress", "git rebase --continue or --abort"),
    "CHERRY_PICK_HEAD": ("a cherry-pick is in progress", "git cherry-pick --continue or --abort"),
    "REVERT_HEAD": ("a revert is in progress", "git revert --continue or --abort"),
    "BISECT_LOG": ("a bisection is in progress", "git bisect reset"),
}
_QUIET = {"GIT_OPTIONAL_LOCKS": "0"}  # a look at the index does not rewrite it


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTree:
    """`branch` is checked out at `root`. `files` are the spec files as they stand there, `paths` where each is below
    the root (a symlink is followed), `committed` as HEAD has them; `dirty` are those that differ from HEAD or from what
    is staged, `tracked` those that git has heard of."""

    root: Path
    git_dir: Path
    branch: str
    files: Mapping[str, bytes]
    paths: Mapping[str, str]
    committed: Mapping[str, bytes]
    dirty: frozenset[str]
    tracked: frozenset[str]


def open_worktree(repo: LocalRepo, *, ref: str | None, roster: bool = True, also: Sequence[str] = ()) -> WorkTree:
    """`also`: paths of files beside those that a fleet is made of; `committed` does not have them.

    Raises Refused where nobody would want a commit made: no branch, another one than `ref` (None: any), something
    half done. Raises NotFound without a roster (unless `roster` is false), MosaicError if it cannot be read."""
    root = repo.worktree
    if root is None:
        raise Refused(f"{repo.path} is a bare repository: there are no files to edit in it")
    branch = _branch(repo, root, ref)
    for name, (what, way) in _BUSY.items():
        if (repo.git_dir / name).exists():
            raise Refused(f"{what} in {root}", help=f"finish it first: {way}")
    paths = {name: _below(root, name) for name in (*FILES, *folder_files(root), *also)}
    files = {name: data for name, path in paths.items() if (data := _read(root / path)) is not None}
    if roster and "roster.yaml" not in files:
        raise NotFound(f"{root} has no roster.yaml", help=f"make a fleet there: mosaic fleet init {root}")
    return WorkTree(
        root=root,
        git_dir=repo.git_dir,
        branch=branch,
        files=files,
        paths=paths,
        committed=_committed(root),
        dirty=_dirty(root, paths),
        tracked=tracked_of(root, paths),
    )


@contextmanager
def edit_lock(git_dir: Path) -> Iterator[None]:
    """One change at a time: without it, the second of two would undo the first. Raises Locked after 30 s."""
    try:
        folder = os.open(git_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise MosaicError(f"{git_dir} cannot be opened: {error.strerror or error}") from error
    try:
        deadline = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Locked(
                        f"another change of the fleet is being made in {git_dir}", help="try again when it is done"
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(folder)


def head_of(root: Path) -> str:
    """The commit that is checked out; "" before the first. Raises GitFailed."""
    args = ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]
    done = run_as_operator(args, cwd=root, timeout_s=LOCAL_S, ok=(0, 1))
    return done.out.decode("ascii", "replace").strip()


def _branch(repo: LocalRepo, root: Path, ref: str | None) -> str:
    try:
        head = (repo.git_dir / "HEAD").read_text(errors="replace").strip()
    except OSError as error:
        raise MosaicError(f"{repo.git_dir / 'HEAD'} cannot be read: {error.strerror or error}") from error
    rebasing = any((repo.git_dir / name).exists() for name in ("rebase-merge", "rebase-apply"))
    if head.startswith("ref: refs/heads/"):
        branch = head.removeprefix("ref: refs/heads/")
    elif rebasing:
        branch = ""  # told as what it is, by the caller
    else:
        raise Refused(
            f"no branch is checked out in {root} (HEAD is detached), so a commit would belong to none",
            help=f"git -C {root} switch {(ref or 'main').removeprefix('refs/heads/')}",
        )
    if branch and ref is not None and ref not in (branch, f"refs/heads/{branch}"):
        raise Refused(
            f"{root} has the branch {branch} checked out, and this host reconciles {ref}",
            help=f"git -C {root} switch {ref.removeprefix('refs/heads/')}, or change `ref` in reconcile.toml",
        )
    return branch


def _below(root: Path, name: str) -> str:
    """Where the file is, a symlink followed as far as it stays in the tree."""
    path = root / name
    if not path.is_symlink():
        return name
    try:
        return str(path.resolve(strict=True).relative_to(root.resolve()))
    except (OSError, ValueError) as error:
        raise Refused(f"{path} is a symlink that leads to no file of this repository") from error


def _read(path: Path) -> bytes | None:
    from reconciler.files import read_optional

    try:
        return read_optional(path)
    except OSError as error:
        raise MosaicError(f"{path} cannot be read: {error.strerror or error}") from error


def _committed(root: Path) -> Mapping[str, bytes]:
    from reconciler.checkout import Checkout

    if not head_of(root):
        return {}
    common = run_as_operator(["rev-parse", "--path-format=absolute", "--git-common-dir"], cwd=root, timeout_s=LOCAL_S)
    copy = Checkout(Path(os.fsdecode(common.out.rstrip(b"\n"))))
    return copy.files(copy.peel(head_of(root))[1])


def _dirty(root: Path, paths: Mapping[str, str]) -> frozenset[str]:
    args = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignored=matching", "--"]
    words = [f":(top,literal){path}" for path in paths.values()]
    out = run_as_operator([*args, *words], cwd=root, timeout_s=LOCAL_S, env=_QUIET).out
    seen = {os.fsdecode(row[3:]) for row in out.split(b"\0") if len(row) > 3}
    return frozenset(name for name, path in paths.items() if path in seen)


def tracked_of(root: Path, paths: Mapping[str, str]) -> frozenset[str]:
    """The names whose paths git has heard of. Raises GitFailed."""
    words = [f":(top,literal){path}" for path in paths.values()]
    out = run_as_operator(["ls-files", "-z", "--", *words], cwd=root, timeout_s=LOCAL_S, env=_QUIET).out
    known = {os.fsdecode(row) for row in out.split(b"\0") if row}
    return frozenset(name for name, path in paths.items() if path in known)
