"""A fleet in which every agent is in another state, and what each command says of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.scenarios.fleet import Fleet
from tests.truth import shown

PROGRAM = str(Path(shown.__file__).resolve())
LONG = 90.0  # seconds; a machine that is busy with other tests gets that for anything


def showing(runtime: str, screen: str, **entry: Any) -> dict[str, Any]:
    """A roster entry for a program that shows a captured screen of `runtime`."""
    command = [sys.executable, "-I", "-S", PROGRAM, runtime, screen]
    return {"runtime": runtime, "class": "worker", "command": command, **entry}


def rules(fleet: Fleet, **heartbeat: str) -> None:
    """As most fleets are: a working agent is waited for."""
    fleet.rules["reconcile"]["rollout"] = {"on_change": "when-idle", "max_unavailable": 50}
    fleet.rules["heartbeat"] = {"interval": "1s", "stale_after": "15s", "idle_after": "2s", **heartbeat}


def screens(fleet: Fleet) -> None:
    """Show each screen in a window as large as it was captured in."""
    for name, entry in fleet.agents.items():
        if "command" in entry:
            fleet.tmux("resize-window", "-t", f"={name}:", "-x", "80", "-y", "24")
            fleet.type(name, f"show {entry['command'][-1]}")


def operator(fleet: Fleet) -> None:
    """Somebody who may commit."""
    fleet.host.run(["git", "config", "--global", "user.name", "Test"])
    fleet.host.run(["git", "config", "--global", "user.email", "test@example.invalid"])


def rows(fleet: Fleet) -> dict[str, dict[str, Any]]:
    seen = fleet.cli("fleet", "ps", "--fleet", fleet.repo, "-o", "json").document
    return {one["name"]: one for one in seen["agents"]}


def row(fleet: Fleet, name: str) -> dict[str, Any]:
    return rows(fleet)[name]


def reads(fleet: Fleet, name: str, state: str, waiting: str | None = None) -> dict[str, Any]:
    """Wait until `ps` says so of an agent; its row."""

    def so() -> bool:
        one = row(fleet, name)
        return (one["state"], one["waiting"]) == (state, waiting)

    fleet.wait(so, f"{name} to be {state} ({waiting})", LONG)
    return row(fleet, name)


def cells(text: str) -> dict[str, dict[str, str]]:
    """The table of `ps -o wide` by agent and column."""
    lines = text.splitlines()
    head = next(at for at, line in enumerate(lines) if line.startswith("AGENT "))
    names = lines[head].split()
    starts = [lines[head].index(f" {name}") + 1 if at else 0 for at, name in enumerate(names)]
    found = {}
    for line in lines[head + 1 :]:
        if not line.strip():
            break
        ends = [*starts[1:], None]
        cut = {name: line[a:b].strip() for name, a, b in zip(names, starts, ends, strict=True)}
        found[cut["AGENT"]] = cut
    return found
