"""`mosaic update`: bring this host to the installed version: texts, units, and, if asked, the agents."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_argument
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from providers.host import HostFacts
    from reconciler.cli.output import Output
    from reconciler.context.fleet import FleetContext
    from reconciler.loop.result import RunResult
    from reconciler.update.outdated_agents import Older
    from reconciler.update.update import InstalledRelease

LOCK_WAIT_S = 15.0  # a run that is under way is waited for
EPILOG = """\b
Examples:
  mosaic update --dry-run     what would be done
  mosaic update               do it; agents keep running as they are
  mosaic update --relaunch    and restart each agent when it is idle
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFlags:
    """What the command line asks for."""

    reseed: bool
    relaunch: bool
    dry_run: bool
    force: bool = False


@click.command(epilog=EPILOG)
@click.option("--no-reseed", is_flag=True, help="Leave the framework files as they are until the next update.")
@click.option(
    "--relaunch", is_flag=True, help="Restart agents with an older launch, when the rollout policy allows it."
)
@click.option("--force", is_flag=True, help="With --relaunch: at once, even if they work or wait for somebody.")
@click.option("--dry-run", is_flag=True, help="Show what would be done; write nothing, anywhere.")
@click.option("--rollback", is_flag=True, help="Restore the framework files as they were before the last update.")
@fleet_argument
@click.pass_obj
def command(
    output: Output, *, no_reseed: bool, relaunch: bool, force: bool, dry_run: bool, rollback: bool, fleet: str | None
) -> int:
    """Put the files of the installed version in place, refresh the units, and name the agents that run on an older
    launch.

    It takes a snapshot of the framework files first. What you wrote is never lost: see the page on upgrading.
    """
    from reconciler.context.fleet import fleet_context

    if rollback and (no_reseed or relaunch or force or dry_run):
        raise click.UsageError("--rollback takes no other option")
    if force and not relaunch:
        raise click.UsageError("--force goes with --relaunch: nothing else here ends an agent")
    place = fleet_context(fleet, read_only=dry_run)
    _must_be_here(place)
    if not dry_run:
        _hands_off(place.facts)
    if rollback:
        return _roll_back(place, output)
    return _update(place, UpdateFlags(reseed=not no_reseed, relaunch=relaunch, dry_run=dry_run, force=force), output)


def _update(place: FleetContext, asked: UpdateFlags, output: Output) -> int:
    from contextlib import nullcontext

    from reconciler.commands.run_output import preview, print_run
    from reconciler.state.lock import run_lock
    from reconciler.state.trigger import request_look
    from reconciler.status.events import kept
    from reconciler.update.outdated_agents import older_launches
    from reconciler.update.update import installed

    now, spec = time.time(), _spec(place)
    output.running = not asked.dry_run
    with nullcontext() if asked.dry_run else run_lock(place.store, now=now, wait_s=LOCK_WAIT_S):
        before = installed(place.facts)
        _prepare(place, before, asked, output, now)
        result = _run(output, place, spec, dry_run=asked.dry_run)
        if asked.dry_run:
            preview(result, output, apply="mosaic update", more="reconcile --dry-run --verbose lists them")
        else:
            print_run(result, output)
        for event in kept(result.outcomes):
            output.result(event.message)
        older = older_launches(result.status, place.facts)
        if not asked.dry_run:
            request_look(place.store)  # a resident loop of the version before sees that it is one, and makes way
        if asked.relaunch and older and not asked.dry_run:
            _request(place, older, force=asked.force)
            result = _run(output, place, spec, dry_run=False)
            print_run(result, output)
            output.result(_requested(older, {one.name for one in older_launches(result.status, place.facts)}))
            return result.exit_code
    output.result(_waiting(older))
    return result.exit_code


