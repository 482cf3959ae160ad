"""`mosaic agent attach`: attach a terminal to an agent's session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_option

if TYPE_CHECKING:
    from providers.tmux.pane_view import Viewer
    from reconciler.agents.pane import AgentPane
    from reconciler.cli.output import Output

# tmux throws away what the terminal has not read yet when it takes it over (tcflush), so the terminal gets a moment.
TAKEN_S = 0.05
NOTICE_MS = 5000  # how long the last row says how to leave; a key that is pressed ends it


@click.command("attach", epilog="\b\nExample:\n  mosaic agent attach coder0\n")
@click.argument("agent", metavar="NAME")
@click.option("-y", "--yes", is_flag=True, help="Do not ask when others are attached already.")
@fleet_option
@click.pass_obj
def command(output: Output, *, agent: str, yes: bool, fleet: str | None) -> int:
    """Attach this terminal to the session of the agent NAME: what you type goes to the agent. The last row says how to
    leave (Ctrl-B, then d, unless your tmux has other keys): the agent keeps running. To look without touching, use
    `mosaic agent watch`.

    \b
    The pane keeps its own size, 200x50, whatever the size of your terminal, so
    that what the program has drawn stays as it is. A smaller terminal shows a
    part of it, which follows the cursor; Ctrl-B and the arrow keys with Shift
    held down move that part (tmux: refresh-client).
    """
    import os
    import time

    from providers.processes.process import SpawnError, become
    from reconciler.agents.lookup import in_force, lookup
    from reconciler.agents.pane import AgentPane, ended
    from reconciler.context.fleet import fleet_context
    from reconciler.errors import Unavailable
    from reconciler.remote.run_there import run_on_host
    from specs.compiled import Peer

    declared = in_force(fleet_context(fleet, read_only=True))
    found = lookup(declared, agent)
    if isinstance(found, Peer):
        run_on_host(declared, found, "attach", *(["--yes"] if yes else []), types=True)
    _must_be_a_terminal(found.name)
    pane = AgentPane(declared, found)
    seen = pane.snapshot()
    if seen.dead:
        raise ended(seen, found)
    _must_be_outside(pane)
    others = pane.viewers()
    if others and not yes and not _agreed(output, found.name, others):
        return 0
    hidden = ("TMUX", "TMUX_PANE", "TMUX_TMPDIR")
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    socket = ["-L", found.socket] if found.socket else []
    try:
        # The very pane: in its session there may be others, which somebody has looked at last.
        target = f"{pane.state.session}:.{pane.state.id}"
        leave = f"to leave, {pane.way_out()}; {found.name} goes on"
        output.progress(leave)  # still there afterwards: tmux takes the screen over, and shows it in its last row
        time.sleep(TAKEN_S)
        notice = ["display-message", "-d", str(NOTICE_MS), leave]
        become(["tmux", "-u", *socket, "attach-session", "-t", target, ";", *notice], environ)
    except SpawnError as error:
        raise Unavailable(str(error), help="install it: sudo apt install tmux") from error


def _must_be_a_terminal(name: str) -> None:
    """Raises Usage."""
    import os

    from reconciler.errors import Usage

    if not (os.isatty(0) and os.isatty(1)):
        raise Usage(
            "there is no terminal here to attach",
            help=f"to say something to it: mosaic agent send {name}; to see it: mosaic agent watch {name} --once",
        )


def _must_be_outside(pane: AgentPane) -> None:
    """Raises Refused in a pane of the same tmux server: it would show itself within itself, and take its own keys."""
    import os

    from reconciler.errors import Refused

    try:
        ours = os.ttyname(0)
    except OSError:
        return
    there = f"{pane.state.session}:.{pane.state.id}"
    if ours in pane.terminals():
        raise Refused(
            f"this terminal is a pane of the tmux server that agent {pane.agent.name} runs in",
            help=f"switch to it instead: tmux switch-client -t '{there}'; or detach first (Ctrl-B, then d)",
        )


def _agreed(output: Output, name: str, others: tuple[Viewer, ...]) -> bool:
    """Whether to go on: what several people type ends up in one line."""
    import time

    from reconciler.helpers.words import count, data, when

    attached = "; ".join(f"{data(one.tty)}, attached {when(one.created, time.time())}" for one in others)
    output.warning(f"{count(len(others), 'terminal')} attached to agent {name} already: {attached}")
    return click.confirm("what you type mixes with what is typed there; attach as well?", err=True)
