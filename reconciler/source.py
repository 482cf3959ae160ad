"""The source: from a repository, branch and last state to the one commit that is to be looked at now.

Only committed state counts, and only through our own copy in the state folder; the operator's tree is read to say that
it is dirty, never changed. An unreachable source keeps the last revision and says so. Whether a revision may be
*applied* is for `trust` to say; call it before `SourceState.files`.

Costs for an unchanged source: no process for a repository on this machine, one for a URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.checkout import TIP, Checkout
from reconciler.commit import Commit
from reconciler.dirty import dirty_files
from reconciler.errors import MosaicError, NotFound, Unavailable
from reconciler.git import Deadline, GitFailed, GitTimeout
from reconciler.place import Place, parse_place
from reconciler.refs import Tip
from reconciler.settings import Settings
from reconciler.source_record import Record, fetch_delay, load_record, save_record, seen_at, touch_seen

if TYPE_CHECKING:
    import tempfile

CHECKOUT = "checkout"


@dataclass(frozen=True, kw_only=True)
class SourceState:
    """A commit of the source, and how fresh that is. Times are Unix seconds.

    `fetched_at`: when the source was last seen to be there. `stale_error`: why it could not be seen just now (then this
    is the last revision that was), and `next_fetch`: when it is asked again, if that is not at the next run.
    Use as a context manager, or `close()` it: a preview has a scratch copy to throw away.
    """

    spec: str  # for people: without credentials
    ref: str
    commit: Commit
    fetched_at: float
    stale_error: str | None = None
    next_fetch: float | None = None
    place: Place = field(repr=False)
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
        except GitTimeout:
            raise
        except GitFailed:
            if not self.may_fetch or not self.is_tip or self.preview:
                raise
            self.checkout.rebuild(self.place.url, self.ref, self.commit.sha, timeout_s=self.deadline.left(self.fetch_s))
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
            _, commit = self.checkout.peel(sha)
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
        return self.checkout.descends(
            sha, self.revision, url=self.place.url, ref=self.ref, deadline=self.deadline, fetch_s=self.fetch_s
        )

    def since(self, sha: str | None) -> list[str]:
        """The commits that are in this revision but not in `sha`, newest first; this one alone for None.

        Nothing is left out: history that was cut off is fetched first. Raises GitFailed if it cannot be had.
        """
        if sha is None:
            return [self.revision]
        if self.checkout.is_shallow():
            self._need_fetch()
            fetch_s = self.deadline.left(self.fetch_s)
            self.checkout.fetch(self.place.url, self.ref, timeout_s=fetch_s, depth="--unshallow")
        return self.checkout.between(sha, self.revision)

    def _need_fetch(self) -> None:
        if not self.may_fetch:
            raise GitFailed("the history since the last applied revision is not here", help="run with fetching on")

    def close(self) -> None:
        """Throw away a preview's scratch copy. Idempotent."""
        if self.scratch is not None:
            self.scratch.cleanup()

    def __enter__(self) -> SourceState:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def open_source(
    spec: str,
    *,
    settings: Settings,
    state_dir: Path,
    fetch: bool = True,
    now: float,
    timeout_s: float = 120.0,
    preview: bool = False,
    force: bool = False,
) -> SourceState:
    """Look at the source and fetch what is new, within `timeout_s` seconds.

    `fetch=False`: what is checked out already, no matter what the source says. `preview`: write nothing in the state
    folder. `force`: ask an unreachable remote even before its next turn. If the source cannot be reached, or what it
    has cannot be taken, the last revision is returned with `stale_error`; only without one is an error raised:
    NotFound, Unavailable, Refused or InvalidConfig. A spec that makes no sense raises Usage or Refused at once.
    """
    place = parse_place(spec)
    record = load_record(state_dir, place.key)
    look = _Look(
        place=place,
        settings=settings,
        state_dir=state_dir,
        checkout=Checkout(state_dir / CHECKOUT),
        record=record,
        now=now,
        deadline=Deadline(timeout_s),
        preview=preview,
    )
    if not fetch:
        return look.stored()
    if place.path is None and not force and record.waits(now):
        return look.stored(f"{record.error} (asked again later: {record.failures} failures so far)")
    try:
        return look.fresh()
    except (MosaicError, OSError) as error:
        return look.failed(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One call of `open_source`, with what it knows."""

    place: Place
    settings: Settings
    state_dir: Path
    checkout: Checkout
    record: Record
    now: float
    deadline: Deadline
    preview: bool

    def fresh(self) -> SourceState:
        tip = self.place.tip(self.settings.ref, timeout_s=self._fetch_s())
        known = self.record.commit
        if known is not None and (tip.ref, tip.oid) == (self.record.ref, self.record.tip) and self.checkout.exists():
            if not self.preview:
                if self.record.failures:
                    save_record(self.state_dir, replace(self.record, failures=0, next_fetch=0.0, error=""))
                touch_seen(self.state_dir, self.now)
            return self._state(known, tip.ref, fetched_at=self.now)
        if not self.preview:
            return self._take(tip, self.checkout)
        scratch = self.checkout.scratch()
        try:
            return replace(self._take(tip, Checkout(Path(scratch.name))), scratch=scratch)
        except BaseException:
            scratch.cleanup()
            raise

    def _take(self, tip: Tip, checkout: Checkout) -> SourceState:
        try:
            oid, commit = self._fetch(tip, checkout)
        except GitTimeout:
            raise
        except GitFailed:
            # Our copy may be what is broken. It is only a copy: make it anew, unless it still holds what it should.
            known = self.record.commit
            if self.preview or not checkout.fetched_before() or (known is not None and checkout.has(known.sha)):
                raise
            checkout.rebuild(self.place.url, tip.ref, tip.oid, timeout_s=self._fetch_s())
            oid, commit = checkout.peel(TIP)
        if not self.preview:
            record = Record(key=self.place.key, ref=tip.ref, tip=oid, commit=commit)
            save_record(self.state_dir, record)
            touch_seen(self.state_dir, self.now)
            checkout.tidy()
        return replace(self._state(commit, tip.ref, fetched_at=self.now), checkout=checkout)

    def _fetch(self, tip: Tip, checkout: Checkout) -> tuple[str, Commit]:
        checkout.init(oid_length=len(tip.oid))
        checkout.fetch(self.place.url, tip.ref, timeout_s=self._fetch_s())
        return checkout.peel(TIP)  # what was fetched, which may be newer than what was seen a moment ago

    def stored(self, stale_error: str | None = None) -> SourceState:
        """The last revision, as it is in our own copy."""
        if self.record.commit is None:
            if stale_error:
                raise Unavailable(stale_error, where=self.place.shown)
            raise NotFound(f"nothing of {self.place.shown} was fetched yet", help="run once without --no-fetch")
        fetched_at = seen_at(self.state_dir) or 0.0
        state = self._state(self.record.commit, self.record.ref, fetched_at=fetched_at)
        next_fetch = self.record.next_fetch if stale_error and self.place.path is None else None
        return replace(state, stale_error=stale_error, next_fetch=next_fetch, may_fetch=False)

    def failed(self, error: MosaicError | OSError) -> SourceState:
        """Remember the failure, and go on with the last revision if there is one."""
        failures = self.record.failures + 1
        next_fetch = self.now + fetch_delay(failures)
        record = replace(self.record, failures=failures, next_fetch=next_fetch, error=str(error))
        if not self.preview:
            with suppress(OSError):  # a full disk may be the very failure; then the next run simply asks again
                save_record(self.state_dir, record)
        if record.commit is None:
            if isinstance(error, OSError):
                raise Unavailable(f"the source cannot be kept: {error}", where=str(self.state_dir)) from error
            raise error
        return replace(self, record=record).stored(str(error))

    def _state(self, commit: Commit, ref: str, *, fetched_at: float) -> SourceState:
        return SourceState(
            spec=self.place.shown,
            ref=ref,
            commit=commit,
            fetched_at=fetched_at,
            place=self.place,
            checkout=self.checkout,
            deadline=self.deadline,
            fetch_s=self.settings.fetch_timeout,
            may_fetch=True,
            preview=self.preview,
        )

    def _fetch_s(self) -> float:
        return self.deadline.left(self.settings.fetch_timeout)
