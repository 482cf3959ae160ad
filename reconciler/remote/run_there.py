"""Run a command on an agent's own host, on our terminal or streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from specs.compiled import Fleet, Peer


def run_on_host(fleet: Fleet, peer: Peer, verb: str, *options: str, types: bool = False) -> NoReturn:
    """Run `mosaic agent VERB NAME` on the agent's own host, and end as it ends there. `types`: no use without a
    terminal. Raises Usage then, and Unavailable where there is no ssh, or no `mosaic` at its other end; ssh says why
    itself."""
    import os

    from click.exceptions import Exit

    from providers.processes.process import SpawnError, attend
    from reconciler.errors import Unavailable, Usage
    from reconciler.remote.ssh import NO_PROGRAM, SSH_FAILED, destination, interactive_argv
    from reconciler.terminal.pane_screen import is_terminal

    terminal = is_terminal()
    if types and not terminal:
        raise Usage(f"there is no terminal here to {verb}", help=f"to see it: mosaic agent watch {peer.name} --once")
    words = ["agent", verb, peer.name, "--fleet", fleet.name, *options]
    there = destination(peer)
    try:
        status = attend(interactive_argv(there, words, terminal=terminal), os.environ)
    except SpawnError as error:
        raise Unavailable(str(error), help="install it: sudo apt install openssh-client") from error
    if status == SSH_FAILED:
        raise Unavailable(
            f"{peer.host} was not reached, or the connection to it was lost",
            help=f"try it by hand: ssh {there.target} true",
        )
    if status == NO_PROGRAM:
        raise Unavailable(
            f"{peer.host} has no `mosaic` on its PATH", help="install it there, and reconcile that host once"
        )
    raise Exit(status if status >= 0 else 128 - status)
