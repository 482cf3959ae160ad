"""Both command lines as plain values: for completion, the manual and the tests."""

from __future__ import annotations

from reconciler.cli.command_tree import CommandNode, read_command


def command_lines() -> tuple[CommandNode, ...]:
    """`mosaic` and `reconcile`, whole. Imports every command: only for what is made once."""
    from reconciler.commands.mosaic import command as mosaic
    from reconciler.commands.reconcile import command as reconcile

    return read_command(mosaic, ("mosaic",)), read_command(reconcile, ("reconcile",))
