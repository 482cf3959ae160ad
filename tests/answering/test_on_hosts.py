"""Answers to a fake program in a real tmux: a key is pressed at most once, and never into another dialog."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.answering.inside import SCENARIOS
from tests.hosts.fixtures import RealHosts
from tests.hosts.namespace import CHECKOUT
from tests.hosts.private import PrivateHost


@pytest.fixture(scope="module")
def private(real_hosts: RealHosts) -> Iterator[PrivateHost]:
    with real_hosts(PrivateHost) as host:
        yield host


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_scenario(private: PrivateHost, name: str) -> None:
    argv = [sys.executable, "-m", "tests.answering.inside", name]
    done = private.run(argv, cwd=CHECKOUT, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
