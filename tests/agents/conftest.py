"""One private host with a fleet for each file of tests: every test has agents of its own in it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents import fullscreen
from tests.hosts.fixtures import RealHosts
from tests.hosts.private import PrivateHost
from tests.scenarios.fleet import Fleet, stub

AGENTS = ("coder0", "coder1", "coder2", "coder3", "team.lead")


@pytest.fixture(scope="module")
def fleet(real_hosts: RealHosts) -> Iterator[Fleet]:
    """Five stub agents and `canvas`, which draws on the whole screen; all of them run."""
    with real_hosts(PrivateHost) as host:
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
