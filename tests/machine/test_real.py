"""The scenarios, against a real user manager, a real tmux and a real /proc."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.hosts.private import PrivateHost
from tests.machine.inside import scenarios

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", sorted(scenarios()))
def test_scenario(private: PrivateHost, name: str) -> None:
    argv = [sys.executable, "-m", "tests.machine.inside", name]
    done = private.run(argv, cwd=CHECKOUT, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
