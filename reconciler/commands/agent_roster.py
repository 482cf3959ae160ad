"""`mosaic agent roster`: who is declared, in the whole fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_option, output_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.output import Format, Output


@click.command("roster", epilog="\b\nExample:\n  mosaic agent roster --class reviewer\n")
@click.option("--class", "agent_class", metavar="CLASS", help="Only agents of this class.")
@click.option("--host", metavar="HOST", help="Only agents of this host.")
@fleet_option
@output_option
@click.pass_obj
def command(output: Output, *, agent_class: str | None, host: str | None, fleet: str | None, form: Format) -> int:
    """List every agent that the commit in force declares, on this host and on others. Looks at no host: what runs is
    said by `mosaic fleet status`."""
    from reconciler.agents import in_force
    from reconciler.commands.shared import here
    from reconciler.render.roster_text import entries, roster_document, roster_text

    place = here(fleet, read_only=True)
    declared = in_force(place)
    rows = entries(declared)
    if agent_class is not None:
        _must_be(agent_class, "class", (one.agent_class for one in rows))
        rows = tuple(one for one in rows if one.agent_class == agent_class)
    if host is not None:
        _must_be(host, "host", (declared.host, *(one.host for one in rows)))
        rows = tuple(one for one in rows if one.host == host)
    if form != "text":
        output.document(roster_document(declared, rows), form)
    else:
        output.result(roster_text(rows, paint=output.paint))
    return 0


def _must_be(word: str, what: str, known: Iterable[str]) -> None:
    """Raises NotFound, with near misses: a slip must not look like an empty fleet."""
    from difflib import get_close_matches

    from reconciler.errors import NotFound

    names = sorted(set(known))
    if word not in names:
        near = get_close_matches(word, names, n=3, cutoff=0.5)
        way = f"did you mean {' or '.join(near)}?" if near else f"known here: {', '.join(names[:20]) or 'none'}"
        raise NotFound(f'no agent here has the {what} "{word}"', help=way)
