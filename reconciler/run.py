"""Run: one whole run, from the options of a command line to its result.

Everything that a run needs of the outside (host, clock, settings, signals) is put together here, for `reconcile` and
for the resident loop alike.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from providers.base import HeldReason, ObserveError
from providers.host import Host, HostFacts
from providers.place import program_warnings
from providers.registry import Registry, registry
from reconciler.errors import ExitCode, MosaicError, Refused, unknown_agent
from reconciler.host_guard import checked
from reconciler.intake import Intake, open_store, source_spec, take
from reconciler.judge import MANAGERS, verdict
from reconciler.loop import Context, Converged, Pass, converge, learn, look
from reconciler.model import Plan
from reconciler.plan import PlanOptions
from reconciler.results import RunOptions, RunResult
from reconciler.store import Store
from reconciler.threshold import with_idle_threshold
from specs.compiled import Fleet, Suspension

if TYPE_CHECKING:
    from reconciler.settings import Settings
    from reconciler.status import FleetStatus


@dataclass(slots=True, kw_only=True)
class Surroundings:
    """What does not change from run to run of a resident loop. `stop`: a signal has asked for the end."""

    host: Host
    environ: Mapping[str, str]
    stop: Callable[[], bool] = lambda: False
    sleep: Callable[[float], None] = time.sleep
    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    # The descriptor that hears from systemd (-1: none just now), and what takes in what came; None: nobody listens.
    follow_units: Callable[[], tuple[int, Callable[[], bool]]] | None = None

    @property
    def facts(self) -> HostFacts:
        return self.host.facts


def surroundings(stop: Callable[[], bool] = lambda: False) -> Surroundings:
    """The real ones."""
    from providers.local_host import LocalHost

    host = LocalHost(os.environ)

    def follow_units() -> tuple[int, Callable[[], bool]]:
        try:
            host.systemd.subscribe()
        except ObserveError:
            return -1, lambda: False
        return host.systemd.fileno(), host.systemd.drain

    return Surroundings(host=host, environ=os.environ, stop=stop, follow_units=follow_units)


def run(options: RunOptions, around: Surroundings | None = None) -> RunResult:
    """Take in the source and converge, or preview. Raises MosaicError if there is nothing to converge to."""
    from reconciler.lock import run_lock
    from reconciler.settings import read_settings, settings_path

    here = around or surroundings()
    settings = read_settings(settings_path(here.facts.config_home))
    here.host.until(here.monotonic() + options.timeout_s)
    options = checked(options, settings, here.host)
    spec, by = source_spec(options, settings, here.facts, here.environ)
    started = here.wall()
    store = open_store(spec, options, settings, here.facts, now=started)
    lock: AbstractContextManager[None] = nullcontext() if options.dry_run else run_lock(store, now=started)
    with lock:
        result = run_locked(spec, options, settings, here, store)
    return replace(result, intake=replace(result.intake, named_by=by)) if result.intake is not None else result


def run_locked(
    spec: str, options: RunOptions, settings: Settings, here: Surroundings, store: Store, *, force: bool = False
) -> RunResult:
    """The run itself, with the fleet's lock held. A host without a name in `options` has not been checked yet."""
    from reconciler.report import finish, unready

    started, began = here.wall(), here.monotonic()
    deadline = began + options.timeout_s
    here.host.until(deadline)
    if options.host is None:
        options = checked(options, settings, here.host)

    if not options.dry_run:
        store.sweep()
    try:
        asked = force or options.trigger == "sync"
        intake = take(spec, options, settings, here.facts, store, now=started, force=asked)
    except MosaicError as error:
        unready(error, options, store, here, settings)
        raise
    intake.fleet, unread = with_idle_threshold(intake.fleet, here.environ)
    intake.warnings.extend([unread] if unread else [])
    _must_know(options.agents, intake, store)
    ctx = context(here, store, settings, options)
    if options.dry_run:
        done = Converged(last=look(ctx, intake.fleet))
        if _asked(done.last.plan, ctx, intake, options, here, deadline):
            done = Converged(last=look(ctx, intake.fleet))
    elif options.plan_in is not None:
        _asked(look(ctx, intake.fleet).plan, ctx, intake, options, here, deadline)  # as whoever made the plan has done
        done = converge(ctx, intake.fleet, deadline, first=_checked(ctx, intake, options))
    else:
        done = converge(ctx, intake.fleet, deadline)
        if _asked(done.last.plan, ctx, intake, options, here, deadline):
            done = done.followed_by(converge(ctx, intake.fleet, deadline))
    outcome, code = verdict(done.last.plan, done.outcomes)
    if options.dry_run:
        code = preview_code(intake, done.last.plan)
    elif intake.rejected is not None:
        code = ExitCode(intake.rejected.exit_code)  # the host is as the last good commit says, the newest is not taken
    elif options.trigger == "timer" and outcome == "held":
        code = ExitCode.OK  # to wait is what the policy asks for, and no reason for systemd to call the run failed
    intake.warnings.extend(program_warnings(done.last.observation.present))
    faults = (f"{here.facts.mosaic_home}/{one.name}: {one.fault}" for one in here.facts.overlays if one.fault)
    intake.warnings.extend(f"{what}; agents are told so in its place" for what in faults)
    before = store.load_status()
    result = finish(
        intake,
        done,
        ctx.registry(),
        options=options,
        here=here,
        outcome=outcome,
        code=ExitCode(code),
        started_at=started,
        duration_s=here.monotonic() - began,
    )
    if options.dry_run:
        return _would_be_put_away(result, ctx, intake.fleet)
    return _messages(result, ctx, intake.fleet, done, here, before, settings)


