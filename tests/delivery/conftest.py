"""One private host for all scenarios of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.hosts.errors import HostUnavailable
from tests.hosts.fixtures import without_host
from tests.hosts.private import PrivateHost


@pytest.fixture(scope="module")
def private() -> Iterator[PrivateHost]:
    try:
        host = PrivateHost().start()
    except HostUnavailable as error:
        without_host(error)
    with closing(host):
        yield host
