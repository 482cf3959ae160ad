"""`mosaic agent sessions`: the conversations that an agent can go back to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_option, output_option

if TYPE_CHECKING:
    from reconciler.cli.output import Format, Output


@click.command("sessions", epilog="\b\nExample:\n  mosaic agent sessions coder0\n")
@click.argument("agent", metavar="NAME")
@fleet_option
@output_option
@click.pass_obj
def command(output: Output, *, agent: str, fleet: str | None, form: Format) -> int:
    """List the conversations of the agent NAME: their ids, when each began, its last turn, its size, and which is the
    present one. To go back to one: mosaic fleet restart NAME --session ID."""
    from reconciler.agents.lookup import in_force, lookup
    from reconciler.agents.sessions import sessions_of
    from reconciler.context.fleet import fleet_context, heading
    from reconciler.remote.run_there import run_on_host
    from reconciler.render.sessions_text import sessions_json, sessions_text
    from specs.compiled import Peer

    place = fleet_context(fleet, read_only=True)
    declared = in_force(place)
    found = lookup(declared, agent)
    if isinstance(found, Peer):
        run_on_host(declared, found, "sessions", *(["-o", form] if form != "text" else []))
    sessions = sessions_of(found, place.facts)
    if form != "text":
        document = {**heading("AgentSessions", place), "agent": found.name, "sessions": sessions_json(sessions)}
        output.document(document, form)
    else:
        output.result(sessions_text(found.name, sessions, now=time.time(), paint=output.paint))
    return 0
