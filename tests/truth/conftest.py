"""One private host with a fleet for each file of tests: every test has agents of its own in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts.fixtures import RealHosts
from tests.hosts.private import PrivateHost
from tests.scenarios.fleet import Fleet


@pytest.fixture(scope="module")
def fleet(real_hosts: RealHosts) -> Iterator[Fleet]:
    """A fleet without agents: declare some."""
    with real_hosts(PrivateHost) as host:
        yield Fleet(host)
