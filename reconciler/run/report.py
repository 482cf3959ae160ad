"""The report: what a run leaves for people and programs, and the result that it returns.

Status, events, metrics and receipts are only to be read. If one of them cannot be written, that is a warning: what the
run did on the host stands, and the next run depends on none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from reconciler.errors import ExitCode, MosaicError
from reconciler.loop.converge import Converged
from reconciler.loop.result import RunOptions, RunResult
from reconciler.source.intake import Intake
from reconciler.state.store import Store
from reconciler.status.assess import why_rejected
from reconciler.status.status import FleetStatus, LastRun, build_status, unready_status
from reconciler.status.values import RunOutcome, SourceReport
from specs.compiled import Fleet

if TYPE_CHECKING:
    from providers.host import HostFacts
    from providers.kinds.framework import Install
    from providers.kinds.registry import Registry
    from reconciler.attention.case import AttentionCase
    from reconciler.context.host import HostContext
    from reconciler.context.settings import Settings


def finish(
    intake: Intake,
    done: Converged,
    providers: Registry,
    *,
    options: RunOptions,
    here: HostContext,
    outcome: RunOutcome,
    code: ExitCode,
    started_at: float,
    duration_s: float,
    install: Install = "none",
    began: Mapping[str, str] = MappingProxyType({}),
    attention: tuple[AttentionCase, ...] = (),
) -> RunResult:
    """Build the status and, unless this was a preview, write everything."""
    from reconciler.state.pause import merge, read_pause

    store, fleet, now = intake.store, intake.fleet, here.wall()
    previous = store.load_status()
    status = build_status(
        previous,
        plan=done.last.plan,
        outcomes=done.outcomes,
        source=intake.report,
        history=store.load_history(now=now),
        suspended=merge(fleet.suspended, store.load_suspensions(), now),
        pause=read_pause(here.facts),
        now=now,
        began=began,
        last_run=LastRun(
            started_at=started_at,
            duration_s=duration_s,
            trigger=options.trigger,
            outcome=outcome,
            exit_code=int(code),
            passes=done.passes,
        ),
        attention=attention,
    )
    warnings = [*intake.warnings, *store.warnings]
    if not options.dry_run:
        if intake.compiled is not None:
            compiled, inputs = intake.compiled
            _attempt(lambda: store.save_desired(compiled, inputs=inputs), warnings)
        _keep(previous, status, done, providers, here.facts, store, fleet, options, warnings)
    return RunResult(
        plan=done.last.plan,
        outcomes=tuple(done.outcomes),
        outcome=outcome,
        exit_code=int(code),
        passes=done.passes,
        started_at=started_at,
        duration_s=duration_s,
        status=status,
        warnings=tuple(warnings),
        intake=intake.summary(),
        interval=fleet.policy.interval,
        install=install,
        registry=providers,
        facts=here.facts,
    )


def _keep(
    previous: FleetStatus | None,
    status: FleetStatus,
    done: Converged,
    providers: Registry,
    facts: HostFacts,
    store: Store,
    fleet: Fleet,
    options: RunOptions,
    warnings: list[str],
) -> None:
    revision, now = status.applied_revision, status.updated_at

    def crashes() -> None:
        from reconciler.state.logs import save_crash

        for one in done.outcomes:
            if one.captured.strip() and one.action.agent is not None:
                save_crash(store, one.action.agent, one.captured)

    def events() -> None:
        from reconciler.state.event_log import EventLog
        from reconciler.status.events import run_events

        source: Literal["watch", "reconcile"] = "watch" if options.trigger == "watch" else "reconcile"
        log = EventLog(store=store, source=source, fleet=fleet.name, tenant_id=fleet.tenant_id, host=fleet.host)
        log.write(run_events(previous, status, done.outcomes), now=now, revision=revision)

    def receipt() -> None:
        if done.applied is not None:
            from reconciler.run.documents import receipt_document
            from reconciler.state.logs import add_receipt

            document = receipt_document(status, done.applied.plan, done.outcomes, providers, facts)
            add_receipt(store, document, now=now, revision=revision)

    def metrics() -> None:
        from reconciler.status.metrics import metrics_text

        store.write(store.state / "reconcile.prom", metrics_text(status))

    for write in (crashes, events, receipt, metrics, lambda: store.save_status(status)):
        _attempt(write, warnings)


def _attempt(write: Callable[[], None], warnings: list[str]) -> None:
    try:
        write()
    except MosaicError as error:
        warnings.append(error.message)


def unready(error: MosaicError, options: RunOptions, store: Store, here: HostContext, settings: Settings) -> None:
    """Report in the status that nothing can be in force, if there is a status to write."""
    if options.dry_run:
        return
    from reconciler.status.events import run_events

    first = error.message.splitlines()[0].rstrip(":")
    report = SourceReport(attempted="", applied="", reason=why_rejected(error), message=first)
    previous = store.load_status()
    host = options.host or settings.host or here.facts.hostname
    now = here.wall()
    status = unready_status(
        previous, fleet=store.state.name, tenant_id=here.facts.user, host=host, source=report, now=now
    )

    def events() -> None:
        from reconciler.state.event_log import EventLog

        log = EventLog(store=store, source="reconcile", fleet=store.state.name, tenant_id=here.facts.user, host=host)
        log.write(run_events(previous, status, ()), now=now, revision="")

    lost: list[str] = []  # the operator gets the error itself
    _attempt(events, lost)
    _attempt(lambda: store.save_status(status), lost)
