"""What the scenarios share. They run in a private host, each a process: `python -m tests.machine.inside NAME`."""

from __future__ import annotations

import importlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from providers.machine.local_host import LocalHost
from providers.steps import Step, StepResult

MODULES = ("scenarios_systemd", "scenarios_trouble", "scenarios_tmux", "scenarios_files", "scenarios_hanging")
Scenario = Callable[[LocalHost], None]


def scenarios() -> dict[str, Scenario]:
    """Every function of the scenario modules whose name starts with `check_`."""
    found: dict[str, Scenario] = {}
    for module in MODULES:
        loaded = importlib.import_module(f"tests.machine.{module}")
        found |= {name[6:]: value for name, value in vars(loaded).items() if name.startswith("check_")}
    return found


def carry_out(host: LocalHost, batch: Sequence[tuple[str, Step]], *, within_s: float = 90.0) -> dict[str, StepResult]:
    """Begin a batch and wait for all of it."""
    host.begin(batch)
    results: dict[str, StepResult] = {}
    deadline = time.monotonic() + within_s
    while len(results) < len(batch):
        assert time.monotonic() < deadline, f"no end of { ({name for name, _ in batch} - set(results)) }"
        for name, result in host.completed(1.0):
            assert name not in results, f"{name} ended twice"
            results[name] = result
    return results


def wait_readable(host: LocalHost, *, timeout_s: float = 60.0) -> None:
    """Until something has come in from systemd."""
    assert select.select([host.systemd.fileno()], [], [], timeout_s)[0], "nothing came in"


def command(*argv: str, check: bool = True) -> str:
    """The output of a program."""
    return subprocess.run(argv, check=check, capture_output=True, text=True, timeout=90, env=clean()).stdout


def tmux(socket: str, *argv: str, check: bool = True) -> str:
    """tmux as a person would call it, on a socket of the test."""
    assert socket, "tests do not touch a default server"
    return command("tmux", "-u", "-L", socket, *argv, check=check)


def clean() -> dict[str, str]:
    """The environment without a surrounding tmux."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TMUX")}


if __name__ == "__main__":
    local = LocalHost()
    try:
        scenarios()[sys.argv[1]](local)
    finally:
        local.close()
