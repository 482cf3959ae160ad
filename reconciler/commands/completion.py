"""`mosaic completion`: the script behind the Tab key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from reconciler.cli.output import Output


@click.command(
    epilog="""\b
Examples:
  cd ~/.local/share/bash-completion/completions
  mosaic completion bash > mosaic && ln -sf mosaic reconcile
  mosaic completion zsh > "${fpath[1]}/_mosaic"
  mosaic completion fish > ~/.config/fish/completions/mosaic.fish
"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_obj
def command(output: Output, *, shell: str) -> int:
    """Print a script that completes commands, options, their values, and the names of agents. The shell completes by
    itself, and starts no program while you wait. Print the script again after an upgrade."""
    from reconciler.cli.completion import script
    from reconciler.commands.command_lines import command_lines

    output.result(script(shell, command_lines()).rstrip("\n"))
    return 0
