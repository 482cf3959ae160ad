"""A commit of the source, and what else can be read about it: its files, its ancestors, and edits in the working tree.
Our copy repairs itself here: a damaged one is deleted and fetched again."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.errors import HistoryCut, MosaicError, NotFound
from reconciler.git.dirty import dirty_files
from reconciler.git.location import RepositoryLocation
from reconciler.git.mirror import Checkout
from reconciler.git.objects import Commit
from reconciler.git.process import Deadline, GitFailed
from specs.dataclass import dataclass, field, replace

if TYPE_CHECKING:
    import tempfile


@dataclass(frozen=True, kw_only=True)
class SourceState:
    """A commit of the source, and its freshness. Times are Unix seconds.

    `fetched_at`: when the source was last seen. `stale_error`: why it could not be seen just now (then this is the last
    revision seen). `busy`: the reason is an operation in its working tree. `next_fetch`: when the source is asked
    again, if not at the next run. `notes`: what to report about our copy. Use as a context manager, or `close()` it: a
    preview has a scratch copy to delete.
    """

    spec: str  # for people: without credentials
    ref: str
    commit: Commit
    fetched_at: float
    stale_error: str | None = None
    busy: bool = False
    next_fetch: float | None = None
    notes: list[str] = field(default_factory=list)
    place: RepositoryLocation = field(repr=False)
    checkout: Checkout = field(repr=False)
    deadline: Deadline = field(repr=False)
    fetch_s: float = field(repr=False)
    may_fetch: bool = field(repr=False)
    is_tip: bool = field(default=True, repr=False)
    preview: bool = field(default=False, repr=False)  # nothing may be written in the state folder
    scratch: tempfile.TemporaryDirectory[str] | None = field(default=None, repr=False)

    @property
    def revision(self) -> str:
        """The commit's full id."""
        return self.commit.sha

    @property
    def subject(self) -> str:
        """The first paragraph of the commit's message, printable."""
        return self.commit.subject

    @property
    def author(self) -> str:
        """`Name <address>`, printable; claimed by the commit, proven only by a signature."""
        return self.commit.author

    @cached_property
    def files(self) -> Mapping[str, bytes]:
        """The spec files of the commit, by name; a missing file has no entry. Read on first use (one process). Raises
        Refused, InvalidConfig or GitFailed."""
        try:
            return self.checkout.files(self.commit)
        except GitFailed:
            if not self._renewed():
                raise
            if not self.is_tip:  # an older commit, which a new copy lacks
                with suppress(GitFailed):
                    self._fetch_more("--unshallow")
            return self.checkout.files(self.commit)

    @cached_property
    def dirty(self) -> tuple[str, ...]:
        """The spec files whose content in the operator's working tree differs from the commit; no process.

        Empty for a bare repository, a URL, and a branch that is not checked out there.
        """
        return dirty_files(self.place, self.ref, self.commit) if self.is_tip else ()

    def at(self, sha: str) -> SourceState:
        """The same source at another commit that was fetched before, such as the last good one.

        If our copy no longer has it, `files` says so, not this method: a caller that has compiled it before needs no
        files.
        """
        if sha == self.revision:
            return self
        try:
            commit = self._peeled(sha)
        except MosaicError as error:
            commit = Commit(sha=sha, problems={"commit": f"commit {sha[:12]} cannot be read: {error}"})
        return replace(self, commit=commit, is_tip=False)

    def descends_from(self, sha: str) -> bool:
        """Whether this commit is `sha` or comes after it. Fetches more history if it must; raises GitFailed if that
        fails, because unknown does not mean "no"."""
        if sha == self.revision:
            return True
        if not self.may_fetch and self.checkout.is_ancestor(sha, self.revision):
            return True
        if self.checkout.is_shallow():
            self._need_fetch()
        try:
            found = self._descends(sha)
        except (GitFailed, HistoryCut):
            if not self._renewed():
                raise
            return self._descends(sha)
        # Check the copy before reporting a rewound history: a damaged copy looks the same.
        return found or (self._renewed() and self._descends(sha))

    def _descends(self, sha: str) -> bool:
        try:
            return self.checkout.descends(
                sha, self.revision, url=self.place.url, ref=self.ref, deadline=self.deadline, fetch_s=self.fetch_s
            )
        except HistoryCut as cut:
            raise self._cut(cut) from cut

    def _cut(self, cut: HistoryCut) -> HistoryCut:
        there = f"git -C {self.place.path} fetch --unshallow" if self.place.path else "git fetch --unshallow, there"
        return HistoryCut(cut.message, where=f"{self.spec} {self.ref}", help=f"restore its full history: {there}")

    def _peeled(self, sha: str) -> Commit:
        try:
            return self.checkout.peel(sha)[1]
        except (GitFailed, NotFound):
            if not self._renewed():
                raise
            with suppress(GitFailed):
                self._fetch_more("--unshallow")
            return self.checkout.peel(sha)[1]

    def _renewed(self) -> bool:
        """Whether our copy was broken and has been replaced. Raises GitFailed if it cannot be fetched again."""
        why = self.checkout.damage() if self.may_fetch and not self.preview else ""
        if not why:
            return False
        try:
            fetch_s = self.deadline.left(self.fetch_s)
            self.checkout.rebuild(self.place.url, self.ref, self.commit.sha, timeout_s=fetch_s)
        except OSError as error:
            raise GitFailed(f"our copy of the repository cannot be recreated: {error}") from error
        self.notes.append(renewed(why))
        return True

    def since(self, sha: str | None) -> list[str]:
        """The commits that are in this revision but not in `sha`, newest first; for None, only this one.

        Complete: history that was cut off is fetched first. Raises GitFailed if that fails.
        """
        if sha is None:
            return [self.revision]
        if self.checkout.is_shallow():
            self._need_fetch()
            self._fetch_more("--unshallow")
        try:
            return self.checkout.between(sha, self.revision)
        except HistoryCut as cut:
            raise self._cut(cut) from cut

    def deepen(self, commits: int = 200) -> bool:
        """Fetch more of a history that was cut off. Returns whether anything was fetched; raises GitFailed."""
        if not self.checkout.is_shallow() or not self.may_fetch:
            return False
        self._fetch_more(f"--deepen={commits}")
        return True

    def _fetch_more(self, depth: str) -> None:
        self.checkout.fetch(self.place.url, self.ref, timeout_s=self.deadline.left(self.fetch_s), depth=depth)

    def _need_fetch(self) -> None:
        if not self.may_fetch:
            raise GitFailed("the history since the last applied revision is not here", help="run without --no-fetch")

    def close(self) -> None:
        """Delete a preview's scratch copy. Idempotent."""
        if self.scratch is not None:
            self.scratch.cleanup()

    def __enter__(self) -> SourceState:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def renewed(why: str) -> str:
    """The note about a private copy that was deleted: `why` is what was wrong with it."""
    return f"our copy of the repository was damaged and has been fetched again: {why}"
