"""What every test gets, wherever it lives."""

from __future__ import annotations

import pytest

from tests.hosts.fixtures import guard_programs, isolated, machine, private_host

__all__ = ["guard_programs", "isolated", "machine", "private_host"]


def pytest_configure(config: pytest.Config) -> None:
    # Declared here as well as in xdist, so that the tests run without it; inside its workers it goes by another name.
    config.addinivalue_line("markers", "xdist_group(name): tests that one worker runs, in their order")


def pytest_itemcollected(item: pytest.Item) -> None:
    """The tests of one booted machine stay together, in one worker (marked before xdist reads the groups)."""
    if "machine" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
