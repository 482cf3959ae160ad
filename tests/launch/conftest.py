"""One private host for each test module: real systemd, real tmux, and nothing of the machine's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts.fixtures import RealHosts
from tests.hosts.private import PrivateHost
from tests.launch.bench import Bench


@pytest.fixture(scope="module")
def private_host(real_hosts: RealHosts) -> Iterator[PrivateHost]:
    with real_hosts(PrivateHost) as host:
        yield host


@pytest.fixture
def bench(private_host: PrivateHost) -> Iterator[Bench]:
    """The host with nothing of ours running; what a test leaves is ended before the next one."""
    bench = Bench(private_host)
    yield bench
    bench.clear()
