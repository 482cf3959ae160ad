"""Messages to a fake program in a real tmux."""

from __future__ import annotations

import sys

import pytest

from tests.delivery.inside import scenarios
from tests.hosts.namespace import CHECKOUT
from tests.hosts.private import PrivateHost


@pytest.mark.parametrize("name", sorted(scenarios()))
def test_scenario(private: PrivateHost, name: str) -> None:
    argv = [sys.executable, "-m", "tests.delivery.inside", name]
    done = private.run(argv, cwd=CHECKOUT, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
