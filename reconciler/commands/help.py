"""`mosaic help`: the help of any command, for people who look for it under that name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from reconciler.cli.output import Output


@click.command("help", epilog="\b\nExample:\n  mosaic help fleet install\n")
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def command(context: click.Context, *, words: tuple[str, ...]) -> int:
    """Print the help of COMMAND, like --help; without one, the list of all commands."""
    output: Output = context.obj
    shown = context.parent or context
    for word in words:
        group = shown.command
        if not isinstance(group, click.Group):
            shown.fail(f'"{shown.command_path}" has no commands below it')
        _, found, _ = group.resolve_command(shown, [word])
        if found is None:
            shown.fail(f'no such command "{word}"')
        shown = click.Context(found, info_name=word, parent=shown, **found.context_settings)
    output.result(shown.get_help())
    return 0
