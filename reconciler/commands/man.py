"""`mosaic man`: the manual pages, from the same source as --help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from reconciler.cli.output import Output


@click.command(
    epilog="""\b
Examples:
  mosaic man fleet status | man -l -
  mosaic man --to ~/.local/share/man/man1
"""
)
@click.argument("words", metavar="COMMAND", nargs=-1)
@click.option(
    "--to", "folder", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER", help="Write every page there."
)
@click.pass_obj
def command(output: Output, *, words: tuple[str, ...], folder: Path | None) -> int:
    """Print the manual page of COMMAND, for man to show; without one, that of mosaic itself."""
    from importlib.metadata import version

    from reconciler.cli.man_pages import pages
    from reconciler.commands.command_lines import command_lines
    from reconciler.errors import MEANINGS, NotFound, Usage
    from reconciler.helpers.atomic_files import about
    from reconciler.state.store import write_failure

    made = pages(command_lines(), MEANINGS, version("mosaic-fleet"))
    if folder is None:
        name = "-".join(words if words[:1] == ("reconcile",) else ("mosaic", *words))
        if f"{name}.1" not in made:
            from difflib import get_close_matches

            near = get_close_matches(f"{name}.1", [page for page in made if page != "mosaic.1"], n=1)
            way = f"did you mean: mosaic man {_words(near[0])}" if near else "mosaic --help"
            raise NotFound(f"there is no command {' '.join(words)}", help=way)
        output.result(made[f"{name}.1"].rstrip("\n"))
        return 0
    if words:
        raise Usage("--to writes every page; leave out COMMAND")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            with about(folder / name):
                (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise write_failure(folder, error) from error
    output.progress(f"{len(made)} pages written to {folder}")
    return 0


def _words(page: str) -> str:
    """What `mosaic man` is given for a page."""
    return page.removesuffix(".1").removeprefix("mosaic-").replace("-", " ")
