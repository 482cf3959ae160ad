"""Make one whole run, from the options of a command line to its result.

Everything that a run needs from outside (host, clock, settings, signals) is assembled here, for `reconcile` and for the
resident loop alike.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from providers.base import HeldReason
from providers.host import HostFacts
from providers.kinds.place import program_warnings
from reconciler.context.host import HostContext, host_context
from reconciler.errors import ExitCode, MosaicError, Refused, unknown_agent
from reconciler.loop.converge import Context, Converged, Pass, converge, look
from reconciler.loop.host_guard import checked
from reconciler.loop.result import RunOptions, RunResult
from reconciler.loop.setup import context
from reconciler.model import Plan
from reconciler.observe.idle_threshold import with_idle_threshold
from reconciler.run import lives_round
from reconciler.run.attention_steps import hand_over, looking_again, what_needs_a_person, with_notices
from reconciler.source.intake import Intake, load_source, open_store, source_spec
from reconciler.state.store import Store
from reconciler.status.assess import MANAGERS, verdict
from specs.compiled import Fleet
from specs.dataclass import replace

if TYPE_CHECKING:
    from reconciler.context.settings import Settings
    from reconciler.run.lives_round import Lives
    from reconciler.status.events import EventSource


def run(
    options: RunOptions, around: HostContext | None = None, *, doing: Callable[[str], None] | None = None
) -> RunResult:
    """Take in the source and converge, or preview. `doing` receives the progress. Raises MosaicError if there is
    nothing to converge to."""
    from reconciler.context.settings import read_settings, settings_path
    from reconciler.state.lock import run_lock

    here = around or host_context()
    here.doing = doing or here.doing
    settings = read_settings(settings_path(here.facts.config_home))
    here.host.until(here.monotonic() + options.timeout_s)
    options = checked(options, settings, here.host)
    spec, by = source_spec(options, settings, here.facts, here.environ)
    started = here.wall()
    store = open_store(spec, options, settings, here.facts, now=started)
    lock: AbstractContextManager[None] = nullcontext() if options.dry_run else run_lock(store, now=started)
    with lock:
        result = run_locked(spec, options, settings, here, store)
    hand_over(result, store, here)
    return replace(result, intake=replace(result.intake, named_by=by)) if result.intake is not None else result


def run_locked(
    spec: str, options: RunOptions, settings: Settings, here: HostContext, store: Store, *, force: bool = False
) -> RunResult:
    """The run itself, with the fleet's lock held. A host without a name in `options` has not been checked yet."""
    from reconciler.run.report import finish, unready

    started, began = here.wall(), here.monotonic()
    deadline = began + options.timeout_s
    here.host.until(deadline)
    if options.host is None:
        options = checked(options, settings, here.host)

    here.doing("reading the repository")
    if not options.dry_run:
        store.sweep()
    try:
        asked = force or options.trigger == "sync"
        intake = load_source(spec, options, settings, here.facts, store, now=started, force=asked)
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
        _asked(look(ctx, intake.fleet).plan, ctx, intake, options, here, deadline)  # as the maker of the plan did
        done = converge(ctx, intake.fleet, deadline, first=_checked(ctx, intake, options))
    else:
        done = converge(ctx, intake.fleet, deadline)
        if _asked(done.last.plan, ctx, intake, options, here, deadline):
            done = done.followed_by(converge(ctx, intake.fleet, deadline))
    outcome, code = verdict(done.last.plan, done.outcomes)
    if options.dry_run:
        code = preview_code(intake, done.last.plan)
    elif intake.rejected is not None:
        code = ExitCode(intake.rejected.exit_code)  # the last good commit is in force, the newest is rejected
    elif options.trigger == "timer" and outcome == "held":
        code = ExitCode.OK  # the policy asks to wait, so systemd must not call the run failed
    intake.warnings.extend(program_warnings(done.last.observation.present))
    faults = (f"{here.facts.mosaic_home}/{one.name}: {one.fault}" for one in here.facts.overlays if one.fault)
    intake.warnings.extend(f"{what}; agents are told so in its place" for what in faults)
    before = store.load_status()
    last = before.last_run if before is not None else None
    lives = lives_round.observe(
        intake.fleet,
        done.last.plan.views,
        store,
        here.facts,
        boot=done.last.observation.boot_id,
        now=here.wall(),
        started=lives_round.started_by(done),
        since=last.started_at if last is not None else None,
    )
    attention = None if options.dry_run else what_needs_a_person(store, intake, done.last.plan, options, here)
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
        install=settings.install,
        began=lives.notes(here.wall()),
        attention=attention.cases if attention is not None else (),
    )
    if attention is not None:
        result = with_notices(result, attention, intake.fleet)
    if options.dry_run:
        return _would_be_put_away(result, ctx, intake.fleet)
    return looking_again(_messages(result, ctx, intake.fleet, done, here, lives, settings), store, here)


