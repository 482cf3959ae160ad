"""`mosaic fleet sync`: reconcile now, by the resident loop or by a run of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_argument, output_option

if TYPE_CHECKING:
    from reconciler.cli.output import Format, Output


@click.command(epilog="\b\nExample:\n  git -C ~/fleet commit -am 'Add coder2' && mosaic fleet sync\n")
@fleet_argument
@output_option
@click.pass_obj
def command(output: Output, *, fleet: str | None, form: Format) -> int:
    """Have the resident reconciler fetch and look now; without one, make one run here."""
    from reconciler.commands.reconcile import run_and_report
    from reconciler.context.fleet import fleet_context, heading
    from reconciler.loop.result import RunOptions
    from reconciler.state.trigger import request_look

    place = fleet_context(fleet)
    if request_look(place.store):
        if form == "text":
            output.result("asked the resident reconciler to look now; `mosaic fleet status` shows what it finds")
        else:
            output.document({**heading("Sync", place), "asked": True}, form)
        return 0
    return run_and_report(RunOptions(fleet=place.spec, trigger="sync"), output, form)
