"""The source: find the one commit to look at now, from a repository, a branch and the last state.

Only committed state counts, and only through our own copy in the state folder; the operator's tree is read to report
that it is dirty, and never changed. If the source is unreachable, the last revision stays, with a report. `trust`
decides whether a revision may be *applied*; call it before `SourceState.files`.

An unchanged source costs no process if it is a repository on this machine, one if it is a URL.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from reconciler.context.settings import Settings
from reconciler.errors import MosaicError, NotFound, SourceBusy, Unavailable
from reconciler.git.location import RepositoryLocation, parse_place
from reconciler.git.mirror import TIP, Checkout
from reconciler.git.objects import Commit
from reconciler.git.process import Deadline, GitFailed, GitTimeout
from reconciler.git.refs import Tip, odd_file
from reconciler.source.commit_state import SourceState, renewed
from reconciler.source.record import SourceRecord, fetch_delay, load_record, save_record, seen_at, touch_seen
from specs.dataclass import dataclass, replace

CHECKOUT = "checkout"


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

    `fetch=False`: use what is in our copy, whatever the source has. `preview`: write nothing in the state folder.
    `force`: ask an unreachable remote even before its next turn. If the source cannot be reached, or its content cannot
    be used, the last revision is returned with `stale_error`; only without one is an error raised: NotFound,
    Unavailable, Refused or InvalidConfig. An invalid spec raises Usage or Refused at once.
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
    except SourceBusy as error:
        if record.commit is None:
            raise
        return replace(look.stored(f"{error.message} ({error.help})"), busy=True)
    except (MosaicError, OSError) as error:
        return look.failed(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One call of `open_source`, with its values."""

    place: RepositoryLocation
    settings: Settings
    state_dir: Path
    checkout: Checkout
    record: SourceRecord
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
        self.place.ready()
        if not self.preview:
            return self._take(tip)
        odd = odd_file(self.checkout.path)
        try:
            return self._preview(tip, self.checkout if not odd else None)
        except (GitFailed, NotFound):
            if odd or not self.checkout.damage():
                raise
            return self._preview(tip, None)

    def _preview(self, tip: Tip, lender: Checkout | None) -> SourceState:
        """Fetch into a scratch copy, which borrows the objects of `lender`."""
        scratch = (lender or Checkout(self.checkout.path / "none")).scratch()
        checkout = Checkout(Path(scratch.name))
        try:
            _, commit = self._fetch(tip, checkout)
        except BaseException:
            scratch.cleanup()
            raise
        return replace(self._state(commit, tip.ref, fetched_at=self.now), checkout=checkout, scratch=scratch)

    def _take(self, tip: Tip) -> SourceState:
        checkout, known, notes = self.checkout, self.record.commit, list[str]()
        gone = checkout.damage() if known is not None and (odd_file(checkout.path) or not checkout.exists()) else ""
        try:
            oid, commit = self._fetch(tip, checkout)
        except (GitFailed, NotFound) as error:
            # Our copy may be the broken part. It is only a copy, so make it again.
            why = "" if isinstance(error, GitTimeout) else checkout.damage()
            if not why:
                raise
            checkout.rebuild(self.place.url, tip.ref, tip.oid, timeout_s=self._fetch_s())
            oid, commit = checkout.peel(TIP)
            gone = why
        if gone:
            notes.append(renewed(gone))
        if oid != tip.oid and self.place.path is not None:
            self._still(tip.ref, oid)
        record = SourceRecord(key=self.place.key, ref=tip.ref, tip=oid, commit=commit)
        save_record(self.state_dir, record)
        touch_seen(self.state_dir, self.now)
        checkout.tidy()
        return replace(self._state(commit, tip.ref, fetched_at=self.now), checkout=checkout, notes=notes)

    def _still(self, ref: str, oid: str) -> None:
        """Check a fetched commit that differs from the one seen a moment before: a rebase may only be passing through
        it. Raises SourceBusy, or Unavailable if the source has moved again."""
        now = self.place.tip(self.settings.ref, timeout_s=self._fetch_s())
        if (now.ref, now.oid) != (ref, oid):
            raise Unavailable(f"{self.place.shown} changes while it is being read", help="the next look reads it again")

    def _fetch(self, tip: Tip, checkout: Checkout) -> tuple[str, Commit]:
        checkout.init(oid_length=len(tip.oid))
        checkout.fetch(self.place.url, tip.ref, timeout_s=self._fetch_s())
        return checkout.peel(TIP)  # the fetched commit, possibly newer than the one seen a moment ago

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
        """Remember the failure, and continue with the last revision if there is one."""
        failures = self.record.failures + 1
        next_fetch = self.now + fetch_delay(failures)
        record = replace(self.record, failures=failures, next_fetch=next_fetch, error=str(error))
        if not self.preview:
            with suppress(OSError):  # a full disk may be this very failure; then the next run simply asks again
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
