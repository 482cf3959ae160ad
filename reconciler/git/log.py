"""List the commits between two revisions, for people who read a preview or a refusal.

GitPython parses the commits and trees. It reads them through `_Objects`, so that git still runs in one place only, with
our environment and a deadline. It is imported on request, because the import costs more than a whole quiet run.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.git.mirror import Checkout
from reconciler.git.objects import FILES, printable
from reconciler.git.process import GitFailed
from specs.dataclass import dataclass
from specs.fleet_files import FOLDERS

if TYPE_CHECKING:
    import git

_DEFAULT_LIMIT = 20
_IN_A_PREVIEW = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One commit. `when` is RFC 3339 UTC; `files` are the spec files it changes, empty if its parent is not here."""

    sha: str
    subject: str = ""
    author: str = ""
    when: str = ""
    files: tuple[str, ...] = ()


def coming_into_force(checkout: Checkout, applied: str, new: str) -> tuple[HistoryLine, ...]:
    """For a preview: the newest commits since the last applied one; empty if they cannot be read."""
    try:
        return history(checkout, applied, new, limit=_IN_A_PREVIEW)
    except Exception:  # this text is for people, from anybody's commits: a failure must not cost them the preview
        return ()


def history(checkout: Checkout, old: str, new: str, *, limit: int = _DEFAULT_LIMIT) -> tuple[HistoryLine, ...]:
    """The newest `limit` commits that are in `new` but not in `old`, newest first. Raises GitFailed or Refused like
    `Checkout.between`. In a repository with SHA-256 ids, which GitPython cannot read, only the ids are known."""
    if old == new:
        return ()
    shas = checkout.between(old, new)[:limit]
    if any(len(sha) != 40 for sha in shas):
        return tuple(HistoryLine(sha=sha) for sha in shas)
    import git

    objects = _Objects(checkout)
    objects.load(shas)
    with git.Repo(checkout.path, odbt=_as_database(objects)) as repo:
        return tuple(_line(git.Commit(repo, bytes.fromhex(sha))) for sha in shas)


class _Stream(NamedTuple):
    """A git object in the shape that GitPython expects: four values, and a file to read."""

    binsha: bytes
    type: bytes
    size: int
    stream: BytesIO

    def read(self, size: int = -1) -> bytes:
        return self.stream.read(size)


class _Objects:
    """The part of GitPython's object database that reading needs, based on `Checkout.read`."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._known: dict[str, bytes] = {}

    def load(self, oids: list[str]) -> None:
        """Read these in one process."""
        self._known |= dict(zip(oids, self._checkout.read(oids), strict=True))

    def stream(self, binsha: bytes) -> _Stream:
        """The content of one object. Raises GitFailed if it is not here."""
        oid = binsha.hex()
        if oid not in self._known:
            self.load([oid])
        data = self._known[oid]
        return _Stream(binsha, b"", len(data), BytesIO(data))


def _as_database(objects: _Objects) -> Any:  # noqa: ANN401 - GitPython wants a class to instantiate with a path
    class Database:
        def __new__(cls, _path: str) -> Any:  # noqa: ANN401 - as above
            return objects

    return Database


def _line(commit: git.Commit) -> HistoryLine:
    from datetime import UTC

    summary = commit.summary if isinstance(commit.summary, str) else commit.summary.decode(errors="replace")
    return HistoryLine(
        sha=commit.hexsha,
        subject=printable(summary),
        author=printable(f"{commit.author.name} <{commit.author.email}>"),
        when=commit.committed_datetime.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        files=_changed(commit),
    )


def _changed(commit: git.Commit) -> tuple[str, ...]:
    try:
        before = _blobs(commit.parents[0]) if commit.parents else {}
        now = _blobs(commit)
    except GitFailed:  # history is cut off here
        return ()
    return tuple(name for name in (*FILES, *FOLDERS) if before.get(name) != now.get(name))


def _blobs(commit: git.Commit) -> dict[str, str]:
    return {str(entry.name): entry.hexsha for entry in commit.tree if entry.name in (*FILES, *FOLDERS)}
