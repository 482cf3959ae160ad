"""The fixtures: real hosts, and a guard that keeps every test away from the real person's home, bus and tmux."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NoReturn, Protocol, Self, TypeVar

import pytest

from tests.hosts import roots
from tests.hosts.errors import HostUnavailable
from tests.hosts.machine import Machine
from tests.hosts.private import PrivateHost

# Programs that reach the user's manager, logind or tmux even when the environment names none of them.
GUARDED = ("tmux", "systemctl", "systemd-run", "loginctl", "busctl", "journalctl", "machinectl")
_FORGOTTEN = ("TMUX", "TMUX_PANE", "NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID", "SSH_AUTH_SOCK")
# What a login session says of itself (its number, seat and kind), and folders that the person has chosen.
_OF_A_SESSION = "XDG_"
# The words of the test runner itself, and where the project's environment is: no product reads them.
_KEPT = ("MOSAIC_TEST_", "MOSAIC_VENV")


class Host(Protocol):
    def __enter__(self) -> Self: ...

    def __exit__(self, kind: None, error: None, trace: None, /) -> object: ...


HostT = TypeVar("HostT", bound=Host)


class RealHosts(Protocol):
    """How fixtures start hosts: `with real_hosts(lambda: PrivateHost(hostname="x")) as host`."""

    def __call__(self, make: Callable[[], HostT], /) -> AbstractContextManager[HostT]: ...


@contextmanager
def started(make: Callable[[], HostT]) -> Iterator[HostT]:
    """A host that ends with the block. A machine that cannot have it fails the test: nothing is left out in silence."""
    try:
        host = make().__enter__()
    except HostUnavailable as error:
        without_host(error)
    try:
        yield host
    finally:
        host.__exit__(None, None, None)


def without_host(error: HostUnavailable) -> NoReturn:
    pytest.fail(f"this test needs a real host: {error}\nwithout hosts: ./dev test --fast", pytrace=False)


@pytest.fixture(scope="session")
def real_hosts() -> RealHosts:
    """Every fixture that starts a host does it with this one, which is how `./dev test --fast` knows its tests."""
    return started


@pytest.fixture
def private_host(real_hosts: RealHosts, tmp_path: Path) -> Iterator[PrivateHost]:
    """A private user manager for this test alone; the test's `tmp_path` is there at the same place."""
    with real_hosts(lambda: PrivateHost(share=[tmp_path])) as host:
        yield host


@pytest.fixture(scope="module")
def machine(real_hosts: RealHosts) -> Iterator[Machine]:
    """A booted machine for the tests of one file, in their order."""
    with real_hosts(Machine) as host:
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
