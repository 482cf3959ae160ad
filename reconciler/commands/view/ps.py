"""`mosaic fleet ps`: every agent, and everything that looks like one, as it is right now."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Literal

import click

from reconciler.commands.options import DurationParam, fleet_argument, output_of

if TYPE_CHECKING:
    from reconciler.cli.output import Output
    from reconciler.inspection.fleet import FleetLook
    from reconciler.listing.document import Listing

PsFormat = Literal["text", "wide", "json", "yaml", "name"]
EPILOG = """\b
Example:
  mosaic fleet ps                        what runs, what does not, and why
  mosaic fleet ps --watch                the same, again and again
  mosaic fleet ps --check && echo fine   for a script: exit code 3 if anything is wrong
"""


@click.command("ps", epilog=EPILOG)
@fleet_argument
@click.option("--agent", "agents", multiple=True, metavar="NAME", help="Only this agent; may be given several times.")
@click.option("--running", is_flag=True, help="Only agents with a living process.")
@output_of("text", "wide", "json", "yaml", "name")
@click.option(
    "--watch", is_flag=True, help="Keep the list up to date; off a terminal, print one JSON document for each change."
)
@click.option(
    "--interval", type=DurationParam(), default="2s", show_default=True, help="With --watch: how often to look."
)
@click.option("--check", is_flag=True, help="Exit code 3 if anything is wrong.")
@click.option("--all-hosts", is_flag=True, help="Also the fleet's other hosts, over ssh, each as it sees itself.")
@click.pass_obj
def command(
    output: Output,
    *,
    fleet: str | None,
    agents: tuple[str, ...],
    running: bool,
    form: PsFormat,
    watch: bool,
    interval: float,
    check: bool,
    all_hosts: bool,
) -> int:
    """Look at this host now, compare it with git, and show a row for each agent, then anything else that is there. What
    is wrong comes first. Changes nothing, and does not use the network."""
    from reconciler.inspection.fleet import see

    if watch and check:
        raise click.UsageError("--check looks once; it does not go with --watch")
    if watch and form == "name":
        raise click.UsageError("-o name does not go with --watch: what changes is not the names")
    if watch:
        from reconciler.commands.view.ps_watch import follow

        return follow(output, form, fleet=fleet, agents=agents, running=running, all_hosts=all_hosts, interval=interval)
    with output.activity() as doing:
        doing("looking at this host")
        seen = see(fleet)
        for sentence in seen.warnings:
            output.warning(sentence)
        if all_hosts:
            doing("asking the other hosts")
        listing = chosen(seen, agents, running=running, all_hosts=all_hosts)
    print_listing(output, listing, form, width=terminal_width())
    return 3 if check and listing.wrong else 0


def chosen(seen: FleetLook, agents: tuple[str, ...], *, running: bool, all_hosts: bool = False) -> Listing:
    """The list of those that were asked for. Raises NotFound with near misses."""
    from specs.dataclass import replace

    listing = seen.listing
    if all_hosts:
        from reconciler.remote.all_hosts import everywhere

        listing = everywhere(listing, seen.fleet)
    listing = listing.only(agents, {peer.name: peer.host for peer in seen.fleet.peers} if all_hosts else {})
    return replace(listing, rows=tuple(row for row in listing.rows if row.pid)) if running else listing


def print_listing(output: Output, listing: Listing, form: PsFormat, *, width: int | None) -> None:
    """The list on stdout, in the form that was asked for."""
    if form == "name":
        names = [row.name for row in listing.rows if row.kind == "agent"]
        if names:
            output.result("\n".join(names))
    elif form in ("json", "yaml"):
        from reconciler.listing.document import listing_document

        output.document(listing_document(listing), "json" if form == "json" else "yaml")
    else:
        from reconciler.render.ps_text import ps_text

        output.result(ps_text(listing, width=width, wide=form == "wide", paint=output.paint))


def terminal_width() -> int | None:
    """Columns of the terminal that stdout is, None off a terminal."""
    from reconciler.terminal.screen import width_of

    return width_of(sys.stdout, os.environ)
