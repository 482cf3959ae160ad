"""Intake: take the desired state in force from the source.

A commit that is bad, not trusted or not a descendant never stops a good fleet: the last good revision stays in force,
the report says which commit is rejected and why, and a newer one is taken as soon as it is good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from providers.host import HostFacts
from reconciler.errors import InvalidConfig, MosaicError, Unavailable
from reconciler.loop.result import SourceSummary
from reconciler.plan.desired import compile_files, inputs_digest
from reconciler.state.store import Store, write_failure
from reconciler.status.assess import why_rejected
from reconciler.status.conditions import ConditionReason
from reconciler.status.values import SourceReport
from specs.compiled import Fleet
from specs.dataclass import dataclass, field

if TYPE_CHECKING:
    from reconciler.context.settings import Settings
    from reconciler.git.log import HistoryLine
    from reconciler.loop.result import RunOptions
    from reconciler.source.commit_state import SourceState
    from reconciler.source.ledger import Ledger

SOURCE_TIMEOUT_S = 120.0  # for one look at the source, fetching included


@dataclass(slots=True, kw_only=True)
class Intake:
    """The desired state in force. `rejected`: the error that keeps the newest commit out, None if it is in force.

    `problems`: rendered problems and warnings of the newest commit. `subject`: that of the revision in force.
    `compiled`: a fleet that was compiled just now, and the digest of its inputs: a run writes it to the cache of
    compiled fleets after its work.
    """

    fleet: Fleet
    report: SourceReport
    store: Store
    spec: str
    rejected: MosaicError | None = None
    problems: tuple[str, ...] = ()
    warnings: list[str] = field(default_factory=list)
    dirty: tuple[str, ...] = ()
    subject: str = ""
    seen_at: float = 0.0
    next_fetch: float | None = None
    commits: tuple[HistoryLine, ...] = ()  # in a preview: those that would come into force
    compiled: tuple[Fleet, str] | None = None

    def summary(self) -> SourceSummary:
        """The part that belongs to a run's result."""
        return SourceSummary(
            spec=self.spec,
            subject=self.subject,
            rejected=self.rejected.render() if self.rejected is not None else "",
            problems=self.problems,
            dirty=self.dirty,
            commits=self.commits,
            seen_at=self.seen_at,
        )


def source_spec(
    options: RunOptions, settings: Settings, facts: HostFacts, environ: Mapping[str, str]
) -> tuple[str, str]:
    """Which repository is meant, and what named it. Raises Usage, NotFound, Refused."""
    from reconciler.context.which_fleet import must_be_named, which_fleet

    found = must_be_named(which_fleet(options.fleet, settings, facts, environ))
    return found.must_have_repository(), found.by


def open_store(spec: str, options: RunOptions, settings: Settings, facts: HostFacts, *, now: float) -> Store:
    """The state of a repository's fleet. The fleet's name is read from the repository when it is first seen."""
    from reconciler.context.bindings import must_be_alone, read_bindings
    from reconciler.git.location import parse_place

    bindings = read_bindings(facts)
    place = parse_place(spec)
    name = bindings.names.get(place.key)
    first = name is None
    if name is None:
        name = _first_name(spec, options, settings, now)
        must_be_alone(name, facts)
    if not options.dry_run:
        try:
            bindings.bind(place, name)
        except OSError as error:
            if first:
                raise write_failure(bindings.path, error) from error
    return Store.open(facts, name, read_only=options.dry_run)


def load_source(
    spec: str,
    options: RunOptions,
    settings: Settings,
    facts: HostFacts,
    store: Store,
    *,
    now: float,
    force: bool = False,
) -> Intake:
    """Look at the source, judge what is new, and compile what is in force. Needs the fleet's lock, or a preview.

    Raises MosaicError if nothing can be in force: no commit was ever accepted, and this one is not acceptable.
    """
    from reconciler.source.fetch import open_source

    source = open_source(
        spec,
        settings=settings,
        state_dir=store.state,
        fetch=options.fetch,
        now=now,
        timeout_s=min(options.timeout_s, SOURCE_TIMEOUT_S),
        preview=options.dry_run,
        force=force,
    )
    with source:
        return _Judging(source, options, settings, facts, store, now).intake()


def _first_name(spec: str, options: RunOptions, settings: Settings, now: float) -> str:
    """The fleet's name, from a scratch copy: nothing of a repository is kept before its fleet is known."""
    import tempfile

    from reconciler.source.fetch import open_source
    from specs.loading.load import load
    from specs.values.problems import render_each

    timeout_s = min(options.timeout_s, SOURCE_TIMEOUT_S)
    with (
        tempfile.TemporaryDirectory(prefix="mosaic-") as scratch,
        open_source(spec, settings=settings, state_dir=Path(scratch), now=now, timeout_s=timeout_s) as source,
    ):
        loaded = load(source.files)
        if loaded.errors_fatal:
            raise _invalid(source.revision, render_each(loaded.problems))
        return loaded.fleet.name


def _invalid(revision: str, rendered: Sequence[str]) -> InvalidConfig:
    text = "\n\n".join(rendered)
    return InvalidConfig(f"commit {revision[:12]} is not a valid fleet:\n\n{text}")


