"""A commit of the source, and what else can be learned of it: its files, its ancestors, and edits in the working tree.
Our copy repairs itself here: where it turns out damaged it is thrown away and fetched again."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.errors import HistoryCut, MosaicError, NotFound
from reconciler.git.dirty import dirty_files
from reconciler.git.location import RepositoryLocation
from reconciler.git.mirror import Checkout
from reconciler.git.objects import Commit
from reconciler.git.process import Deadline, GitFailed

if TYPE_CHECKING:
    import tempfile


@dataclass(frozen=True, kw_only=True)
class SourceState:
    """A commit of the source, and how fresh that is. Times are Unix seconds.

    `fetched_at`: when the source was last seen to be there. `stale_error`: why it could not be seen just now (then this
    is the last revision that was), `busy`: because somebody is at work in its working tree; `next_fetch`: when it is
    asked again, if that is not at the next run. `notes`: what to tell about our copy.
    Use as a context manager, or `close()` it: a preview has a scratch copy to throw away.
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
        """The spec files of the commit, by name; one that is not in it is not here. Read when first asked for (one
        process). Raises Refused, InvalidConfig or GitFailed."""
        try:
            return self.checkout.files(self.commit)
        except GitFailed:
            if not self._renewed():
                raise
            if not self.is_tip:  # an older one, of which a new copy knows nothing
                with suppress(GitFailed):
                    self._fetch_more("--unshallow")
            return self.checkout.files(self.commit)

    @cached_property
    def dirty(self) -> tuple[str, ...]:
        """The spec files whose content in the operator's working tree is not what is committed; no process.

        Empty for a bare repository, a URL, and a branch that is not checked out there.
        """
        return dirty_files(self.place, self.ref, self.commit) if self.is_tip else ()

    def at(self, sha: str) -> SourceState:
        """The same source at another commit that was fetched before, such as the last good one.

        If our copy does not have it (any more), that is said by `files`, not here: who has compiled it before needs no
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
        """Whether this commit is `sha` or comes after it. Fetches more history if it has to; raises GitFailed if that
        fails, because not knowing is not "no"."""
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
        # Before anybody is told that history was rewound: a damaged copy says the same.
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
        """Whether our copy was broken and is a new one now. Raises GitFailed where none can be had."""
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
        """The commits that are in this revision but not in `sha`, newest first; this one alone for None.

        Nothing is left out: history that was cut off is fetched first. Raises GitFailed if it cannot be had.
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
        """Fetch more of a history that was cut off. Whether anything was fetched; raises GitFailed."""
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
        """Throw away a preview's scratch copy. Idempotent."""
        if self.scratch is not None:
            self.scratch.cleanup()

    def __enter__(self) -> SourceState:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def renewed(why: str) -> str:
    """What is told of a private copy that was thrown away: `why` is what was wrong with it."""
    return f"our copy of the repository was damaged and has been fetched again: {why}"
