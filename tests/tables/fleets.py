"""Agents and fleets made by hand, without the simulator: these tests start in a moment."""

from __future__ import annotations

from typing import Any

from specs.compiled import Agent, Fleet, Limits


def make_agent(name: str, **more: Any) -> Agent:
    usual: dict[str, Any] = {
        "name": name, "session": name, "agent_class": "coder", "runtime": "stub", "state": "running", "socket": "main",
        "working_directory": "/home/op/src", "argv": ("stub",), "process_names": ("stub",), "env": (), "path": (),
        "limits": Limits(), "model": None, "native_heartbeat": True, "reset_command": None, "submit_key": "Enter",
        "depends_on": (), "alias": None, "generation": 0,
    }  # fmt: skip
    return Agent(**{**usual, **more})


def make_fleet(*agents: Agent, **more: Any) -> Fleet:
    usual: dict[str, Any] = {
        "name": "local", "tenant_id": "acme", "host": "build-1", "revision": "1" * 40, "socket": "main",
        "holder_session": "_holder", "agents": tuple(sorted(agents, key=lambda agent: agent.name)),
    }  # fmt: skip
    return Fleet(**{**usual, **more})
