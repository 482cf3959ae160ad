"""Clone a fleet's repository that has no working tree (a bare one, or a URL) privately for one change, and push it
back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import Refused
from reconciler.git.location import RepositoryLocation
from reconciler.git.process import run_git
from reconciler.git.refs import LocalRepo

CLONE_S = 120.0


@contextmanager
def temporary_clone_of(place: RepositoryLocation, ref: str | None, *, timeout_s: float) -> Iterator[LocalRepo]:
    """A clone of the reconciled branch, in a private folder that is removed afterwards.

    It is made like all our fetches: with the protocols that a source may use, and without running anything of it.
    Raises Refused if the reconciled ref is not a branch, NotFound, GitFailed.
    """
    tip = place.tip(ref, timeout_s=timeout_s)
    if not tip.ref.startswith("refs/heads/"):
        what = "a tag" if tip.ref.startswith("refs/tags/") else "no branch"
        raise Refused(
            f"{tip.ref} of {place.shown} is {what}, and a commit needs a branch",
            help="commit in a clone of yours, and move the tag; or set `ref` in reconcile.toml to a branch",
        )
    branch = tip.ref.removeprefix("refs/heads/")
    with tempfile.TemporaryDirectory(prefix="mosaic-change-", ignore_cleanup_errors=True) as folder:
        root = Path(folder, "fleet")
        run_git(
            [
                *("clone", "--quiet", "--template=", "--no-tags", "--single-branch", f"--branch={branch}"),
                *("--no-recurse-submodules", "--", place.url, str(root)),
            ],
            timeout_s=CLONE_S,
            network=True,
        )
        yield LocalRepo(path=root, git_dir=root / ".git", common_dir=root / ".git", worktree=root)
