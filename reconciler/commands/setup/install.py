"""`mosaic fleet install`: this host reconciles by itself from now on."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from reconciler.commands.options import either
from specs.dataclass import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from providers.host import Host, HostFacts
    from providers.steps import Step
    from reconciler.cli.output import Output
    from reconciler.context.settings import Settings
    from reconciler.loop.result import RunResult

Mode = Literal["timer", "watch"]
WAKING = {"timer": "mosaic-reconcile.timer", "watch": "mosaic-reconcile-watch.service"}
STEP_TIMEOUT_S = 90.0


@click.command(epilog="\b\nExample:\n  mosaic fleet install ~/fleet --ref main\n")
@either
@click.option("--watch", is_flag=True, help="Use the resident service instead of the timer: it heals in milliseconds.")
@click.option("--ref", metavar="NAME", help="Branch or tag. Default: the branch that the repository's HEAD names.")
@click.option("--verify", type=click.Choice(["none", "head", "all"]), help="Which commits need a trusted signature.")
@click.option("--allowed-signers", type=click.Path(path_type=Path), metavar="FILE", help="SSH keys that may sign.")
@click.option("--gpg-keyring", type=click.Path(path_type=Path), metavar="FILE", help="GPG keys that may sign.")
@click.option("--host", metavar="NAME", help="This host's name in the roster, if it is not the machine's.")
@click.pass_obj
def install(
    output: Output,
    *,
    fleet: str | None,
    watch: bool,
    ref: str | None,
    verify: Literal["none", "head", "all"] | None,
    allowed_signers: Path | None,
    gpg_keyring: Path | None,
    host: str | None,
) -> int:
    """Reconcile FLEET on this host from now on: once now, then by a systemd user timer (or the resident service).

    The settings go to reconcile.toml, which belongs to this host: no commit can change it. Run it again to change what
    you name.
    """
    from providers.machine.facts import gather
    from reconciler.context.settings import read_settings, settings_path
    from reconciler.errors import MosaicError

    facts = gather(os.environ)
    must_not_be_paused(facts, "install")
    path = settings_path(facts.config_home)
    before = read_settings(path)
    mode: Mode = "watch" if watch else "timer"
    wanted = replace(
        before,
        source=_source(fleet, before, facts),
        ref=ref or before.ref,
        verify=verify or before.verify,
        allowed_signers=allowed_signers.absolute() if allowed_signers else before.allowed_signers,
        gpg_keyring=gpg_keyring.absolute() if gpg_keyring else before.gpg_keyring,
        host=host or before.host,
        install=mode,
    )
    unit = WAKING[mode]
    machine = local_host(facts)
    # The other way ends first: while its unit files are still there, systemd can take its links away.
    ended = end_units(machine, facts, [one for name, one in WAKING.items() if name != mode], remove=False)
    try:
        result = _first_run(path, before, wanted, output)
    except MosaicError:
        for one in ended:
            carry_out(machine, _begin_unit(one))
        raise
    if not Path(facts.unit_dir, unit).exists():
        raise MosaicError(
            f"{unit} could not be written in this run ({result.outcome})",
            help="the settings are kept; fix what the report says, then run `mosaic fleet install` again",
        )
    carry_out(machine, _begin_unit(unit))
    _record_event(facts, result, mode)
    output.result(f"installed: {unit} is enabled and runs; settings are in {path}")
    output.progress("next: mosaic fleet ps")
    return result.exit_code


def must_not_be_paused(facts: HostFacts, what: str) -> None:
    """Raises Refused while the kill switch is set: to set up a unit, or to end one, is an action too."""
    from reconciler.errors import Refused
    from reconciler.state.pause import read_pause

    pause = read_pause(facts)
    if pause is not None:
        by = f" by {pause.by}" if pause.by else ""
        why = f" ({pause.reason})" if pause.reason else ""
        raise Refused(
            f"the fleet is paused{by}{why}, and nothing is changed on this host until it is resumed",
            help=f"mosaic fleet resume, then mosaic fleet {what} again",
        )


def _source(given: str | None, before: Settings, facts: HostFacts) -> str:
    from reconciler.context.which_fleet import must_be_named, which_fleet
    from reconciler.git.location import parse_place

    spec = must_be_named(which_fleet(given, before, facts, os.environ)).must_have_repository()
    place = parse_place(spec)
    return str(place.path) if place.path is not None else spec


def _first_run(path: Path, before: Settings, wanted: Settings, output: Output) -> RunResult:
    """Write the settings and run once by them; if that cannot even begin, the old settings are put back."""
    from reconciler.commands.run_output import print_run
    from reconciler.errors import MosaicError
    from reconciler.loop.result import RunOptions
    from reconciler.run.run import run

    known = path.exists()
    save_settings(path, wanted)
    output.running = True
    try:
        with output.activity() as doing:
            result = run(RunOptions(fleet=wanted.source, trigger="install"), doing=doing)
    except MosaicError:
        if known:
            save_settings(path, before)
        else:
            path.unlink(missing_ok=True)
        raise
    print_run(result, output, short=True)
    return result


def save_settings(path: Path, settings: Settings) -> None:
    from reconciler.context.settings import write_settings
    from reconciler.state.store import write_failure

    try:
        write_settings(path, settings)
    except OSError as error:
        raise write_failure(path, error) from error


def local_host(facts: HostFacts) -> Host:
    from providers.machine.local_host import LocalHost

    return LocalHost(facts=facts)


def _begin_unit(unit: str) -> list[Step]:
    from providers.steps import DaemonReload, SetEnabled, UnitJob

    return [DaemonReload(), SetEnabled(unit=unit, enabled=True), UnitJob(verb="restart", unit=unit)]


def end_units(host: Host, facts: HostFacts, units: Sequence[str], *, remove: bool) -> list[str]:
    """Disable and stop those that are there; with `remove`, delete every unit file of the reconciler that is ours."""
    from providers.filesystem.guarded_read import read_regular
    from providers.kinds.framework import MARK, RECONCILER_UNITS
    from providers.steps import DaemonReload, DeleteFile, SetEnabled, UnitJob

    there = [unit for unit in units if Path(facts.unit_dir, unit).exists()]
    steps: list[Step] = []
    for unit in there:
        # A service that had failed would otherwise be listed for ever after its file is gone.
        stop, forget = UnitJob(verb="stop", unit=unit), UnitJob(verb="reset-failed", unit=unit)
        steps += [SetEnabled(unit=unit, enabled=False), stop, forget]
    if remove:
        names = sorted({name for group in RECONCILER_UNITS.values() for name in group})
        paths = [Path(facts.unit_dir, name) for name in names]
        steps += [
            DeleteFile(path=str(path)) for path in paths if path.is_file() and MARK.encode() in read_regular(path)
        ]
    if steps:
        carry_out(host, [*steps, DaemonReload()])
    return there


def carry_out(host: Host, steps: Sequence[Step]) -> None:
    """One after the other. Raises Unavailable with what failed and the command that a person would type."""
    from reconciler.errors import Unavailable

    for number, step in enumerate(steps):
        host.begin([(str(number), step)])
        deadline = time.monotonic() + STEP_TIMEOUT_S
        ended = host.completed(STEP_TIMEOUT_S)
        while not ended and time.monotonic() < deadline:
            ended = host.completed(max(0.0, deadline - time.monotonic()))
        error = next((result.error for _, result in ended if not result.ok), None) if ended else "it did not end"
        if error is not None:
            raise Unavailable(f"{step.command}: {error}", help="fix that, then run the same command again")


def _record_event(facts: HostFacts, result: RunResult, mode: Mode) -> None:
    from reconciler.state.event_log import EventLog
    from reconciler.state.store import Store
    from reconciler.status.events import Event, EventType

    status = result.status
    log = EventLog(
        store=Store.open(facts, status.fleet),
        source="operator",
        fleet=status.fleet,
        tenant_id=status.tenant_id,
        host=status.host,
    )
    event = Event(
        type=EventType.INSTALLED, message=f"reconciles by {WAKING[mode]}", fields={"by": facts.user, "mode": mode}
    )
    log.write([event], now=time.time(), revision=status.applied_revision)
