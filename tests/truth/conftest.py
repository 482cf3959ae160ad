"""One private host with a fleet for each file of tests: every test has agents of its own in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts.errors import HostUnavailable
from tests.hosts.fixtures import without_host
from tests.hosts.private import PrivateHost
from tests.scenarios.fleet import Fleet


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """A fleet without agents: declare some."""
    try:
        host = PrivateHost().start()
    except HostUnavailable as error:
        without_host(error)
    with host:
        yield Fleet(host)
