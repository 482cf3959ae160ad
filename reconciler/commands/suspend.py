"""`mosaic fleet suspend` and `unsuspend`: leave one agent, or all, alone on this host, with a reason and an end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from reconciler.commands.options import Duration, fleet_option

if TYPE_CHECKING:
    from reconciler.output import Output


@click.command(epilog='\b\nExample:\n  mosaic fleet suspend coder0 --reason "pairing with it" --for 2h\n')
@click.argument("agent", required=False)
@click.option("--all", "everything", is_flag=True, help="The whole fleet on this host.")
@click.option("--reason", required=True, metavar="TEXT", help="Why, for everybody who wonders later.")
@click.option(
    "--for",
    "length",
    type=Duration(),
    metavar="DURATION",
    help="Until when, from now: 30m, 2h, 1d. Default: until it is lifted.",
)
@click.option("--by", metavar="NAME", help="Who; default: your user name.")
@fleet_option
@click.pass_obj
def suspend(
    output: Output,
    *,
    agent: str | None,
    everything: bool,
    reason: str,
    length: float | None,
    by: str | None,
    fleet: str | None,
) -> int:
    """Take no action on AGENT: it is not started, stopped, restarted or changed, and every view says why."""
    from reconciler.commands.shared import here, must_know, poke
    from reconciler.pause import EVERYTHING
    from reconciler.pause import suspend as put_down
    from reconciler.times import rfc3339

    name = _one(agent, everything)
    place = here(fleet)
    if name != EVERYTHING:
        must_know(name, place.store)
    now = time.time()
    until = now + length if length else None
    made = put_down(place.store, name, reason=reason, by=by or place.facts.user, until=until, now=now)
    poke(place.store)
    what = "the whole fleet" if name == EVERYTHING else name
    end = f"until {rfc3339(until)}" if until else f"until `mosaic fleet unsuspend {agent or '--all'}`"
    output.result(f"suspended {what} by {made.by}, {end}: {made.reason}")
    return 0


@click.command(epilog="\b\nExample:\n  mosaic fleet unsuspend coder0\n")
@click.argument("agent", required=False)
@click.option("--all", "everything", is_flag=True, help="Every suspension that was made on this host.")
@fleet_option
@click.pass_obj
def unsuspend(output: Output, *, agent: str | None, everything: bool, fleet: str | None) -> int:
    """Lift a suspension that was made on this host. One that stands in fleet.yaml is lifted by a commit."""
    _one(agent, everything)
    return lift(output, agent, fleet)


def lift(output: Output, agent: str | None, fleet: str | None) -> int:
    """Lift one, or all (None), and say what was lifted. Raises NotFound."""
    from reconciler.commands.shared import here, poke
    from reconciler.pause import EVERYTHING
    from reconciler.pause import unsuspend as take_up

    place = here(fleet)
    lifted = take_up(place.store, agent, now=time.time())
    poke(place.store)
    for name, one in sorted(lifted.items()):
        what = "the whole fleet" if name == EVERYTHING else name
        output.result(f"lifted the suspension of {what} by {one.by}: {one.reason}")
    if not lifted:
        output.result("nothing was suspended on this host")
    return 0


def _one(agent: str | None, everything: bool) -> str:
    from reconciler.pause import EVERYTHING

    if (agent is None) == (not everything):
        raise click.UsageError("give either an agent or --all")
    return EVERYTHING if agent is None else agent
