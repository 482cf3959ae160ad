"""What every test gets, wherever it lives."""

from __future__ import annotations

import pytest

from tests.hosts.fixtures import guard_programs, isolated, machine, private_host

__all__ = ["guard_programs", "isolated", "machine", "private_host"]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The tests of one booted machine stay together, in one worker."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        if "machine" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
