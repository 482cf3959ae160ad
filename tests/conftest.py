"""What every test gets, wherever it lives."""

from __future__ import annotations

import pytest

from tests.hosts.fixtures import guard_programs, isolated, machine, private_host

__all__ = ["guard_programs", "isolated", "machine", "private_host"]


def pytest_itemcollected(item: pytest.Item) -> None:
    """The tests of one booted machine stay together, in one worker (marked before xdist reads the groups)."""
    if item.config.pluginmanager.hasplugin("xdist") and "machine" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
