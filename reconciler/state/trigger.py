"""Ask the resident loop of a fleet to look now."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.state.store import Store


def request_look(store: Store) -> bool:
    """Ask the resident loop to look now. False if there is none; a signal means nothing but "look again"."""
    path = store.runtime / "trigger.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
        try:
            sender.sendto(b"look", os.fsencode(path))
        except BlockingIOError:
            return True  # its queue is full, so it has been asked already
        except OSError:
            return False
    return True
