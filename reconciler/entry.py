"""How systemd starts us: the command of the reconciler's own units."""

from __future__ import annotations

import sys
from typing import Literal


def service_command(install: Literal["none", "timer", "watch"]) -> tuple[str, ...]:
    """The interpreter that runs us now (a virtual environment's own, not what it links to), so that the unit finds the
    same packages."""
    watch = ("--watch",) if install == "watch" else ()
    return (sys.executable, "-m", "reconciler", *watch)
