"""What every test gets, wherever it lives."""

from __future__ import annotations

import signal

import pytest

from tests import fast, schedule
from tests.hosts.fixtures import guard_programs, isolated, machine, private_host, real_hosts

__all__ = ["guard_programs", "isolated", "machine", "private_host", "real_hosts"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="leave out every test that makes a host")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--fast"):
        fast.only_fast(config, items)
    schedule.by_rank(config, items)


def pytest_configure(config: pytest.Config) -> None:
    schedule.keep_order(config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    fast.watch(item)


# A shell that starts us in the background has SIGINT and SIGQUIT ignored, and every process of ours would inherit that:
# tests that interrupt one would wait for ever.
for _signal, _wanted in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, _wanted)
