"""`mosaic agent roster`: the declared agents of the whole fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_argument, output_option

if TYPE_CHECKING:
    from reconciler.cli.output import Format, Output


@click.command("roster", epilog="\b\nExample:\n  mosaic agent roster --class reviewer\n")
@click.option("--class", "agent_class", metavar="CLASS", help="Only agents of this class.")
@click.option("--host", metavar="HOST", help="Only agents of this host.")
@fleet_argument
@output_option
@click.pass_obj
def command(output: Output, *, agent_class: str | None, host: str | None, fleet: str | None, form: Format) -> int:
    """List every agent that the commit in force declares, on this host and on others. Does not look at any host:
    `mosaic fleet ps` shows what runs."""
    from reconciler.agents.lookup import in_force, unknown_value_error
    from reconciler.context.fleet import fleet_context
    from reconciler.render.fleet_files.roster_text import entries, roster_document, roster_text

    place = fleet_context(fleet, read_only=True)
    declared = in_force(place)
    rows = entries(declared)
    hosts = {declared.host, *(one.host for one in rows)}
    if agent_class is not None:
        classes = {one.agent_class for one in rows}
        if agent_class not in classes:  # a slip must not look like an empty fleet
            raise unknown_value_error(agent_class, "class", classes)
        rows = tuple(one for one in rows if one.agent_class == agent_class)
    if host is not None:
        if host not in hosts:
            raise unknown_value_error(host, "host", hosts)
        rows = tuple(one for one in rows if one.host == host)
    if form != "text":
        output.document(roster_document(declared, rows), form)
    else:
        output.result(roster_text(rows, paint=output.paint))
    return 0
