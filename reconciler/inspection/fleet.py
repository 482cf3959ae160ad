"""Inspect the fleet: one look at this host, compared with git; for commands that only show.

Nothing is written, no lock is taken and no network is asked: the newest commit of a repository on this machine is read
as it is, of a remote one that was fetched last. If nothing newer can be had, it is the commit in force.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.errors import MosaicError, NotFound
from reconciler.inspection.rows import build_rows, ended_again
from reconciler.listing.document import Listing
from reconciler.listing.row import Row, RowCase
from reconciler.loop.converge import Pass, look
from reconciler.loop.host_guard import at_home
from reconciler.loop.result import RunOptions
from reconciler.model import AgentHistory, History, Inventory, Plan
from reconciler.observe.idle_threshold import with_idle_threshold
from reconciler.run import lives_round
from reconciler.state.may_need import may_need_a_person
from reconciler.status.fleet_problems import fleet_problems
from reconciler.status.status import FleetStatus
from reconciler.status.values import Pause
from specs.compiled import Fleet, Suspension
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from providers.host import HostFacts
    from reconciler.attention.register import OpenCase
    from reconciler.context.fleet import FleetContext
    from reconciler.context.host import HostContext
    from reconciler.context.settings import Settings
    from reconciler.state.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLook:
    """What git says: the fleet to compare with, the newest commit, and why that is not taken ("" if it is)."""

    fleet: Fleet
    newest: str = ""
    rejected: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetLook:
    """What was seen, and what it was compared with. `seen` has the observation and the plan."""

    fleet: Fleet
    seen: Pass
    listing: Listing
    history: History
    inventory: Inventory
    suspended: Mapping[str, Suspension]
    pause: Pause | None
    store: Store
    settings: Settings
    facts: HostFacts
    source: SourceLook
    tip: str  # the commit that a repository on this machine offers, "" for any other
    status: FleetStatus | None  # of the last run
    warnings: tuple[str, ...] = ()
    cases: tuple[OpenCase, ...] = ()  # what needs a person


def see(fleet: str | None = None, around: HostContext | None = None) -> FleetLook:
    """Look now. `fleet`: a repository, the name of a fleet on this host, or None for the usual one.

    Raises MosaicError if there is nothing to compare with; what could not be seen of the host is in the rows.
    """
    from reconciler.context.host import host_context

    return see_at(find(fleet), around or host_context())


def find(fleet: str | None) -> FleetContext:
    """The fleet's state on this host, read only. Raises NotFound."""
    from reconciler.context.fleet import fleet_context

    return fleet_context(fleet, read_only=True)


def see_at(place: FleetContext, around: HostContext, before: FleetLook | None = None) -> FleetLook:
    """As `see`, where the fleet has been found. `before`: what a watcher saw a moment ago, so that a commit that stays
    the same is not read again."""
    from reconciler.loop.setup import context
    from reconciler.state.pause import merge, read_pause

    at_home(around.host)
    store, settings = place.store, place.settings
    status = store.load_status()
    host = settings.host or (status.host if status is not None else None)
    options = RunOptions(fleet=place.spec, dry_run=True, host=host, fetch=_local(place.spec))
    tip = _tip(place)
    if before is not None and tip == before.tip and (tip or store.load_status() == before.status):
        source = before.source
    else:
        source = _source(place, options, around)
    desired, unread = with_idle_threshold(source.fleet, around.environ)
    ctx = context(around, store, settings, options, measure=True)
    seen = look(ctx, desired)
    now = seen.observation.taken_at
    history, inventory = store.load_history(now=now), store.load_inventory()
    suspended = merge(desired.suspended, store.load_suspensions(), now)
    pause = read_pause(around.facts)
    cases = _cases(store, desired, seen.plan, history, now)
    rows = build_rows(
        seen.plan,
        desired,
        history,
        inventory,
        seen.observation,
        suspended,
        failed=status.failed if status is not None else (),
        last_words=_last_words(store, seen.plan, history),
        lives=lives_round.observe(
            desired, seen.plan.views, store, around.facts, boot=seen.observation.boot_id, now=now
        ).now,
    )
    listing = Listing(
        fleet=desired.name,
        tenant_id=desired.tenant_id,
        host=desired.host,
        observed_at=now,
        compared=desired.revision,
        in_force=status.applied_revision if status is not None else "",
        newest=source.newest,
        rejected=source.rejected,
        pause=pause,
        problems=fleet_problems(seen.plan),
        rows=_with_cases(rows, cases),
    )
    return FleetLook(
        fleet=desired,
        seen=seen,
        listing=listing,
        history=history,
        inventory=inventory,
        suspended=suspended,
        pause=pause,
        store=store,
        settings=settings,
        facts=around.facts,
        source=source,
        tip=tip,
        status=status,
        warnings=(*source.warnings, *([unread] if unread else []), *store.warnings),
        cases=cases,
    )


