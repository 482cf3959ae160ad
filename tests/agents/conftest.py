"""One private host with a fleet for each file of tests: every test has agents of its own in it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents import fullscreen
from tests.hosts.fixtures import shared_host
from tests.scenarios.fleet import Fleet, stub

AGENTS = ("coder0", "coder1", "coder2", "coder3", "team.lead")


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """Five stub agents and `canvas`, which draws on the whole screen; all of them run."""
    with shared_host() as host:
        made = Fleet(host)
        made.agents = {name: stub() for name in AGENTS}
        made.agents["team.lead"]["alias"] = "lead"
        made.agents["canvas"] = {"runtime": "fullscreen", "class": "painter"}
        made.agents["far"] = stub(host="build-2")
        program = str(Path(fullscreen.__file__).resolve())
        command = [sys.executable, "-I", "-S", program]
        made.roster["runtimes"] = {"fullscreen": {"command": command, "process_names": ["fullscreen"]}}
        made.commit("first")
        made.converge()
        yield made
