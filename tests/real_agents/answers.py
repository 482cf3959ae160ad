"""Dialogs of the real programs, answered as a person does from afar."""

from __future__ import annotations

import json

from providers.programs.registry import program
from tests.real_agents.bench import RealFleet
from tests.real_agents.test_attending import mosaic


def answer(fleet: RealFleet, agent: str, *how: str) -> None:
    """Answer a dialog as a person does from afar; only the one that is listed."""
    wrong = mosaic(fleet, "agent", "answer", agent, *how, "--case", "00000000", "-o", "json")
    found = json.loads(wrong.stdout)
    assert (wrong.returncode, found["result"]) == (5, "changed"), wrong.stdout + wrong.stderr
    assert program(agent).read(fleet.sight(agent)).asks
    right = mosaic(fleet, "agent", "answer", agent, *how, "--case", found["dialog"]["case"], "-o", "json")
    assert right.returncode == 0, right.stdout + right.stderr + fleet.screen(agent)
    assert json.loads(right.stdout)["then"] is None
