"""The scenarios by name. They run in a private host, each a process: `python -m tests.delivery.inside NAME`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable

MODULES = ("scenarios_send", "scenarios_typed")


def scenarios() -> dict[str, Callable[[], None]]:
    """Every function of the scenario modules whose name starts with `check_`."""
    found: dict[str, Callable[[], None]] = {}
    for module in MODULES:
        loaded = importlib.import_module(f"tests.delivery.{module}")
        found |= {name[6:]: value for name, value in vars(loaded).items() if name.startswith("check_")}
    return found


if __name__ == "__main__":
    scenarios()[sys.argv[1]]()
