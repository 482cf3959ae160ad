"""An agent of another host: the command is run there, on our own terminal or streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from specs.compiled import Fleet, Peer


def go_there(fleet: Fleet, peer: Peer, verb: str, *options: str, types: bool = False) -> NoReturn:
    """Become `mosaic agent VERB NAME` on the agent's own host. `types`: no use without a terminal. Raises Usage
    then, and Unavailable where ssh is not there."""
    import os

    from providers.spawn import SpawnError, become
    from reconciler.errors import Unavailable, Usage
    from reconciler.remote import destination, interactive_argv
    from reconciler.terminal import is_terminal

    terminal = is_terminal()
    if types and not terminal:
        raise Usage(f"there is no terminal here to {verb}", help=f"to see it: mosaic agent watch {peer.name} --once")
    words = ["agent", verb, peer.name, "--fleet", fleet.name, *options]
    try:
        become(interactive_argv(destination(peer), words, terminal=terminal), os.environ)
    except SpawnError as error:
        raise Unavailable(str(error), help="install it: sudo apt install openssh-client") from error
