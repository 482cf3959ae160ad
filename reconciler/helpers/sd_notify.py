"""Telling systemd that we are ready, alive and stopping (sd_notify(3)): one datagram, no library."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

START_S = 120  # how long a first look may take from one sign of life to the next


class Notifier:
    """Silent where nobody asked (`NOTIFY_SOCKET` is not set). Never raises: this is information, not work."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        usec = environ.get("WATCHDOG_USEC", "")
        mine = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        # Half of what systemd waits, as sd_watchdog_enabled(3) advises; None: nobody waits.
        self._starting = True
        self.watchdog_s: float | None = int(usec) / 2_000_000 if usec.isdigit() and int(usec) and mine else None

    def ready(self, status: str) -> None:
        """We do our work from now on."""
        self._starting = False
        self._send(f"READY=1\nSTATUS={status}")

    def alive(self, status: str = "") -> None:
        """Pat the watchdog; with `status`, also say what we are doing. Before `ready`, ask for more time to begin."""
        more = f"\nEXTEND_TIMEOUT_USEC={START_S * 1_000_000}" if self._starting else ""
        self._send("WATCHDOG=1" + (f"\nSTATUS={status}" if status else "") + more)

    def stopping(self) -> None:
        """We are on our way out."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(1.0)
                sender.sendto(message.replace("\n\n", "\n").encode(), self._address)
        except OSError:
            pass  # systemd will notice by itself that it hears nothing