def _prepare(place: FleetContext, before: InstalledRelease, asked: UpdateFlags, output: Output, now: float) -> None:
    """What has to be so before a run puts files in place, or leaves them."""
    from reconciler.update.update import hold, make_way

    if asked.dry_run:
        if asked.reseed and before.differs:
            what = before.hold or before.what
            output.progress(f"update: {what}; a snapshot would be kept, and the framework's files put in place")
        elif asked.reseed and before.hold:
            output.progress(f"update: {before.hold}; the framework's files would no longer be held")
        elif not asked.reseed:
            output.progress("update: the framework's files would be held as they are until the next `mosaic update`")
        return
    if not asked.reseed:
        if not before.hold:  # also where they are current: the next version is then held back, too
            hold(place.facts, "they were left as they are by `mosaic update --no-reseed`")
        output.progress("update: the framework's files are held as they are until the next `mosaic update`")
        return
    made = make_way(place.facts, before, now=now)
    if made is not None:
        output.progress(f"update: a snapshot of the framework's files is in {made.folder}")


def _spec(place: FleetContext) -> str:
    """The fleet's repository. Raises Usage, before anything is done."""
    from reconciler.errors import Usage

    if place.spec is None:
        raise Usage(
            f"the repository of the fleet {place.store.state.name} is not recorded on this host",
            help="name it: --fleet FLEET, MOSAIC_FLEET, the current folder, or `source` in reconcile.toml",
        )
    return place.spec


def _run(output: Output, place: FleetContext, spec: str, *, dry_run: bool) -> RunResult:
    """One run of the reconciler, with the lock held. Raises MosaicError."""
    from reconciler.context.host import host_context
    from reconciler.loop.result import RunOptions
    from reconciler.run.run import run_locked

    options = RunOptions(fleet=spec, dry_run=dry_run, trigger="update")
    with output.activity() as doing:
        return run_locked(spec, options, place.settings, host_context(doing=doing), place.store)


def _request(place: FleetContext, older: Sequence[Older], *, force: bool) -> None:
    from reconciler.delivery.signing import who
    from reconciler.update.outdated_agents import requested

    history = place.store.load_history(now=time.time())
    place.store.save_history(requested(history, older, forced_by=who(place.facts.user) if force else ""))


def _waiting(older: Sequence[Older]) -> str:
    if not older:
        return "every agent runs on the present launch"
    names = ", ".join(one.name for one in older)
    return (
        f"{len(older)} agent(s) run on an older launch: {names}. They get the new one with their next start; "
        "`mosaic update --relaunch` restarts each when it is idle, which ends its conversation"
    )


def _requested(older: Sequence[Older], left: set[str]) -> str:
    done = [one.name for one in older if one.name not in left]
    later = [one.name for one in older if one.name in left and not one.cannot]
    lines = [f"restarted: {', '.join(done)}"] if done else []
    if later:
        lines.append(
            f"waiting until the rollout policy lets them go: {', '.join(later)}; each next run continues with it"
        )
    lines.extend(f"not asked of {one.name}: {one.cannot}" for one in older if one.cannot)
    return "\n".join(lines)


def _roll_back(place: FleetContext, output: Output) -> int:
    from reconciler.state.lock import run_lock
    from reconciler.update.update import roll_back

    now = time.time()
    with run_lock(place.store, now=now, wait_s=LOCK_WAIT_S):
        target, changed = roll_back(place.facts, now=now)
    output.result(
        f"{len(changed)} file(s) are as they were at {target.made_at} ({target.why}), and stay so until the next "
        "`mosaic update`; `mosaic update --rollback` takes this back"
    )
    return 0


def _must_be_here(place: FleetContext) -> None:
    """Before a snapshot, too: under another home or name this would be another host's. Raises Refused."""
    from providers.machine.local_host import LocalHost
    from reconciler.loop.host_guard import checked
    from reconciler.loop.result import RunOptions

    checked(RunOptions(dry_run=True), place.settings, LocalHost(facts=place.facts))


def _hands_off(facts: HostFacts) -> None:
    """Raises Refused while the kill switch is set."""
    from reconciler.errors import Refused
    from reconciler.state.pause import read_pause

    pause = read_pause(facts)
    if pause is not None:
        raise Refused(
            f"the fleet is paused{f' ({pause.reason})' if pause.reason else ''}, and nothing is changed on this host",
            help="mosaic fleet resume, then mosaic update again",
        )
