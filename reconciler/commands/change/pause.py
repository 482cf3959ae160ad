"""`mosaic fleet pause` and `resume`: the kill switch of this user's fleets on this host."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from reconciler.commands.change.common import change_options
from reconciler.commands.change.suspend import here_option

if TYPE_CHECKING:
    from reconciler.cli.output import Output
    from reconciler.commands.change.common import ChangeFlags


@click.command(epilog='\b\nExample:\n  mosaic fleet pause --reason "looking at a crash by hand"\n')
@click.option("--reason", required=True, metavar="TEXT", help="The reason, shown in every view.")
@click.option("--by", metavar="NAME", help="Who; default: your user name, or the agent that calls.")
@click.pass_obj
def pause(output: Output, *, reason: str, by: str | None) -> int:
    """Set the kill switch: from the next step on, no run does anything on this host. Agents keep running and are still
    observed."""
    from providers.machine.facts import gather
    from reconciler.delivery.signing import who
    from reconciler.state.pause import pause as pull

    facts = gather(os.environ)
    made = pull(facts, reason=reason, by=by or who(facts.user), now=time.time())
    _request_looks(facts.state_home, facts.runtime_dir)
    output.result(f"paused by {made.by}: {made.reason}; `mosaic fleet resume` lets go")
    return 0


@click.command(epilog="\b\nExample:\n  mosaic fleet resume\n")
@click.argument("agent", required=False)
@here_option
@change_options
def resume(output: Output, *, agent: str | None, only_here: bool, asked: ChangeFlags) -> int:
    """Clear the kill switch. With AGENT: lift that agent's suspension, like `mosaic fleet unsuspend`; the options apply
    to that."""
    from dataclasses import astuple

    from providers.machine.facts import gather

    if agent is None and (only_here or any(value not in (None, False, "text") for value in astuple(asked))):
        raise click.UsageError("the options are for lifting a suspension: name the AGENT")
    if agent is not None:
        from reconciler.commands.change.suspend import lift

        return lift(output, agent, asked, only_here=only_here)
    from reconciler.state.pause import resume as end_pause

    facts = gather(os.environ)
    before = end_pause(facts)
    if before is None:
        output.result("nothing was paused")
        return 0
    _request_looks(facts.state_home, facts.runtime_dir)
    who = f" by {before.by}" if before.by else ""
    output.result(f"resumed; it was paused{who}: {before.reason or 'no reason given'}")
    return 0


def _request_looks(state_home: str, runtime_dir: str) -> None:
    """The switch is for all fleets of the user, so all resident loops are told."""
    from pathlib import Path

    from reconciler.state.store import Store
    from reconciler.state.trigger import request_look

    for socket in Path(runtime_dir, "mosaic").glob("*/trigger.sock"):
        name = socket.parent.name
        request_look(Store(Path(state_home, "mosaic", name), socket.parent, read_only=True))
