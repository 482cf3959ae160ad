"""What git would make of a file in a working tree: it undoes line ends, encoding and identity as `git add` does.

Only for a file whose bytes are not those of the commit: everything else is told without a process. A filter program
that a configuration names is not run; what goes through one is compared as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from reconciler.git.process import GitOutput, run_git

LOOK_S = 5.0  # seconds for one question
_FILTERS = r"^filter\..*\.(clean|smudge|process|required)$"

GitQuestion = Callable[..., GitOutput]  # arguments and `stdin`; raises GitFailed, Unavailable


def asking(root: Path) -> GitQuestion:
    """Questions to git in the working tree `root`, for somebody who runs nothing of it. Raises GitFailed, GitTimeout,
    Unavailable."""
    names = run_git(
        ["config", "--null", "--name-only", "--get-regexp", _FILTERS],
        timeout_s=LOOK_S,
        network=True,
        tree=root,
        ok=(0, 1),
    ).out.decode(errors="surrogateescape")
    off = tuple((name, "false" if name.endswith(".required") else "") for name in names.split("\0") if name)

    def ask(args: Sequence[str], stdin: bytes = b"") -> GitOutput:
        return run_git(args, timeout_s=LOOK_S, network=True, tree=root, stdin=stdin, config=off)

    return ask


def blob_of(ask: GitQuestion, path: str, data: bytes) -> str:
    """The id of the object that git would store for `data` at `path`, which is below the tree's root."""
    out = ask(["hash-object", "-t", "blob", "--stdin", f"--path={path}"], stdin=data).out
    return out.decode("ascii", "replace").strip()


def left_out(ask: GitQuestion, paths: Sequence[str]) -> frozenset[str]:
    """Those of `paths` that are meant to be missing in the working tree: a sparse checkout leaves them out."""
    return frozenset(path for path, mark in marks(ask, paths).items() if mark.upper() == "S")


def marks(ask: GitQuestion, paths: Sequence[str]) -> dict[str, str]:
    """The mark of each path that the index knows, as `git ls-files -v` shows it: `S` is skip-worktree, a small letter
    is assume-unchanged."""
    out = ask(["ls-files", "-v", "-z", "--", *paths]).out.decode(errors="surrogateescape")
    return {row[2:]: row[0] for row in out.split("\0") if len(row) > 2}
