"""Find what git would make of a working tree's file: like `git add`, it undoes line ends, encoding and identity.

Used only for a file whose bytes differ from the commit's; everything else needs no process. Filter programs from a
configuration are not run; a file with such a filter is compared as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from reconciler.git.process import GitOutput, run_git

LOOK_S = 5.0  # seconds for one question
_FILTERS = r"^filter\..*\.(clean|smudge|process|required)$"

GitQuestion = Callable[..., GitOutput]  # arguments and `stdin`; raises GitFailed, Unavailable


def asking(root: Path) -> GitQuestion:
    """Questions to git in the working tree `root`, without running anything of that tree. Raises GitFailed, GitTimeout,
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
    """Those of `paths` that a sparse checkout leaves out of the working tree on purpose."""
    return frozenset(path for path, mark in marks(ask, paths).items() if mark.upper() == "S")


def marks(ask: GitQuestion, paths: Sequence[str]) -> dict[str, str]:
    """The mark of each path in the index, as shown by `git ls-files -v`: `S` is skip-worktree, a small letter is
    assume-unchanged."""
    out = ask(["ls-files", "-v", "-z", "--", *paths]).out.decode(errors="surrogateescape")
    return {row[2:]: row[0] for row in out.split("\0") if len(row) > 2}
