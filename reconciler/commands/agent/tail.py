"""`mosaic agent tail`: the last lines of an agent's pane, and the lines that follow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_option

if TYPE_CHECKING:
    from providers.tmux.pane_view import PaneSnapshot
    from reconciler.agents.pane import AgentPane
    from reconciler.cli.output import Output
    from reconciler.context.fleet import FleetContext

EVERY_S = 0.5  # between two looks
LINES_MAX = 1000
MARGIN = 500  # rows that a screen may scroll between the question how far it did and the look


@click.command("tail", epilog="\b\nExample:\n  mosaic agent tail coder0 -n 100\n")
@click.argument("agent", metavar="NAME")
@click.option(
    "-n", "--lines", type=click.IntRange(1, LINES_MAX), default=40, show_default=True, help="How many lines, at most."
)
@click.option("--follow", is_flag=True, help="Continue with new lines until you interrupt or the agent ends.")
@click.option("--previous", is_flag=True, help="Print what was kept of the pane when the agent last crashed.")
@fleet_option
@click.pass_obj
def command(output: Output, *, agent: str, lines: int, follow: bool, previous: bool, fleet: str | None) -> int:
    """Print the last lines of the pane of the agent NAME as plain text, with anything hidden that looks like a secret.
    For a program that draws on the whole screen, print the current screen.

    With --follow, a line is printed once it has scrolled by or has stood still for a moment, which leaves out spinners
    and half-written answers.

    Ends with 1 when the agent's program ends.
    """
    from reconciler.agents.lookup import in_force, lookup
    from reconciler.agents.pane import AgentPane, text_of
    from reconciler.context.fleet import fleet_context
    from reconciler.errors import ExitCode
    from reconciler.remote.run_there import run_on_host
    from specs.compiled import Peer

    if follow and previous:
        raise click.UsageError("give either --follow or --previous")
    place = fleet_context(fleet, read_only=True)
    declared = in_force(place)
    found = lookup(declared, agent)
    if isinstance(found, Peer):
        asked = [*(["--follow"] if follow else []), *(["--previous"] if previous else [])]
        run_on_host(declared, found, "tail", "-n", str(lines), *asked)
    if previous:
        return _previous(output, place, found.name, lines)
    pane = AgentPane(declared, found)
    seen = pane.snapshot(back=0, joined=True)
    if not seen.alternate:
        seen = pane.snapshot(back=3 * lines, joined=True)  # what is wrapped is one line of several rows
    output.result(text_of(seen, lines))
    try:
        return _follow(output, pane, seen) if follow else 0
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def _previous(output: Output, place: FleetContext, name: str, lines: int) -> int:
    from reconciler.errors import NotFound
    from reconciler.state.logs import load_crash

    kept = load_crash(place.store, name)
    if kept is None:
        raise NotFound(f"nothing is kept of an earlier crash of agent {name}", help=f"mosaic agent tail {name}")
    output.result("\n".join(kept.rstrip("\n").split("\n")[-lines:]))
    return 0


def _follow(output: Output, pane: AgentPane, seen: PaneSnapshot) -> int:
    """`seen`: what was printed already."""
    from reconciler.agents.pane import ended, rows_of
    from reconciler.terminal.new_lines import Follower

    follower = Follower(rows_of(seen, screen=True))
    while True:
        time.sleep(EVERY_S)
        seen, aligned = _since(pane, seen)
        fresh = follower.look(rows_of(seen), rows_of(seen, screen=True), aligned=aligned)
        if seen.dead:
            fresh += follower.end()
        if fresh:
            output.result("\n".join(fresh))
        if not output.heard:
            return 0
        if seen.dead:
            raise ended(seen, pane.agent)


def _since(pane: AgentPane, before: PaneSnapshot) -> tuple[PaneSnapshot, bool]:
    """A look whose rows begin where the screen of `before` began; False with it if they may begin further up. tmux
    drops a tenth of a full history at once: then it is not known exactly how far the screen went."""
    seen = pane.snapshot(joined=True)
    grown = seen.history - before.history
    if seen.alternate or before.alternate or grown == 0:
        return seen, True
    if grown > 0:
        wide = pane.snapshot(back=grown, joined=True)
        if wide.history == seen.history:
            return wide, True
        grown = wide.history - before.history
    elif before.history > seen.limit // 2:
        grown += seen.limit // 10
    else:
        return seen, True  # its history was cleared
    return pane.snapshot(back=max(0, grown) + MARGIN, joined=True), False
