"""`mosaic fleet org`: who reports to whom."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import click

from reconciler.commands.options import files_argument, output_of

if TYPE_CHECKING:
    from reconciler.cli.output import Output


@click.command("org", epilog="\b\nExample:\n  mosaic fleet org ~/fleet -o svg > org.svg\n")
@files_argument
@click.option("--type", "wanted", metavar="TYPE", help="The system type. Default: the one that fleet.yaml names.")
@output_of("text", "svg", "json", "yaml")
@click.pass_obj
def command(
    output: Output,
    *,
    fleet: str | None,
    wanted: str | None,
    form: Literal["text", "svg", "json", "yaml"],
) -> int:
    """Draw a system type as a tree, with the agents of the roster in its seats; empty seats are marked.

    It reads the fleet's files as they are now, committed or not. Without a fleet, --type draws the type alone.
    """
    from reconciler.changes.provision import choose
    from reconciler.render.charts.org_svg import org_svg
    from reconciler.render.charts.org_text import org_document, org_text
    from specs.editing.edit import EditError, entries
    from specs.fleet_files import ROSTER
    from specs.loading.load import load
    from specs.organisation.org import organise
    from specs.types.repository_extras import read_own

    files = _files(fleet, wanted)
    loaded, own = load(files), read_own(files)
    found = choose(wanted, loaded, own)
    try:
        roster = entries(files[ROSTER]) if ROSTER in files else {}
    except EditError as error:
        from reconciler.changes.proposal import cannot_edit

        raise cannot_edit(error) from error
    org = organise(found, own, roster, fleet=loaded.fleet.name if ROSTER in files else "")
    if form == "svg":
        output.result(org_svg(org))
    elif form == "text":
        output.result(org_text(org, paint=output.paint))
    else:
        output.document(org_document(org, found.source), form)
    return 0


def _files(fleet: str | None, wanted: str | None) -> Mapping[str, bytes]:
    """The fleet's files; none for a type by itself. Raises NotFound, Usage and what reaching a repository raises."""
    from reconciler.changes.working_copy import fleet_folder, read_folder
    from reconciler.errors import Usage

    with fleet_folder(fleet, os.environ) as folder:
        if folder is not None:
            return read_folder(folder)
    if wanted is None:
        raise Usage("no fleet was named", help="name one, or give a --type by itself")
    return {}
