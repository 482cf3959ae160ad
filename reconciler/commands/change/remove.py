"""`mosaic fleet remove`: remove agents, by a commit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from reconciler.commands.change.common import change_options, force_option

if TYPE_CHECKING:
    from reconciler.cli.output import Output
    from reconciler.commands.change.common import ChangeFlags


@click.command(epilog="\b\nExample:\n  mosaic fleet remove coder2 --dry-run\n")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--tombstone", is_flag=True, help="Keep the entry, with `state: absent`.")
@force_option
@change_options
def remove(output: Output, *, names: tuple[str, ...], tombstone: bool, force: bool, asked: ChangeFlags) -> int:
    """Remove agents from roster.yaml, and commit that. Their hosts end them as soon as they are idle. --force does not
    wait, on this host; it also applies to an agent that was removed before and still works.

    The last orchestrator or enhancer of a fleet with a floor is not removed (exit code 5).
    """
    from reconciler.changes.edits import remove as verb
    from reconciler.commands.change.common import carry_out, change, goal_of, opened

    _messages(output, names, asked)
    once = tuple(dict.fromkeys(names))
    if not force:
        return change(output, verb(once, tombstone=tombstone), asked)
    goal = goal_of(asked)
    let = opened(goal, asked, ("remove", once))
    return carry_out(output, goal, verb(once, tombstone=tombstone, gone=let.knows), asked, force=let)


def _messages(output: Output, names: tuple[str, ...], asked: ChangeFlags) -> None:
    """What waits on this host for those that are to go."""
    from reconciler.changes.make_change import gather_here, target
    from reconciler.delivery.outbox import would_end
    from reconciler.helpers.words import count
    from reconciler.state.store import Store

    facts, settings = gather_here()
    goal = target(asked.fleet, settings, facts, os.environ)
    if goal is None or goal.fleet is None:
        return
    for name, number in would_end(Store.open(facts, goal.fleet, read_only=True), names).items():
        output.warning(f"{count(number, 'message')} for {name} will be put away, not sent: mosaic agent outbox {name}")
