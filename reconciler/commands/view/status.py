"""`mosaic fleet status`: what the last run found, and who has paused or suspended what."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_argument, output_option
from specs.dataclass import replace

if TYPE_CHECKING:
    from reconciler.cli.output import Format, Output
    from reconciler.model import Owned


@click.command(epilog="\b\nExample:\n  mosaic fleet status -o json\n")
@fleet_argument
@output_option
@click.option("--verbose", is_flag=True, help="Every condition, also those that are as they should be.")
@click.pass_obj
def command(output: Output, *, fleet: str | None, form: Format, verbose: bool) -> int:
    """Show what is not as it should be, every agent, what is held and why, as the last run left it. Does not look at
    the host, and changes nothing; only pause and suspensions are current."""
    from reconciler.context.fleet import fleet_context
    from reconciler.errors import NotFound
    from reconciler.state.lock import holder
    from reconciler.state.pause import merge, read_pause

    place = fleet_context(fleet, read_only=True)
    status = place.store.load_status()
    for sentence in place.store.warnings:
        output.warning(sentence)
    if elsewhere := _elsewhere(place.facts.uid, place.store.load_inventory().agents.values()):
        output.warning(elsewhere)
    if status is None:
        raise NotFound("no status of this fleet on this host yet", help="run: reconcile")
    now = time.time()
    suspended = merge(status.suspended, place.store.load_suspensions(), now)
    status = replace(status, pause=read_pause(place.facts), suspended=suspended)
    if form != "text":
        from reconciler.status.document import status_document

        output.document(status_document(status), form)
    else:
        from reconciler.render.status_text import status_text

        looks = place.settings.install != "none"
        running = holder(place.store)
        output.result(status_text(status, now=now, running=running, looks=looks, verbose=verbose, paint=output.paint))
    return 0


def _elsewhere(uid: int, owned: Iterable[Owned]) -> str:
    from reconciler.doctor.session import tmux_elsewhere

    return tmux_elsewhere(os.environ, uid, sorted({agent.socket for agent in owned}))