def _asked(plan: Plan, ctx: Context, intake: Intake, options: RunOptions, here: Surroundings, deadline: float) -> bool:
    """Ask the old hosts of agents that come from them and are due to start here, after all else was done; whether
    anybody was asked. What nobody could tell, and is done all the same, is said."""
    held = {one.agent for one in plan.held if one.reason is HeldReason.MOVING and one.agent is not None}
    left = deadline - here.monotonic()
    if not held or plan.paused is not None or not options.fetch or left <= 0 or here.stop():
        return False
    from reconciler.moving import unasked
    from reconciler.old_host import ASK_S, asked

    before = intake.fleet
    at_once = options.trigger in ("manual", "sync")
    intake.fleet = asked(before, held, ctx.store, here.wall(), at_once=at_once, timeout_s=min(ASK_S, left))
    intake.warnings.extend(said for name in sorted(held) if (said := unasked(intake.fleet, name)))
    return intake.fleet is not before


def _messages(
    result: RunResult,
    ctx: Context,
    fleet: Fleet,
    done: Converged,
    here: Surroundings,
    before: FleetStatus | None,
    settings: Settings,
) -> RunResult:
    """What agents on an older mission are told, the first words of those that begin a new life, and what waits in the
    outbox. What goes wrong with a message is a warning: the run has done its work. Without any of that it is one look
    for a folder."""
    if _is_waited_for(here.facts):
        from reconciler.deliver_evidence import sweep

        sweep(here.facts, here.wall())
    if done.last.plan.paused is not None:
        return result
    try:
        if any(view.behind for view in done.last.plan.views.values()) or os.path.isdir(ctx.store.state / "outbox"):
            from reconciler import mission

            result = mission.after_run(result, ctx, fleet, here, settings)
        if any(agent.kickstart is not None for agent in fleet.agents):
            from reconciler.kickstart import note_lives

            last = before.last_run if before is not None else None
            note_lives(fleet, done, ctx.store, since=last.started_at if last else None, now=here.wall())
        if not os.path.isdir(ctx.store.state / "outbox"):
            return result
        from reconciler.postman import after_run

        return after_run(result, ctx, fleet, here)
    except MosaicError as error:
        return replace(result, warnings=(*result.warnings, f"messages: {error.message}"))


