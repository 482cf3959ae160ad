"""The terminals that are attached to a tmux server, and their bells."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.processes.process import SpawnError

if TYPE_CHECKING:
    from providers.tmux.server import TmuxClient

_TERMINAL = re.compile(r"/dev/(?:pts/|tty)[0-9]+", re.ASCII)


def attached_terminals(tmux: TmuxClient, socket: str) -> tuple[str, ...]:
    """The device of each terminal that a person has attached, in one call; none without a server. Raises
    ObserveError."""
    try:
        done = tmux.spawn(socket, ["list-clients", "-F", "#{client_tty}"]).finish()
    except SpawnError as error:
        raise ObserveError(f"tmux list-clients: {error}") from error
    if done.status != 0:
        return ()  # no server, or none that has a client
    lines = done.out.decode("utf-8", "replace").splitlines()
    return tuple(dict.fromkeys(line for line in lines if _TERMINAL.fullmatch(line)))


def ring(terminal: str) -> None:
    """Ring the bell of a terminal; a terminal that is not read does not hold us up. Raises OSError."""
    descriptor = os.open(terminal, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.write(descriptor, b"\a")
    finally:
        os.close(descriptor)
