"""`mosaic fleet start`, `stop` and `restart`: what agents should do, by a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.commands.change.common import change_options, force_option

if TYPE_CHECKING:
    from reconciler.cli.output import Output
    from reconciler.commands.change.common import ChangeFlags

names_argument = click.argument("names", nargs=-1, required=True, metavar="NAME...")


@click.command(epilog="\b\nExample:\n  mosaic fleet start coder0 coder1\n")
@names_argument
@change_options
def start(output: Output, *, names: tuple[str, ...], asked: ChangeFlags) -> int:
    """Commit `state: running` for agents that were stopped."""
    from reconciler.changes.edits import set_state
    from reconciler.commands.change.common import change

    return change(output, set_state(tuple(dict.fromkeys(names)), "running"), asked)


@click.command(epilog='\b\nExample:\n  mosaic fleet stop coder0 -m "Stop coder0 over the holidays"\n')
@names_argument
@force_option
@change_options
def stop(output: Output, *, names: tuple[str, ...], force: bool, asked: ChangeFlags) -> int:
    """Commit `state: stopped`: no session, not started at boot, but still the fleet's. An agent that works may finish
    first, unless you say --force, which applies to this host."""
    from reconciler.changes.edits import set_state
    from reconciler.commands.change.common import change

    once = tuple(dict.fromkeys(names))
    return change(output, set_state(once, "stopped"), asked, force=("stop", once) if force else None)


@click.command(epilog="\b\nExamples:\n  mosaic fleet restart coder0\n  mosaic fleet restart coder0 --fresh\n")
@names_argument
@click.option("--fresh", is_flag=True, help="Begin a new conversation.")
@click.option(
    "--session", metavar="ID", help="Go back to this conversation of one agent: see mosaic agent sessions NAME."
)
@force_option
@change_options
def restart(
    output: Output, *, names: tuple[str, ...], fresh: bool, session: str | None, force: bool, asked: ChangeFlags
) -> int:
    """Commit a higher `generation`: each host restarts these agents exactly once for it, however often it looks or
    boots.

    The rollout policy in fleet.yaml decides when: by default, when they are idle. They go on with their conversations,
    unless the roster says `resume: never`. --force does not wait, on this host.
    """
    from reconciler.changes.edits import restart as verb
    from reconciler.commands.change.common import change
    from specs.compiled import FRESH, PRESENT

    once = tuple(dict.fromkeys(names))
    if session is not None and (fresh or len(once) != 1):
        raise click.UsageError("--session is a conversation of one agent, and does not go with --fresh")
    begins = FRESH if fresh else _conversation(output, once[0], session, asked) if session is not None else PRESENT
    return change(output, verb(once, begins), asked, force=("restart", once) if force else None)


def _conversation(output: Output, name: str, wanted: str, asked: ChangeFlags) -> str:
    """The id of the conversation that is meant, as the agent's own host knows it. Raises MosaicError."""
    from reconciler.agents.lookup import in_force, lookup
    from reconciler.agents.sessions import chosen
    from reconciler.context.fleet import fleet_context
    from reconciler.remote.sessions import chosen_there
    from specs.compiled import Peer

    place = fleet_context(asked.fleet, read_only=True)
    declared = in_force(place)
    found = lookup(declared, name)
    if isinstance(found, Peer):
        output.progress(f"asking {found.host} about the conversations of {found.name}")
        return chosen_there(declared, found, wanted)
    return chosen(found, wanted, place.facts)
