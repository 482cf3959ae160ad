"""`mosaic fleet remove`: agents that are not to be there any more, by a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.commands.change import change_options

if TYPE_CHECKING:
    from reconciler.commands.change import Asked
    from reconciler.output import Output


@click.command(epilog="\b\nExample:\n  mosaic fleet remove coder2 --dry-run\n")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--tombstone", is_flag=True, help="Keep the entry, with `state: absent`.")
@change_options
def remove(output: Output, *, names: tuple[str, ...], tombstone: bool, asked: Asked) -> int:
    """Take agents out of roster.yaml, and commit that. Their hosts end them: at once if they are idle.

    The last orchestrator or enhancer of a fleet with a floor is not removed (exit code 5).
    """
    from reconciler.commands.change import change
    from reconciler.verbs import remove as verb

    return change(output, verb(tuple(dict.fromkeys(names)), tombstone=tombstone), asked)
