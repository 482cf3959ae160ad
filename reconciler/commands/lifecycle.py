"""`mosaic fleet start`, `stop` and `restart`: what agents are to do, by a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.commands.change import change_options

if TYPE_CHECKING:
    from reconciler.commands.change import Asked
    from reconciler.output import Output

names_argument = click.argument("names", nargs=-1, required=True, metavar="NAME...")


@click.command(epilog="\b\nExample:\n  mosaic fleet start coder0 coder1\n")
@names_argument
@change_options
def start(output: Output, *, names: tuple[str, ...], asked: Asked) -> int:
    """Commit `state: running` for agents that were stopped."""
    from reconciler.commands.change import change
    from reconciler.verbs import set_state

    return change(output, set_state(tuple(dict.fromkeys(names)), "running"), asked)


@click.command(epilog='\b\nExample:\n  mosaic fleet stop coder0 -m "Stop coder0 over the holidays"\n')
@names_argument
@change_options
def stop(output: Output, *, names: tuple[str, ...], asked: Asked) -> int:
    """Commit `state: stopped`: no session, not started at boot, and still ours. An agent that works is let finish."""
    from reconciler.commands.change import change
    from reconciler.verbs import set_state

    return change(output, set_state(tuple(dict.fromkeys(names)), "stopped"), asked)


@click.command(epilog="\b\nExample:\n  mosaic fleet restart coder0\n")
@names_argument
@change_options
def restart(output: Output, *, names: tuple[str, ...], asked: Asked) -> int:
    """Commit a higher `generation`: each host restarts these agents once for it, however often it looks or boots.

    When that is up to the rollout policy of fleet.yaml: by default, when they are idle. It ends the conversation.
    """
    from reconciler.commands.change import change
    from reconciler.verbs import restart as verb

    return change(output, verb(tuple(dict.fromkeys(names))), asked)
