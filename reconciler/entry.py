"""How systemd starts us: the command of the reconciler's own units."""

from __future__ import annotations

import sys


def service_command() -> tuple[str, ...]:
    """The interpreter that runs us now (a virtual environment's own, not what it links to), so that the unit finds the
    same packages. The resident service's unit adds `--watch` to it."""
    return (sys.executable, "-m", "reconciler")
