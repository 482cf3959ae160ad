"""`mosaic agent outbox`: what waits on this host to be delivered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_option, output_option

if TYPE_CHECKING:
    from reconciler.output import Format, Output


@click.command("outbox", epilog="\b\nExample:\n  mosaic agent outbox coder0\n")
@click.argument("name", metavar="[AGENT]", required=False)
@click.option("--cancel", metavar="ID", help="Drop this message; the beginning of its id will do.")
@fleet_option
@output_option
@click.pass_obj
def command(output: Output, *, name: str | None, cancel: str | None, fleet: str | None, form: Format) -> int:
    """List the messages that wait for their agent to be available, and those of which nobody knows whether they
    arrived: these are kept for a week, and never sent again by themselves."""
    from reconciler.agents import in_force, lookup
    from reconciler.commands.shared import here
    from reconciler.outbox import Outbox
    from reconciler.render.delivery_text import outbox_document, outbox_text

    place = here(fleet, read_only=cancel is None)
    declared = in_force(place)
    outbox = Outbox(place.store)
    if cancel is not None:
        gone = outbox.cancel(cancel, time.time())
        output.progress(f"cancelled {gone.id}" + (f" for {gone.agent}" if gone.agent else ""))
    messages = outbox.messages()
    if name is not None and name not in {one.agent for one in messages}:  # one that is declared no more may have some
        name = lookup(declared, name).name
    shown = tuple(one for one in messages if name is None or one.agent == name)
    if form != "text":
        output.document(outbox_document(declared, shown), form)
    else:
        output.result(outbox_text(shown, now=time.time(), paint=output.paint))
    return 0
