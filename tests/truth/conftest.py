"""One private host with a fleet for each file of tests: every test has agents of its own in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts.fixtures import shared_host
from tests.scenarios.fleet import Fleet


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """A fleet without agents: declare some."""
    with shared_host() as host:
        yield Fleet(host)
