"""A host of its own for each scenario: making one takes less time than cleaning one up."""

from __future__ import annotations

import pytest

from tests.hosts.private import PrivateHost
from tests.scenarios.fleet import Fleet


@pytest.fixture
def fleet(private_host: PrivateHost) -> Fleet:
    """A fleet without agents: declare some."""
    return Fleet(private_host)
