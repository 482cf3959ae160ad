"""`mosaic agent watch`: see an agent's pane without touching it."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_option

if TYPE_CHECKING:
    from reconciler.agents.pane import AgentPane
    from reconciler.cli.output import Output
    from reconciler.context.fleet import FleetContext
    from specs.compiled import Agent, Fleet

LIVE_S = 0.25  # between two looks at the pane, for a person's eyes
PLAIN_S = 0.5  # for a reader that is a program


@click.command("watch", epilog="\b\nExample:\n  mosaic agent watch coder0\n")
@click.argument("agent", metavar="NAME")
@click.option("--once", is_flag=True, help="Print the current screen, and end.")
@fleet_option
@click.pass_obj
def command(output: Output, *, agent: str, once: bool, fleet: str | None) -> int:
    """Show the pane of the agent NAME live. No key that you press reaches it, its size stays as it is, and neither the
    agent nor anybody else can tell that you look. Any number of people may.

    \b
    On a terminal: q or Ctrl-C leaves; the arrow keys (or h j k l) move the view
    in a pane that is larger than your terminal, Home and End go to its corners.
    Elsewhere: prints the screen as plain text, again whenever it has changed.

    Ends with 1 when the agent's program ends or its session is gone, with 69 when its tmux server is.
    """
    from reconciler.agents.lookup import in_force, lookup
    from reconciler.agents.pane import AgentPane
    from reconciler.context.fleet import fleet_context
    from reconciler.remote.run_there import run_on_host
    from reconciler.terminal.pane_screen import is_terminal
    from specs.compiled import Peer

    place = fleet_context(fleet, read_only=True)
    declared = in_force(place)
    found = lookup(declared, agent)
    if isinstance(found, Peer):
        run_on_host(declared, found, "watch", *(["--once"] if once else []))
    pane = AgentPane(declared, found)
    if once or not is_terminal():
        return _plain(output, pane, once=once)
    return _live(place, declared, found, pane)


def _plain(output: Output, pane: AgentPane, *, once: bool) -> int:
    from reconciler.agents.pane import ended, text_of
    from reconciler.errors import ExitCode
    from reconciler.render.watch_text import heading

    shown: str | None = None
    try:
        while True:
            seen = pane.snapshot(joined=True)
            text = text_of(seen)
            if once:
                output.result(text)
                return 0
            if text != shown:
                output.result(f"{heading(pane.agent.name, time.time())}\n{text}")
                shown = text
                if not output.heard:
                    return 0
            if seen.dead:
                raise ended(seen, pane.agent)
            time.sleep(PLAIN_S)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def _live(place: FleetContext, fleet: Fleet, agent: Agent, pane: AgentPane) -> int:
    from reconciler.agents.observer import AgentObserver
    from reconciler.agents.pane import ended
    from reconciler.render.watch_text import status_line
    from reconciler.terminal.pane_screen import Terminal
    from reconciler.terminal.screen import Ended
    from reconciler.terminal.styled_text import spans
    from reconciler.terminal.viewport import Port, Size, framed

    observer, colour = AgentObserver(place, fleet), not os.environ.get("NO_COLOR")
    seen, due, port = pane.snapshot(), time.monotonic() + LIVE_S, Port()
    try:
        with Terminal() as terminal:
            observer.follow(agent.name)
            while not seen.dead:
                room, whole = terminal.room(), Size(seen.width, seen.height)
                line = status_line(agent.name, seen, observer.last, now=time.time(), terminal=room)
                terminal.paint(framed(spans(seen.rows), whole, room, port, line, colour=colour))
                for key in terminal.pressed(max(0.0, due - time.monotonic())):
                    if key == "quit":
                        return 0
                    port = port.moved(key, whole, Size(room.columns, room.rows - 1))
                if time.monotonic() >= due:
                    seen, due = pane.snapshot(), time.monotonic() + LIVE_S
    except KeyboardInterrupt:
        return 0  # the usual way out of what goes on for ever
    except Ended as asked:
        return 128 + asked.signum
    except OSError:
        return 128 + signal.SIGHUP  # the terminal is gone
    raise ended(seen, agent)
