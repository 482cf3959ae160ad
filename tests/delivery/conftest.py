"""One private host for all scenarios of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts.fixtures import RealHosts
from tests.hosts.private import PrivateHost


@pytest.fixture(scope="module")
def private(real_hosts: RealHosts) -> Iterator[PrivateHost]:
    with real_hosts(PrivateHost) as host:
        yield host