class _Judging:
    def __init__(
        self, source: SourceState, options: RunOptions, settings: Settings, facts: HostFacts, store: Store, now: float
    ) -> None:
        self._source, self._options, self._settings = source, options, settings
        self._facts, self._store, self._now = facts, store, now
        self._host = options.host or settings.host or facts.hostname
        self._inputs = inputs_digest(facts, settings.path)
        self._problems: tuple[str, ...] = ()
        self._warnings: list[str] = []
        self._commits: tuple[HistoryLine, ...] = ()
        self._compiled: tuple[Fleet, str] | None = None

    def intake(self) -> Intake:
        from reconciler.source.ledger import marker_path, read_ledger

        marker = marker_path(self._facts.config_home, self._store.state.name)
        ledger = read_ledger(self._store.state, marker)
        try:
            rewind = self._trust(ledger)
            fleet = self._compile(self._source)
        except MosaicError as error:
            return self._fall_back(ledger, error)
        self._accept(ledger, rewind)
        self._name_commits(ledger)
        reason, message = ConditionReason.REVISION_ACCEPTED, self._source.subject
        if self._source.stale_error is not None:
            reason, message = ConditionReason.SOURCE_UNREACHABLE, self._source.stale_error
            if self._source.busy:
                reason, message = ConditionReason.SOURCE_BUSY, f"{message}; {self._short()} stays in force"
            if self._store.read_only:  # a run says so in its report
                self._warnings.append(f"the source: {message}; {self._short()} is the last that was fetched")
        elif not self._options.fetch:
            reason = ConditionReason.NOT_FETCHED
        return self._result(self._source, fleet, reason, message, None)

    def _short(self) -> str:
        return self._source.revision[:12]

    def _dirty(self) -> tuple[str, ...]:
        """For a warning only, which never ends a run, whatever is in somebody's working tree."""
        try:
            return self._source.dirty
        except (MosaicError, OSError, ValueError):
            return ()

    def _trust(self, ledger: Ledger) -> bool:
        """Whether the operator had to allow a rewind; raises Refused if the commit may not be applied."""
        from reconciler.source.trust import check

        found = check(self._source, ledger, settings=self._settings, allow_rewind=self._options.allow_rewind)
        self._warnings.extend(found.warnings)
        return found.rewind

    def _compile(self, source: SourceState) -> Fleet:
        known = self._store.load_desired(revision=source.revision, host=self._host, inputs=self._inputs)
        if known is not None:
            if self._store.read_only:  # a run reported these when it compiled the commit; a person sees them each time
                self._warnings.extend(known.remarks)
            return known
        compiled = compile_files(
            source.files, revision=source.revision, host=self._host, facts=self._facts, path=self._settings.path
        )
        from specs.values.problems import render_each

        rendered = render_each(compiled.problems)
        fleet = compiled.fleet
        if fleet is None:
            self._problems = rendered
            raise _invalid(source.revision, rendered)
        if fleet.name != self._store.state.name:
            raise InvalidConfig(
                f'commit {source.revision[:12]} renames the fleet from "{self._store.state.name}" to "{fleet.name}"',
                help="a fleet keeps its name; to begin again, remove its agents first, then use the new name",
            )
        self._problems = rendered
        self._compiled = fleet, self._inputs
        return fleet

    def _accept(self, ledger: Ledger, rewind: bool) -> None:
        if self._store.read_only:
            return
        from reconciler.source.ledger import clear_rejection

        before = ledger.last_good()
        if before is not None and before.sha == self._source.revision and ledger.problem is None and not ledger.behind:
            return
        clear_rejection(self._store.state, self._source.revision)
        try:
            ledger.record(
                self._source.revision,
                by=self._facts.user,
                verify=self._settings.verify,
                now=self._now,
                rewind=rewind,
            )
        except OSError as error:
            failure = write_failure(ledger.path, error)
            if error.filename != str(ledger.marker):
                raise failure from error
            # The marker only confirms the ledger. It may also lag after a crash, and every run tries to write it again.
            self._warnings.append(failure.message)

    def _name_commits(self, ledger: Ledger) -> None:
        applied, new = ledger.last_good(), self._source.revision
        if self._options.dry_run and applied is not None and applied.sha != new:
            from reconciler.git.log import coming_into_force

            self._commits = coming_into_force(self._source.checkout, applied.sha, new)

    def _fall_back(self, ledger: Ledger, error: MosaicError) -> Intake:
        last = ledger.last_good()
        if not self._store.read_only and not isinstance(error, Unavailable):  # an unknown commit is not a rejected one
            from reconciler.source.ledger import reject

            reject(self._store.state, self._source.revision, error.message.splitlines()[0], self._now)
        if last is None or last.sha == self._source.revision:
            raise error
        rejected = self._problems
        source = self._source.at(last.sha)
        try:
            fleet = self._compile(source)
        except MosaicError:
            raise error from None
        self._problems = rejected
        first = error.message.splitlines()[0].rstrip(":")
        message = f"{first}; {last.sha[:12]} stays in force"
        return self._result(source, fleet, why_rejected(error), message, error)

    def _result(
        self,
        source: SourceState,
        fleet: Fleet,
        reason: ConditionReason,
        message: str,
        rejected: MosaicError | None,
    ) -> Intake:
        if any(agent.placed for agent in fleet.agents):
            from reconciler.source.old_host import with_moves

            fleet = with_moves(fleet, source, self._store, self._facts.hostname)
        dirty = self._dirty()
        self._warnings.extend(dict.fromkeys((*self._source.notes, *source.notes)))
        report = SourceReport(
            attempted=self._source.revision,
            applied=source.revision,
            reason=reason,
            message=message,
            dirty=bool(dirty),
        )
        return Intake(
            fleet=fleet,
            report=report,
            store=self._store,
            spec=self._source.spec,
            seen_at=self._source.fetched_at,
            rejected=rejected,
            problems=self._problems,
            warnings=self._warnings,
            dirty=dirty,
            subject=source.subject,
            next_fetch=self._source.next_fetch,
            commits=self._commits,
            compiled=self._compiled,
        )