def _cases(store: Store, fleet: Fleet, plan: Plan, history: History, now: float) -> tuple[OpenCase, ...]:
    """What needs a person; a look at which nothing does imports nothing for it."""
    if not may_need_a_person(store, plan.views, history):
        return ()
    from reconciler.run.attention_round import open_cases

    return open_cases(store, fleet, plan.views, history, now=now)


def _with_cases(rows: tuple[Row, ...], cases: Sequence[OpenCase]) -> tuple[Row, ...]:
    """Each row with the cases of its agent."""
    found: dict[str, list[RowCase]] = {}
    for one in cases:
        found.setdefault(one.case.agent, []).append(RowCase(one.case.id, str(one.case.kind), one.case.since))
    return tuple(_with(row, tuple(found[row.name])) if row.name in found else row for row in rows)


def _with(row: Row, cases: tuple[RowCase, ...]) -> Row:
    notes = (f"it needs a person ({one.kind}, case {one.case})" for one in cases)
    return replace(row, attention=cases, notes=(*row.notes, *notes))


def _last_words(store: Store, plan: Plan, history: History) -> dict[str, str]:
    """What was kept of those that end again and again: one file is read for each of them, none for the others."""
    names = [name for name, view in plan.views.items() if ended_again(view, history.agents.get(name, AgentHistory()))]
    if not names:
        return {}
    from reconciler.state.logs import last_words

    return {name: last_words(store, name) for name in names}


def _local(spec: str | None) -> bool:
    from reconciler.git.location import parse_place

    return spec is not None and parse_place(spec).path is not None


def _tip(place: FleetContext) -> str:
    from reconciler.git.location import parse_place

    if place.spec is None or not _local(place.spec):
        return ""
    try:
        return parse_place(place.spec).tip(place.settings.ref, timeout_s=5.0).oid
    except MosaicError:
        return ""


def _source(place: FleetContext, options: RunOptions, around: HostContext) -> SourceLook:
    """Raises MosaicError if there is nothing at all to compare with."""
    from reconciler.source.intake import load_source

    if place.spec is None:
        kept = _in_force(place, options)
        if kept is None:
            raise NotFound(
                f"the repository of the fleet {place.store.state.name} is not recorded on this host, "
                "and no commit is in force",
                help="name it: --fleet FLEET, MOSAIC_FLEET, the current folder, or `source` in reconcile.toml",
            )
        return SourceLook(fleet=kept)
    try:
        taken = load_source(place.spec, options, place.settings, around.facts, place.store, now=around.wall())
    except MosaicError as error:
        kept = _in_force(place, options)
        if kept is None:
            raise
        return SourceLook(fleet=kept, rejected=error.message.splitlines()[0].rstrip(":"))
    rejected = taken.report.message if taken.rejected is not None else ""
    return SourceLook(
        fleet=taken.fleet, newest=taken.report.attempted, rejected=rejected, warnings=tuple(taken.warnings)
    )


def _in_force(place: FleetContext, options: RunOptions) -> Fleet | None:
    """The fleet of the commit in force; None if nothing of it is kept here."""
    from reconciler.agents.lookup import in_force

    try:
        return in_force(place, host=options.host)
    except MosaicError:
        return None
