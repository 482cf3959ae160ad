"""Read the operator's own working tree: whether a commit is possible now, what is committed, and what is not."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from providers.filesystem.guarded_read import read_regular
from reconciler.errors import Locked, MosaicError, NotFound, Refused
from reconciler.git.dirty import folder_files
from reconciler.git.objects import FILES
from reconciler.git.process import GitOutput, run_as_operator
from reconciler.git.refs import LocalRepo, under_way
from specs.dataclass import dataclass

LOCAL_S = 30.0  # seconds for a call that only reads
LOCK_WAIT_S = 30.0
_QUIET = {"GIT_OPTIONAL_LOCKS": "0"}  # a look at the index does not rewrite it


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTree:
    """`branch` is checked out at `root`. `files` are the spec files as they are there, `paths` their paths below the
    root (a symlink is followed), `committed` their content in HEAD. `dirty` are those that differ from HEAD or from the
    staged content, `hidden` those of them that git was told not to report, `tracked` those in git's index."""

    root: Path
    git_dir: Path
    branch: str
    files: Mapping[str, bytes]
    paths: Mapping[str, str]
    committed: Mapping[str, bytes]
    dirty: frozenset[str]
    tracked: frozenset[str]
    hidden: frozenset[str] = frozenset()


def open_worktree(repo: LocalRepo, *, ref: str | None, roster: bool = True, also: Sequence[str] = ()) -> WorkTree:
    """`also`: paths of files besides a fleet's own; `committed` does not have them.

    Raises Refused where nobody would want a commit: no branch, another one than `ref` (None: any), an operation half
    done. Raises NotFound without a roster (unless `roster` is false), MosaicError if it cannot be read.
    """
    root = repo.worktree
    if root is None:
        raise Refused(f"{repo.path} is a bare repository: there are no files to edit in it")
    branch = _branch(repo, root, ref)
    doing = under_way(repo)
    if doing is not None:
        what, way = doing
        raise Refused(f"{what} in {root}", help=f"finish it first: {way}")
    below = [name for name in folder_files(root) if not (root / name).is_dir()]  # git does not track folders
    paths = {name: _below(root, name) for name in (*FILES, *below, *also)}
    files = {name: data for name, path in paths.items() if (data := _read(root / path)) is not None}
    if roster and "roster.yaml" not in files:
        raise NotFound(f"{root} has no roster.yaml", help=f"make a fleet there: mosaic fleet init {root}")
    committed = _committed(root)
    hidden = _hidden(root, {name: path for name, path in paths.items() if name not in also}, files, committed)
    return WorkTree(
        root=root,
        git_dir=repo.git_dir,
        branch=branch,
        files=files,
        paths=paths,
        committed=committed,
        dirty=_dirty(root, paths) | hidden,
        hidden=hidden,
        tracked=tracked_of(root, paths),
    )


@contextmanager
def edit_lock(git_dir: Path) -> Iterator[None]:
    """Allow one change at a time: without this, the second of two would undo the first. Raises Locked after 30 s."""
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
        head = read_regular(repo.git_dir / "HEAD").decode(errors="replace").strip()
    except OSError as error:
        raise MosaicError(f"{repo.git_dir / 'HEAD'} cannot be read: {error.strerror or error}") from error
    rebasing = any((repo.git_dir / name).exists() for name in ("rebase-merge", "rebase-apply"))
    if head.startswith("ref: refs/heads/"):
        branch = head.removeprefix("ref: refs/heads/")
    elif rebasing:
        branch = ""  # the caller reports what it is
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
    """The file's path, a symlink followed while it stays in the tree."""
    from reconciler.git.links import inside

    return inside(root, name) or name


def _read(path: Path) -> bytes | None:
    from reconciler.helpers.atomic_files import read_optional

    try:
        return read_optional(path)
    except OSError as error:
        raise MosaicError(f"{path} cannot be read: {error.strerror or error}") from error


def _committed(root: Path) -> Mapping[str, bytes]:
    from reconciler.git.mirror import Checkout

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


def _hidden(
    root: Path, paths: Mapping[str, str], files: Mapping[str, bytes], committed: Mapping[str, bytes]
) -> frozenset[str]:
    """The files whose changes git does not report (assume-unchanged, skip-worktree), and that differ from HEAD."""
    from reconciler.git.conversion import blob_of, marks
    from reconciler.git.dirty import blob_id

    def ask(args: Sequence[str], stdin: bytes = b"") -> GitOutput:
        return run_as_operator(args, cwd=root, timeout_s=LOCAL_S, env=_QUIET, stdin=stdin)

    differ = [name for name, data in files.items() if name in paths and data != committed.get(name)]
    if not differ:
        return frozenset()
    known = marks(ask, [f":(top,literal){paths[name]}" for name in differ])
    quiet = [name for name in differ if known.get(paths[name], "H") not in "HMRCK"]

    def is_edit(name: str) -> bool:
        before = committed.get(name)
        now = blob_of(ask, paths[name], files[name])
        return before is None or now != blob_id(before, len(now))

    return frozenset(name for name in quiet if is_edit(name))


def tracked_of(root: Path, paths: Mapping[str, str]) -> frozenset[str]:
    """The names whose paths are in git's index. Raises GitFailed."""
    words = [f":(top,literal){path}" for path in paths.values()]
    out = run_as_operator(["ls-files", "-z", "--", *words], cwd=root, timeout_s=LOCAL_S, env=_QUIET).out
    known = {os.fsdecode(row) for row in out.split(b"\0") if row}
    return frozenset(name for name, path in paths.items() if path in known)
