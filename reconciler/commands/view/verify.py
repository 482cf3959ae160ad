"""`mosaic fleet verify`: everything that the fleet on this host needs, checked by its exact name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_argument, output_option

if TYPE_CHECKING:
    from reconciler.cli.output import Format, Output
    from reconciler.context.host import HostContext
    from reconciler.inspection.fleet import FleetLook
    from reconciler.inspection.verify import Reconciler


@click.command("verify", epilog="\b\nExample:\n  mosaic fleet verify && echo all is well\n")
@fleet_argument
@output_option
@click.pass_obj
def command(output: Output, *, fleet: str | None, form: Format) -> int:
    """Check the holder, each agent's session, program and heartbeat, and that all of it will be there after a boot. If
    something is wrong, show how to fix it and end with exit code 3. Changes nothing."""
    from reconciler.context.host import host_context
    from reconciler.errors import ExitCode
    from reconciler.inspection.fleet import see
    from reconciler.inspection.verify import verify

    around = host_context()
    seen = see(fleet, around)
    for sentence in seen.warnings:
        output.warning(sentence)
    checks = verify(
        seen.fleet, seen.seen.plan, seen.seen.observation, seen.listing, seen.facts.user, _reconciler(seen, around)
    )
    if form != "text":
        from reconciler.render.verify_text import verify_document

        output.document(verify_document(seen.listing, checks), form)
    else:
        from reconciler.render.verify_text import verify_text

        output.result(verify_text(seen.listing, checks, paint=output.paint))
    return int(ExitCode.UNHEALTHY if any(check.result == "wrong" for check in checks) else ExitCode.OK)


def _reconciler(seen: FleetLook, around: HostContext) -> Reconciler:
    from providers.base import ObserveError
    from reconciler.inspection.verify import RECONCILERS, Reconciler

    install = seen.settings.install
    if install == "none":
        return Reconciler(install=install)
    unit = RECONCILERS[install]
    look = around.host.look()
    try:
        state = look.units().get(unit)
        enabled = unit in look.enabled("timers.target" if unit.endswith(".timer") else "default.target")
    except ObserveError as error:
        return Reconciler(install=install, error=str(error))
    return Reconciler(install=install, enabled=enabled, active=state is not None and state.active == "active")
