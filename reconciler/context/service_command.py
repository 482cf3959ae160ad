"""Build the command with which systemd starts the reconciler's own units."""

from __future__ import annotations

from providers.machine.facts import interpreter


def service_command() -> tuple[str, ...]:
    """The interpreter that runs us now (a virtual environment's own, and not its link target), so that the unit finds
    the same packages; the same however we were called. The resident service's unit adds `--watch`."""
    return (interpreter(), "-m", "reconciler")
