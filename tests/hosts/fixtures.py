"""The fixtures: real hosts, and a guard that keeps every test away from the real person's home, bus and tmux."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from tests.hosts import roots
from tests.hosts.errors import HostUnavailable
from tests.hosts.machine import Machine
from tests.hosts.private import PrivateHost

REQUIRE = "MOSAIC_TEST_REQUIRE_HOSTS"
# Programs that reach the user's manager, logind or tmux even when the environment names none of them.
GUARDED = ("tmux", "systemctl", "systemd-run", "loginctl", "busctl", "journalctl", "machinectl")
_FORGOTTEN = ("TMUX", "TMUX_PANE", "NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID", "SSH_AUTH_SOCK")
# What a login session says of itself (its number, seat and kind), and folders that the person has chosen.
_OF_A_SESSION = "XDG_"
# The words of the test runner itself, and where the project's environment is: no product reads them.
_KEPT = ("MOSAIC_TEST_", "MOSAIC_VENV")


def hosts_required() -> bool:
    """Whether a host that cannot be made is a failure: in CI, and in `./dev test`."""
    return any(os.environ.get(name, "") not in {"", "0", "false"} for name in ("CI", REQUIRE))


def without_host(error: HostUnavailable) -> NoReturn:
    if hosts_required():
        pytest.fail(f"this test needs a real host: {error}", pytrace=False)
    pytest.skip(f"needs a real host: {error}")


@contextmanager
def shared_host() -> Iterator[PrivateHost]:
    """A private user manager for more than one test: for a fixture of a file's own."""
    try:
        host = PrivateHost().start()
    except HostUnavailable as error:
        without_host(error)
    with closing(host):
        yield host


@pytest.fixture
def private_host(tmp_path: Path) -> Iterator[PrivateHost]:
    """A private user manager for this test alone; the test's `tmp_path` is there at the same place."""
    try:
        host = PrivateHost(share=[tmp_path]).start()
    except HostUnavailable as error:
        without_host(error)
    with closing(host):
        yield host


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A booted machine for the tests of one file, in their order."""
    try:
        host = Machine().start()
    except HostUnavailable as error:
        without_host(error)
    with closing(host):
        yield host


@pytest.fixture(scope="session")
def guard_programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of programs that refuse, for the front of PATH."""
    folder = tmp_path_factory.mktemp("guard")
    for name in GUARDED:
        program = folder / name
        program.write_text(f"#!/bin/sh\necho 'a test must not run the real {name}: use private_host' >&2\nexit 97\n")
        program.chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, guard_programs: Path) -> Path:
    """The home folder of this test: empty, its own, and the only one it can find."""
    home = tmp_path_factory.mktemp("home")
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    for name in os.environ:
        ours = name.startswith(("MOSAIC_", "GIT_")) and not name.startswith(_KEPT)
        if name in _FORGOTTEN or ours or name.startswith(_OF_A_SESSION):
            monkeypatch.delenv(name)
    values = {
        "HOME": home,
        "PATH": f"{guard_programs}:{os.environ['PATH']}",
        "TMUX_TMPDIR": runtime,
        "XDG_RUNTIME_DIR": runtime,
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_STATE_HOME": home / ".local/state",
        "XDG_DATA_HOME": home / ".local/share",
        "XDG_CACHE_HOME": home / ".cache",
        "MOSAIC_TEST_CACHE": roots.CACHE,  # a root is made once for all, also for a test's own processes
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/no-bus",
        "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={runtime}/no-bus",
        # A person's git settings (signing, hooks, default branch) are not part of any test.
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Test",
        "GIT_AUTHOR_EMAIL": "test@example.invalid",
        "GIT_COMMITTER_NAME": "Test",
        "GIT_COMMITTER_EMAIL": "test@example.invalid",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, str(value))
    return home
