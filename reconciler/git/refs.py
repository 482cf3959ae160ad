"""Read where a branch or tag of a local repository points, from its files: no process, nothing written.

This makes a look at an unchanged local source free. For storage other than plain files (reftable) and anything
unexpected the answer is None, "ask git"; a ref that certainly does not exist raises NotFound.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from providers.filesystem.guarded_read import kind_of, read_regular
from reconciler.errors import InvalidConfig, NotFound
from specs.dataclass import dataclass

# Plain string tests instead of patterns: compiling those would take a good part of a quiet run.
_HEX = frozenset("0123456789abcdef")
_FORBIDDEN = frozenset("\x7f~^:?*[\\ ").union(map(chr, range(0x20)))
_MAX_SYMREFS = 5
_HEADS = "refs/heads/"
_MOST_NAMED = 5  # branches in an error
# The files that git leaves beside its HEAD during an operation, the operation, and the command that ends it.
UNDER_WAY = {
    "rebase-merge": ("a rebase is in progress", "git rebase --continue or --abort"),
    "rebase-apply": ("a rebase or `git am` is in progress", "git rebase --continue or --abort"),
    "MERGE_HEAD": ("a merge is in progress", "git merge --continue or --abort"),
    "CHERRY_PICK_HEAD": ("a cherry-pick is in progress", "git cherry-pick --continue or --abort"),
    "REVERT_HEAD": ("a revert is in progress", "git revert --continue or --abort"),
    "sequencer": ("a cherry-pick or revert of several commits is in progress", "git cherry-pick --continue or --abort"),
    "BISECT_LOG": ("a bisection is in progress", "git bisect reset"),
}
# Files that git opens without checking their type: if one is a FIFO, git blocks.
_OPENED = ("HEAD", "config", "packed-refs", "shallow", "commondir", "objects/info/alternates")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRepo:
    """A repository on this machine. `path` is what git receives; `worktree` is None for a bare one."""

    path: Path
    git_dir: Path  # contains HEAD
    common_dir: Path  # contains refs and packed-refs
    worktree: Path | None


@dataclass(frozen=True, slots=True)
class Tip:
    """A ref and the object it names (a commit, or an annotated tag). `ref` is a full name, or HEAD when detached."""

    ref: str
    oid: str


def check_ref(ref: str) -> None:
    """Raises InvalidConfig if this cannot be the name of a branch or tag (and so may not be passed to git)."""
    if _impossible(ref):
        raise InvalidConfig(f"{ref!r} is not the name of a branch or tag", help="ref = a branch or tag, such as main")


def _impossible(ref: str) -> bool:
    """git's own rules for names (git-check-ref-format), and no leading dash."""
    return (
        ref in ("", "@")
        or ref[0] in "-/."
        or ref[-1] in "/."
        or any(part in ref for part in ("..", "//", "/.", "@{", ".lock/"))
        or ref.endswith(".lock")
        or not _FORBIDDEN.isdisjoint(ref)
    )


def _is_oid(text: str) -> bool:
    return len(text) in (40, 64) and _HEX.issuperset(text)


def candidates(ref: str) -> tuple[str, ...]:
    """The full names that a short name may mean."""
    check_ref(ref)
    return (ref,) if ref.startswith("refs/") else (f"refs/heads/{ref}", f"refs/tags/{ref}")


def choose(ref: str, found: tuple[Tip, ...], where: str) -> Tip:
    """The only meaning of `ref`. A name that is both a branch and a tag is refused: somebody who can push one could
    pass it off as the other."""
    if not found:
        raise NotFound(f"no branch or tag {ref!r} in {where}", help="set `ref` in reconcile.toml, or push it")
    if len(found) > 1:
        names = " or ".join(tip.ref for tip in found)
        raise InvalidConfig(f"{ref!r} is both a branch and a tag in {where}", help=f"write ref = {names}")
    return found[0]


def find_repo(path: Path) -> LocalRepo | None:
    """The repository whose root is exactly `path`, or None. Raises OSError if it cannot be looked at."""
    dot_git = path / ".git"
    if dot_git.is_dir():
        git_dir = dot_git
    elif dot_git.is_file():  # a linked worktree or a submodule
        pointer = _read(dot_git) or ""
        if not pointer.startswith("gitdir:"):
            return None
        git_dir = path / pointer.removeprefix("gitdir:").strip()
    elif _is_git_dir(path):
        return LocalRepo(path=path, git_dir=path, common_dir=_common_dir(path), worktree=None)
    else:
        return None
    if not (git_dir / "HEAD").exists() and not (git_dir / "HEAD").is_symlink():
        return None
    return LocalRepo(path=path, git_dir=git_dir, common_dir=_common_dir(git_dir), worktree=path)