def _asked(plan: Plan, ctx: Context, intake: Intake, options: RunOptions, here: HostContext, deadline: float) -> bool:
    """After all else, ask the old hosts of agents that move here and are due to start; returns whether any was asked. A
    start despite an unknown answer is reported."""
    held = {one.agent for one in plan.held if one.reason is HeldReason.MOVING and one.agent is not None}
    left = deadline - here.monotonic()
    if not held or plan.paused is not None or not options.fetch or left <= 0 or here.stop():
        return False
    from reconciler.plan.holding.moving import unasked
    from reconciler.source.old_host import ASK_S, asked

    here.doing(f"asking other hosts about {', '.join(sorted(held))}")
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
    here: HostContext,
    lives: Lives,
    settings: Settings,
) -> RunResult:
    """Send agents on an older mission their message, new lives their first words, and what waits in the outbox. A
    failure with a message is a warning: the run has done its work. Without any of these it costs one look for a
    folder."""
    if _is_waited_for(here.facts):
        from reconciler.delivery.evidence import sweep

        sweep(here.facts, here.wall())
    if done.last.plan.paused is not None:
        return result
    here.doing("looking after messages")
    try:
        if any(view.waiting == "trust" for view in done.last.plan.views.values()) and any(fleet.trusts.values()):
            from reconciler.run import trust_round

            trust_round.after_run(result, ctx, fleet, here)
        if any(view.stuck == "limit" and view.until_at for view in done.last.plan.views.values()):
            from reconciler.run import limit_round

            boot = done.last.observation.boot_id
            limit_round.run_round(fleet, done.last.plan.views, ctx.store, boot=boot, now=here.wall())
        last = result.status.last_run
        source: EventSource = "watch" if last is not None and last.trigger == "watch" else "reconcile"
        lives_round.finish(fleet, lives, ctx.store, source, now=here.wall())
        lives_round.note_kept(fleet, lives, done.last.plan.views, here.host)
        if any(view.behind for view in done.last.plan.views.values()) or os.path.isdir(ctx.store.state / "outbox"):
            from reconciler.run import mission_round

            result = mission_round.after_run(result, ctx, fleet, here, settings, lives.now)
        if lives.unsettled:
            result = replace(result, messages=True)  # what it reports next may say how it began
        if not os.path.isdir(ctx.store.state / "outbox"):
            return result
        from reconciler.run.outbox_round import after_run

        return after_run(result, ctx, fleet, here, {name: life.process for name, life in lives.now.items()})
    except MosaicError as error:
        return replace(result, warnings=(*result.warnings, f"messages: {error.message}"))


def _would_be_put_away(result: RunResult, ctx: Context, fleet: Fleet) -> RunResult:
    """In a preview, name the messages that no longer have a recipient."""
    if not os.path.isdir(ctx.store.state / "outbox"):
        return result
    from reconciler.run.outbox_round import forecast

    return replace(result, warnings=(*result.warnings, *forecast(fleet, ctx.store)))


def _is_waited_for(facts: HostFacts) -> bool:
    """Whether somebody waits for an agent's report on a message, or was killed while waiting."""
    try:
        return bool(os.listdir(f"{facts.runtime_dir}/mosaic/await"))
    except OSError:
        return False


def _must_know(names: tuple[str, ...], intake: Intake, store: Store) -> None:
    """Raises NotFound, with near misses, before anything is done for an unknown name."""
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


def _checked(ctx: Context, intake: Intake, options: RunOptions) -> Pass:
    """The look whose plan is exactly the given one. Raises Refused if the revision or the host has moved since, or if
    somebody has altered the document."""
    import json

    from reconciler.run.documents import plan_document

    given = dict(options.plan_in or {})
    seen = look(ctx, intake.fleet)
    fresh = plan_document(seen.plan, ctx.registry(), ctx.host.facts)
    if given.get("revision") != fresh["revision"]:
        was, now = str(given.get("revision"))[:12], str(fresh["revision"])[:12]
        raise Refused(
            f"the plan is for commit {was}, and {now} is in force now",
            help="make a new plan: reconcile --dry-run --out PLAN.json",
        )
    if given.get("digest") != fresh["digest"]:
        raise Refused(
            "the host has changed since the plan was made, so it would not do what it says",
            help="make a new plan: reconcile --dry-run --out PLAN.json",
        )
    shown = {key: given.get(key) for key in ("fleet", "host", "actions")}
    if shown != json.loads(json.dumps({key: fresh[key] for key in shown})):
        raise Refused(
            "the plan has been altered since it was made: what it shows is not what would be done",
            help="make a new plan: reconcile --dry-run --out PLAN.json",
        )
    return seen
