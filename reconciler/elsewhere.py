"""An agent of another host: the command is run there, in this terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from specs.compiled import Peer


def go_there(peer: Peer, verb: str, *options: str) -> NoReturn:
    """Become `mosaic agent VERB NAME` on the agent's own host. Raises MosaicError off a terminal, or where ssh is not
    there."""
    import os

    from providers.spawn import SpawnError, become
    from reconciler.errors import MosaicError, Unavailable
    from reconciler.remote import destination, interactive_argv
    from reconciler.terminal import is_terminal

    there = destination(peer)
    words = ["agent", verb, peer.name, *options]
    if not is_terminal():
        raise MosaicError(
            f"agent {peer.name} belongs to host {peer.host}", help=f"ssh -t {there.target} mosaic {' '.join(words)}"
        )
    try:
        become(interactive_argv(there, words), os.environ)
    except SpawnError as error:
        raise Unavailable(str(error), help="install it: sudo apt install openssh-client") from error
