"""One private host for all scenarios of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts.fixtures import shared_host
from tests.hosts.private import PrivateHost


@pytest.fixture(scope="module")
def private() -> Iterator[PrivateHost]:
    with shared_host() as host:
        yield host
