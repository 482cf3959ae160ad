"""`mosaic fleet uninstall`: this host no longer reconciles by itself; `--purge` removes everything of ours."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from reconciler.commands.setup.install import (
    WAKING,
    carry_out,
    end_units,
    local_host,
    must_not_be_paused,
    save_settings,
)
from specs.dataclass import replace

if TYPE_CHECKING:
    from providers.host import Host, HostFacts
    from reconciler.cli.output import Output
    from reconciler.update.purge import Purge

EPILOG = """\b
Example:
  mosaic fleet uninstall            no timer or service any more; agents keep running
  mosaic fleet uninstall --purge    and, if no agent runs, remove everything
"""


@click.command(epilog=EPILOG)
@click.option("--purge", is_flag=True, help="Remove all of this user's Mosaic Fleet. No agent may run.")
@click.option("--dry-run", is_flag=True, help="With --purge: show what would be removed.")
@click.option("-y", "--yes", is_flag=True, help="With --purge: do not ask.")
@click.pass_obj
def uninstall(output: Output, *, purge: bool, dry_run: bool, yes: bool) -> int:
    """Stop, disable and remove the timer or the resident service. Agents keep running and start at boot as before, but
    nothing heals them; `reconcile` still works by hand.

    With --purge, also remove units, programs, settings and all state. What you have written or edited stays and is
    named, and so does the fleet's repository. It ends no conversation: while an agent runs, it refuses.
    """
    from providers.machine.facts import gather
    from reconciler.loop.host_guard import at_home

    if (dry_run or yes) and not purge:
        raise click.UsageError("--dry-run and --yes go with --purge")
    facts = gather(os.environ)
    at_home(local_host(facts))
    if not dry_run:
        must_not_be_paused(facts, "uninstall")
    return _purge(output, facts, dry_run=dry_run, yes=yes) if purge else _uninstall(output, facts)


def _uninstall(output: Output, facts: HostFacts) -> int:
    was_installed, gone = _end_waking(local_host(facts), facts)
    if not gone and not was_installed:
        output.result("nothing was installed")
        return 0
    output.result(
        f"uninstalled: {', '.join(gone) or 'no unit was there'}. Agents keep running, and start at boot; to end them, "
        "commit `state: stopped` or remove them, and run `reconcile` once more"
    )
    return 0


def _purge(output: Output, facts: HostFacts, *, dry_run: bool, yes: bool) -> int:
    from reconciler.context.which_fleet import known_fleets
    from reconciler.render.purge_text import purge_text
    from reconciler.state.lock import run_lock
    from reconciler.state.store import Store
    from reconciler.update.purge import inspect, must_be_quiet, sockets_of, take_away

    host, sockets = local_host(facts), sockets_of(facts)
    look = host.look(sockets)
    must_be_quiet(look, sockets)
    found = inspect(facts, look)
    if found.empty:
        output.result("nothing of Mosaic Fleet is on this host for this user")
        return 0
    output.progress(purge_text(found))
    if dry_run:
        output.result("dry run: nothing was removed")
        return 0
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("nobody can be asked here: add --yes to remove all of this")
        if not click.confirm("Remove all of this?", default=False, err=True):
            output.result("nothing was removed")
            return 0
    output.running = True
    with ExitStack() as locks:
        for name in known_fleets(facts):
            locks.enter_context(run_lock(Store.open(facts, name), now=time.time(), wait_s=15.0))
        _end_waking(host, facts)
        again = host.look(sockets)  # a run may have started one in the meantime
        must_be_quiet(again, sockets)
        _end(host, found)
        take_away(found, facts)
        _forget(host, found)
    output.result("purged: only what is listed above as yours is left" if found.left else
                  "purged: nothing of Mosaic Fleet is left here")  # fmt: skip
    output.progress(
        "lingering may still be on (loginctl disable-linger), and the program itself is where you installed it"
    )
    return 0


def _end_waking(host: Host, facts: HostFacts) -> tuple[bool, list[str]]:
    """Nothing wakes the reconciler any more. Whether the settings said that something does, and the units that did."""
    from reconciler.context.settings import read_settings, settings_path

    path = settings_path(facts.config_home)
    settings = read_settings(path)
    if settings.install != "none":
        save_settings(path, replace(settings, install="none"))
    return settings.install != "none", end_units(host, facts, list(WAKING.values()), remove=True)


def _end(host: Host, found: Purge) -> None:
    from providers.steps import UnitJob
    from reconciler.update.purge import order_of_end

    carry_out(host, [UnitJob(verb="stop", unit=unit) for unit in order_of_end(found.units)])


def _forget(host: Host, found: Purge) -> None:
    """What systemd still knows of units whose files are gone."""
    from providers.steps import DaemonReload, Step, UnitJob

    steps: list[Step] = [UnitJob(verb="stop", unit=unit) for unit in found.slices]
    steps += [DaemonReload(), *(UnitJob(verb="reset-failed", unit=unit) for unit in found.units)]
    carry_out(host, steps)
