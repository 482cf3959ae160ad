"""One offline host with the real programs in it, for the tests of this folder in their order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.hosts.errors import HostUnavailable
from tests.hosts.fixtures import RealHosts, without_host
from tests.hosts.private import why_unavailable
from tests.real_agents.api import FakeApi
from tests.real_agents.bench import RealFleet
from tests.real_agents.offline import EmptyNetwork, OfflineHost
from tests.real_agents.packages import InstallError, installed


@pytest.fixture(scope="session")
def programs() -> Path:
    """npm's prefix. A machine that cannot have the programs fails these tests."""
    try:
        return installed()
    except InstallError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def network() -> Iterator[EmptyNetwork]:
    if reason := why_unavailable():
        without_host(HostUnavailable(reason))
    with closing(EmptyNetwork()) as network:
        yield network


@pytest.fixture(scope="module")
def fleet(real_hosts: RealHosts, network: EmptyNetwork, programs: Path) -> Iterator[RealFleet]:
    with real_hosts(lambda: OfflineHost(network, share=[programs])) as host, closing(FakeApi(network)) as api:
        fleet = RealFleet(host=host, api=api, prefix=programs)
        fleet.prepare()
        yield fleet


@pytest.fixture
def running(fleet: RealFleet) -> RealFleet:
    """The fleet with every agent up, whatever the test before has done to it."""
    fleet.bring_up()
    return fleet
