"""No test reaches the real home, bus or tmux server; a missing host is a failure where it must be one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hosts import permission
from tests.hosts.errors import HostUnavailable
from tests.hosts.fixtures import GUARDED, without_host

HOME_TEST = "test_the_home_is_the_tests_own"


def test_the_home_is_the_tests_own(isolated: Path) -> None:
    assert Path.home() == isolated
    assert all(os.environ[name].startswith(str(isolated)) for name in os.environ if name.startswith("XDG_"))
    assert str(isolated) in os.environ["DBUS_SESSION_BUS_ADDRESS"]
    assert "TMUX" not in os.environ


@pytest.mark.parametrize("name", GUARDED)
def test_programs_that_reach_the_real_user_refuse(name: str) -> None:
    done = subprocess.run([name], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (97, f"a test must not run the real {name}: use private_host\n")


@given(st.integers())
def test_properties_are_guarded_too(number: int) -> None:
    assert isinstance(number, int)
    assert Path.home() == Path(os.environ["XDG_CONFIG_HOME"]).parent


def test_a_missing_host_is_a_failure() -> None:
    with pytest.raises(pytest.fail.Exception, match="no cgroups today"):
        without_host(HostUnavailable("no cgroups today"))


def test_only_a_test_with_real_hosts_starts_one() -> None:
    """Or it would be one of the fast ones."""
    with pytest.raises(AssertionError, match="real_hosts"):
        permission.check()


@pytest.mark.usefixtures("real_hosts")
def test_with_real_hosts_one_may_be_started() -> None:
    permission.check()


def test_a_login_session_makes_no_difference() -> None:
    """What it says of itself names no folder of the test's."""
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{__file__}::{HOME_TEST}"]
    session = {"XDG_SESSION_ID": "3", "XDG_SEAT": "seat0", "XDG_DATA_DIRS": "/usr/share", "XDG_VTNR": "1"}
    done = subprocess.run(argv, env={**os.environ, **session}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
