"""Parse FLEET (a working tree, a bare repository or a URL), and find where its branch or tag points."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from reconciler.errors import NotFound, Refused, SourceBusy, Unavailable, Usage
from reconciler.git.error_text import PROTOCOLS
from reconciler.git.process import Deadline, redact, run_git
from reconciler.git.refs import LocalRepo, Tip, candidates, choose, find_repo, no_head, odd_file, read_tip, under_way
from specs.dataclass import dataclass

_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)"
_SCP = r"(?:[^/:@]+@)?(\[[^/\]]+\]|[^/:]+):(?!:).*"
_SYMREF = "ref: "
_CONTROL = frozenset("\x7f").union(map(chr, range(0x20)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryLocation:
    """A source. `url` is what git receives; `path` is set for a source on this machine, where a look costs nothing."""

    url: str
    path: Path | None = None

    @property
    def shown(self) -> str:
        """For people: without credentials."""
        return redact(self.url)

    @property
    def key(self) -> str:
        """Distinguishes sources in the state folder, which must not hold a URL with a password."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:32]

    def repo(self) -> LocalRepo | None:
        """The repository on this machine; None for a URL. Raises NotFound if the path has none, Unavailable if it
        cannot be read."""
        if self.path is None:
            return None
        try:
            _must_answer(self.path)
            found = find_repo(self.path)
            there = self.path.exists()
        except OSError as error:
            raise _unreadable(self.path, error) from error
        if found is None:
            raise NotFound(
                f"{self.path} is not a git repository" if there else f"{self.path} does not exist",
                help=_root_above(self.path) or "give a working tree, a bare repository or a URL (https, ssh, file)",
            )
        return found

    def tip(self, ref: str | None, *, timeout_s: float) -> Tip:
        """Where `ref` (None: HEAD) points now: read from files for a repository on this machine, else one git process.
        Raises NotFound, InvalidConfig (an ambiguous or impossible name), SourceBusy, Unavailable, GitFailed,
        GitTimeout."""
        repo = self.repo()
        if repo is not None:
            try:
                tip = read_tip(repo, ref)
            except OSError as error:
                raise _unreadable(repo.path, error) from error
            if tip is not None:
                self._decided(repo, tip)
                return tip
            self.ready()
        tip = self._ask(ref, timeout_s)
        if repo is not None:
            self._decided(repo, tip)
        return tip

    def ready(self) -> None:
        """Raises Unavailable if git would block forever on a file of a repository on this machine."""
        repo = self.repo()
        odd = odd_file(repo.git_dir, repo.common_dir) if repo is not None else ""
        if odd:
            raise Unavailable(odd, help="put back what was there: git cannot read the repository like that")

    def _decided(self, repo: LocalRepo, tip: Tip) -> None:
        """Raises SourceBusy if `tip` is checked out in a working tree where a git operation is half done. If its branch
        is not checked out there, that operation cannot move it."""
        doing = under_way(repo)
        if doing is None:
            return
        try:
            head = read_tip(repo, None)
        except (OSError, NotFound):
            head = None
        if head is None or tip.ref in (head.ref, "HEAD"):
            what, way = doing
            raise SourceBusy(
                f"{what} in {repo.path}", help=f"the checked-out branch is read again once that is finished: {way}"
            )

    def _ask(self, ref: str | None, timeout_s: float) -> Tip:
        deadline, wanted = Deadline(timeout_s), ("HEAD",) if ref is None else candidates(ref)
        args = ["ls-remote", "--symref", "--end-of-options", self.url, *wanted]
        out = run_git(args, timeout_s=timeout_s, network=True).out.decode(errors="replace")
        names = dict(line.partition("\t")[::2] for line in out.splitlines() if line.startswith(_SYMREF))
        head = next((ref.removeprefix(_SYMREF) for ref, name in names.items() if name == "HEAD"), "HEAD")
        found = []
        for line in out.splitlines():
            oid, _, name = line.partition("\t")
            if name in wanted and not line.startswith(_SYMREF):
                found.append(Tip(head if ref is None else name, oid))
        if not found and ref is None:
            raise self._no_head(deadline.left(timeout_s))
        return choose(ref or "HEAD", tuple(found), self.shown)

    def _no_head(self, timeout_s: float) -> NotFound:
        """The error, with the branches that exist; costs one more git process. Raises GitFailed, GitTimeout."""
        out = run_git(["ls-remote", "--heads", "--end-of-options", self.url], timeout_s=timeout_s, network=True).out
        names = [line.partition("\t")[2] for line in out.decode(errors="replace").splitlines()]
        branches = [name.removeprefix("refs/heads/") for name in names]
        repo = self.repo()
        what, bare = f"{self.shown} has no commits on its default branch", repo is None or repo.worktree is None
        return no_head(what, branches, help="push a roster.yaml, or set `ref`", bare=bare)


def parse_place(spec: str) -> RepositoryLocation:
    """Parse FLEET. Raises Usage for what git would take for an option, Refused for a protocol that is not allowed.

    A path need not exist: an unreachable source may still be right.
    """
    if not spec or spec.startswith("-") or not _CONTROL.isdisjoint(spec):
        raise Usage(f"{spec!r} is not a repository", help="give a working tree, a bare repository or a URL")
    path = Path(spec).expanduser()
    if ":" not in spec:  # the common case, and the only one that needs no pattern
        return _local(path)
    scheme = re.fullmatch(_SCHEME, spec)
    if scheme:
        name, rest = scheme[1].lower(), scheme[2]
        if name not in PROTOCOLS:
            raise _protocol(name)
        if name == "file":
            from urllib.parse import unquote

            host, slash, name = rest.partition("/")
            if host not in ("", "localhost") or not slash:
                raise Usage(f"{spec!r} names no path on this machine", help="write file:///path")
            return _local(Path("/") / unquote(name))
        if rest.startswith("-") or "@-" in rest.partition("/")[0]:
            raise Usage(f"{redact(spec)!r} has a host that begins with a dash")
        return RepositoryLocation(url=spec)
    helper = re.match(r"([A-Za-z0-9+.-]+)::", spec)
    if helper:
        raise _protocol(helper[1])
    scp = re.fullmatch(_SCP, spec)
    if scp and not path.exists():
        if scp[1].startswith("-"):
            raise Usage(f"{spec!r} has a host that begins with a dash")
        return RepositoryLocation(url=spec)
    return _local(path)


def _local(path: Path) -> RepositoryLocation:
    absolute = path.absolute()
    return RepositoryLocation(url=str(absolute), path=absolute)


def _must_answer(path: Path) -> None:
    """Raises OSError if the file system of a path does not answer in time; a local disk is not asked twice."""
    from providers.filesystem.mounts import Mounts

    if Mounts().far(str(path)) is not None:
        from providers.filesystem.bounded_look import ask_one

        ask_one(str(path / ".git" / "HEAD"), lambda: os.path.lexists(path / ".git" / "HEAD"))


def _unreadable(path: Path | None, error: OSError) -> Unavailable:
    return Unavailable(f"{error.filename or path} cannot be read: {error.strerror or error}")


def _protocol(name: str) -> Refused:
    return Refused(f"protocol {name!r} is not allowed for a fleet's source", help=f"use {', '.join(PROTOCOLS)}")


def _root_above(path: Path) -> str:
    for folder in path.parents:
        if (folder / ".git").exists():
            return f"the repository's root is {folder}"
    return ""