def under_way(repo: LocalRepo) -> tuple[str, str] | None:
    """The operation that is half done in the working tree, and the command that ends it: until then HEAD names nothing
    that anybody has decided on."""
    if repo.worktree is None:
        return None
    return next((said for name, said in UNDER_WAY.items() if os.path.lexists(repo.git_dir / name)), None)


def odd_file(*folders: Path) -> str:
    """What would block or break git in a repository's folders: `PATH is a FIFO`; "" if nothing would."""
    for path in (folder / name for folder in dict.fromkeys(folders) for name in _OPENED):
        with suppress(OSError):
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode):
                return f"{path} is {kind_of(mode)}, not a file"
    return ""


def read_tip(repo: LocalRepo, ref: str | None) -> Tip | None:
    """Where `ref` (None: HEAD) points, or None if only git can tell. Raises NotFound, InvalidConfig, OSError."""
    if (repo.common_dir / "reftable").exists():
        return None
    where = str(repo.path)
    if ref is not None:
        tips = tuple((name, _resolve(repo, name)) for name in candidates(ref))
        if any(oid == "" for _, oid in tips):
            return None
        return choose(ref, tuple(Tip(name, oid) for name, oid in tips if oid), where)
    head = _read(repo.git_dir / "HEAD")
    if head is None:
        return None
    if _is_oid(head):
        return Tip("HEAD", head)
    name = head.removeprefix("ref:").strip()
    if not head.startswith("ref:") or not name.startswith("refs/") or _impossible(name):
        return None
    oid = _resolve(repo, name)
    if oid is None:
        what = f"{where} has no commits on {name.removeprefix('refs/heads/')}"
        raise no_head(what, _branches(repo), help="commit a roster.yaml", bare=repo.worktree is None)
    return Tip(name, oid) if oid else None


def no_head(what: str, branches: Sequence[str], *, help: str, bare: bool) -> NotFound:
    """The error for a HEAD that names a branch without commits. `branches`: short names of the branches with commits;
    `help` is for a repository without any."""
    import shlex

    if not branches:
        return NotFound(f"{what} yet", help=help)
    names = sorted(branches)
    best = "main" if "main" in names else names[0]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    there = f"git symbolic-ref HEAD {shlex.quote(f'refs/heads/{best}')}" if bare else f"git switch {shlex.quote(best)}"
    return NotFound(
        f"{what}, where its HEAD points; it has branches with commits: {', '.join(names[:_MOST_NAMED])}{more}",
        help=f"set `ref` in reconcile.toml to the branch that you mean, such as {best}, or run `{there}` there",
    )


def _branches(repo: LocalRepo) -> list[str]:
    """The short names of all branches that have commits. Only for an error: it reads every one. Raises OSError."""
    heads = repo.common_dir / "refs" / "heads"
    found = {str(path.relative_to(heads)) for path in heads.rglob("*") if path.is_file()}
    packed = _read(repo.common_dir / "packed-refs") or ""
    names = (line.partition(" ")[2] for line in packed.splitlines())
    found.update(name.removeprefix(_HEADS) for name in names if name.startswith(_HEADS))
    return [name for name in found if not _impossible(_HEADS + name) and _resolve(repo, _HEADS + name)]


def _resolve(repo: LocalRepo, name: str, depth: int = 0) -> str | None:
    """The object id; None: the ref does not exist; "": only git can tell."""
    for _attempt in range(2):  # a loose ref may be packed between the two reads
        loose = _read(repo.common_dir / name)
        if loose is not None:
            if _is_oid(loose):
                return loose
            target = loose.removeprefix("ref:").strip()
            if not loose.startswith("ref:") or depth >= _MAX_SYMREFS or _impossible(target):
                return ""
            return _resolve(repo, target, depth + 1)
        packed = _packed(repo.common_dir / "packed-refs", name)
        if packed is not None:
            return packed
    return None


def _packed(path: Path, name: str) -> str | None:
    try:
        data = b"\n" + read_regular(path)
    except FileNotFoundError:
        return None
    needle = b" " + os.fsencode(name) + b"\n"
    end = data.find(needle)
    if end < 0:
        return None
    oid = data[data.rfind(b"\n", 0, end) + 1 : end].decode("ascii", "replace")
    return oid if _is_oid(oid) else ""


def _read(path: Path) -> str | None:
    try:
        return os.fsdecode(read_regular(path)).strip()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def _is_git_dir(path: Path) -> bool:
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").exists()


def _common_dir(git_dir: Path) -> Path:
    pointer = _read(git_dir / "commondir")
    return git_dir / pointer if pointer else git_dir
