"""`mosaic fleet comms-block`: what an agent learns of its peers at its next start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_option

if TYPE_CHECKING:
    from reconciler.cli.output import Output


@click.command("comms-block", epilog="\b\nExample:\n  mosaic fleet comms-block coder0\n")
@click.argument("agent", metavar="NAME")
@click.option("--host", metavar="HOST", help="Print it as on this host. Default: the agent's host.")
@fleet_option
@click.pass_obj
def command(output: Output, *, agent: str, host: str | None, fleet: str | None) -> int:
    """Print what the agent NAME learns of its peers at its start: its own address, the exact command for each peer, how
    to answer, and what the answers of `send` mean. It is part of the system prompt; changing it restarts no agent."""
    from providers.launch.peers import comms_text
    from reconciler.agents.lookup import in_force, lookup, unknown_value_error
    from reconciler.context.fleet import fleet_context
    from reconciler.errors import NotFound
    from specs.compiled import Peer

    place = fleet_context(fleet, read_only=True)
    declared = in_force(place)
    found = lookup(declared, agent)
    home = found.host if isinstance(found, Peer) else declared.host
    hosts = {declared.host, *(peer.host for peer in declared.peers)}
    if host is not None and host not in hosts:
        raise unknown_value_error(host, "host", hosts)
    if (host or home) != declared.host:
        declared = in_force(place, host=host or home)
    if all(one.name != found.name for one in declared.agents):
        raise NotFound(f"agent {found.name} does not belong to host {host}", help=f"it belongs to {home}")
    output.result(comms_text(declared, found.name))
    return 0