def _would_be_put_away(result: RunResult, ctx: Context, fleet: Fleet) -> RunResult:
    """A preview says which messages have nobody any more whom they are for."""
    if not os.path.isdir(ctx.store.state / "outbox"):
        return result
    from reconciler.postman import forecast

    return replace(result, warnings=(*result.warnings, *forecast(fleet, ctx.store)))


def _is_waited_for(facts: HostFacts) -> bool:
    """Whether somebody waits for an agent's word about a message, or was killed while he did."""
    try:
        return bool(os.listdir(f"{facts.runtime_dir}/mosaic/await"))
    except OSError:
        return False


def _must_know(names: tuple[str, ...], intake: Intake, store: Store) -> None:
    """Raises NotFound, with near misses, before anything is done for a name that nobody has."""
    known = {agent.name for agent in intake.fleet.agents} | set(store.load_inventory().agents)
    for name in names:
        if name not in known:
            raise unknown_agent(name, known)


def preview_code(intake: Intake, plan: Plan) -> ExitCode:
    """A preview that could be shown is a success, unless the newest commit is rejected, an entry in it is wrong, the
    host could not be seen, or a guard would refuse."""
    if intake.rejected is not None:
        return ExitCode(intake.rejected.exit_code)
    if any(agent.held is not None for agent in intake.fleet.agents):
        return ExitCode.INVALID_CONFIG
    if MANAGERS & plan.unknown.keys() and not plan.actions:
        return ExitCode.UNAVAILABLE
    return ExitCode.REFUSED if plan.refused else ExitCode.OK


def context(
    here: Surroundings, store: Store, settings: Settings, options: RunOptions, *, measure: bool = False
) -> Context:
    """What the passes of a run work with. `measure`: for a list: what agents use, and every raw observation."""

    def providers() -> Registry:
        from reconciler.entry import service_command

        owned = store.load_inventory()
        return registry(
            owned_on=frozenset((name, agent.socket) for name, agent in owned.agents.items()),
            install=settings.install,
            command=service_command() if settings.install != "none" else (),
            measure=measure,
        )

    def suspended(fleet: Fleet) -> dict[str, Suspension]:
        from reconciler.pause import merge

        return merge(fleet.suspended, store.load_suspensions(), here.wall())

    return Context(
        host=here.host,
        store=store,
        registry=providers,
        suspended=suspended,
        options=PlanOptions(agents=frozenset(options.agents), allow_removals=options.allow_removals, detail=measure),
        monotonic=here.monotonic,
        sleep=here.sleep,
        stop=here.stop,
    )


def _checked(ctx: Context, intake: Intake, options: RunOptions) -> Pass:
    """The look whose plan is exactly the given one. Raises Refused if the revision or the host has moved since, or
    if somebody has altered the document."""
    import json

    from reconciler.documents import plan_document

    given = dict(options.plan_in or {})
    seen = look(ctx, intake.fleet)
    fresh = plan_document(seen.plan, ctx.registry(), ctx.host.facts)
    if given.get("revision") != fresh["revision"]:
        raise Refused(
            f"the plan is for commit {str(given.get('revision'))[:12]}, and {fresh['revision'][:12]} is in force now",
            help="make a new plan: reconcile --dry-run --out PLAN.json",
        )
    if given.get("digest") != fresh["digest"]:
        raise Refused(
            "the host has changed since the plan was made, so it would not do what it says",
            help="make a new plan: reconcile --dry-run --out PLAN.json",
        )
    told = {key: given.get(key) for key in ("fleet", "host", "actions")}
    if told != json.loads(json.dumps({key: fresh[key] for key in told})):
        raise Refused(
            "the plan has been altered since it was made: what it shows is not what would be done",
            help="make a new plan: reconcile --dry-run --out PLAN.json",
        )
    learn(ctx, intake.fleet, seen)
    return seen
