"""Commit for a person: only the edited files, by that person's own git, with their hooks.

Killed at any point, each file is the old or the new one, whole. git itself takes care of its index: `git commit PATHS`
builds the commit beside it, so that what else is staged is neither committed nor lost.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from reconciler.errors import MosaicError, Refused, Unavailable
from reconciler.git.error_text import PROTOCOLS, key_lines, listed
from reconciler.git.process import GitFailed, run_as_operator
from reconciler.git.worktree import LOCAL_S, WorkTree, head_of
from reconciler.helpers.atomic_files import read_optional, write_atomic

COMMIT_S = 600.0  # hooks may run tests, and a signature may wait for a passphrase
PUSH_S = 120.0


def must_have_identity(folder: Path) -> None:
    """Raises Refused unless git knows whose commit it would be."""
    for which in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        if run_as_operator(["var", which], cwd=folder, timeout_s=LOCAL_S, ok=(0, 1, 128)).code:
            raise Refused(
                "git does not know who you are, and a commit has to say so",
                help='git config --global user.name "Your Name"; git config --global user.email you@your.host',
            )


def write_files(tree: WorkTree, files: Mapping[str, bytes]) -> None:
    """Replace files of the tree. Raises MosaicError; what was written before that is put back."""
    written: list[str] = []
    try:
        for name, data in files.items():
            written.append(name)
            _replace(tree, name, data)
    except BaseException:
        put_back(tree, {name: files[name] for name in written})
        raise


def put_back(tree: WorkTree, files: Mapping[str, bytes]) -> list[str]:
    """Undo `write_files`, but for files that hold something else by now: those are returned, and left alone."""
    left = []
    for name, data in files.items():
        path = tree.root / tree.paths[name]
        with suppress(OSError, MosaicError):
            now = read_optional(path)
            if now is None or now == tree.files.get(name):
                continue
            if now != data:
                left.append(name)
            elif name in tree.files:
                _replace(tree, name, tree.files[name])
            else:
                path.unlink(missing_ok=True)
                for folder in path.parents[: len(path.relative_to(tree.root).parts) - 1]:
                    folder.rmdir()  # made for it; one that was there is not empty
    return left


def commit_files(tree: WorkTree, files: Mapping[str, bytes], message: str) -> str:
    """Write the files and commit exactly them; the new commit. If that fails, everything is as before.

    Raises MosaicError with what git, or a hook, said.
    """
    before = head_of(tree.root)
    write_files(tree, files)
    new = [tree.paths[name] for name in files if name not in tree.tracked]
    words = [f":(top,literal){tree.paths[name]}" for name in files]
    try:
        if new:
            # Only what git has heard of can be named in a commit.
            _git(tree.root, "add", "--intent-to-add", "--", *(f":(top,literal){path}" for path in new))
        _git(tree.root, "commit", "--quiet", "--message", message, "--", *words, timeout_s=COMMIT_S)
    except BaseException as error:
        now = head_of(tree.root)
        if now != before:  # it was made, and what came after it went wrong
            if isinstance(error, GitFailed):
                return now
            raise
        if new:
            with suppress(GitFailed):
                _git(
                    tree.root, "rm", "--cached", "--quiet", "--force", "--", *(f":(top,literal){path}" for path in new)
                )
        left = put_back(tree, files)
        if isinstance(error, GitFailed):
            raise _not_committed(tree, error, left) from error
        raise
    with suppress(GitFailed):
        # What a hook has put into the commit, git leaves out of the index, where it would stand as taken back.
        _git(tree.root, "reset", "--quiet", "--", *words)
    return head_of(tree.root)


def push(tree: WorkTree) -> str:
    """Push the branch to where the operator's git would; returns `REMOTE/BRANCH`. Raises Unavailable."""
    args = ["for-each-ref", "--format=%(push:remotename)%00%(push:remoteref)%00%(upstream:remoteref)"]
    out = run_as_operator([*args, f"refs/heads/{tree.branch}"], cwd=tree.root, timeout_s=LOCAL_S).out
    remote, target, upstream = (*os.fsdecode(out).rstrip("\n").split("\0"), "", "")[:3]
    kept = f"the commit is made, and stays in {tree.root}"
    if not remote or not (target or upstream):
        raise Unavailable(
            f"{tree.branch} has no branch to be pushed to; {kept}",
            help=f"git -C {tree.root} push --set-upstream REMOTE {tree.branch}",
        )
    goal = target or upstream
    try:
        _push(tree.root, remote, f"refs/heads/{tree.branch}:{goal}")
    except GitFailed as error:
        said = listed(key_lines(error.stderr) or [error.message])
        raise Unavailable(f"it could not be pushed; {kept}{said}", help=_way(tree, error)) from error
    return f"{remote}/{goal.removeprefix('refs/heads/')}"


def push_back(tree: WorkTree, where: str) -> None:
    """Push the branch of a clone to the repository that it was made from. Raises Refused, Unavailable."""
    try:
        _push(tree.root, "origin", f"refs/heads/{tree.branch}:refs/heads/{tree.branch}")
    except GitFailed as error:
        if "fetch first" in error.stderr or "non-fast-forward" in error.stderr:
            raise Refused(
                f"somebody else has pushed to {where} meanwhile, so nothing was changed", help="run the same again"
            ) from error
        said = listed(key_lines(error.stderr) or [error.message])
        raise Unavailable(
            f"{where} did not accept the commit, so nothing was changed{said}", help=error.help
        ) from error


def _push(root: Path, remote: str, refspec: str) -> None:
    # The protocols that a fleet's source may use: a remote helper named in a configuration is not run.
    allowed = {"GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS)}
    args = ["push", "--quiet", "--end-of-options", remote, refspec]
    run_as_operator(args, cwd=root, timeout_s=PUSH_S, interactive=_on_terminal(), env=allowed)


def _git(root: Path, *args: str, timeout_s: float = LOCAL_S) -> None:
    run_as_operator(args, cwd=root, timeout_s=timeout_s, interactive=_on_terminal())


def _on_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _replace(tree: WorkTree, name: str, data: bytes) -> None:
    path = tree.root / tree.paths[name]
    try:
        like = path if path.exists() else tree.root / tree.paths["roster.yaml"]
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(like.stat().st_mode) if like.exists() else 0o644
        write_atomic(path, data, mode=mode)
    except OSError as error:
        raise MosaicError(
            f"{path} cannot be written: {error.strerror or error}",
            help="nothing was changed; fix that, and run it again",
        ) from error


def _not_committed(tree: WorkTree, error: GitFailed, left: list[str]) -> MosaicError:
    said = "\n".join(f"  {line}" for line in error.stderr.splitlines()[-20:])
    changed = f"; {', '.join(left)} was changed meanwhile, by a hook perhaps, and is left as it is" if left else ""
    return MosaicError(
        f"git did not commit, and nothing was changed{changed}" + (f":\n{said}" if said else f": {error.message}"),
        help=error.help or f"fix what git or a hook reports, then run the same again (in {tree.root})",
    )


def _way(tree: WorkTree, error: GitFailed) -> str:
    behind = "fetch first" in error.stderr or "non-fast-forward" in error.stderr
    return error.help or f"git -C {tree.root} {'pull --rebase, then git push' if behind else 'push'}"
