"""systemd as it should not be: no bus, a bus that goes, a manager that hangs. Never an empty list, never a hang."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from providers.base import ObserveError
from providers.machine.local_host import LocalHost
from providers.steps import SetEnabled, UnitJob
from providers.systemd.client import Systemd
from tests.hosts.waiting import eventually
from tests.machine.inside import carry_out, command


@contextmanager
def _without_bus(host: LocalHost) -> Iterator[dict[str, str]]:
    bus = f"{host.facts.runtime_dir}/bus"
    os.rename(bus, bus + ".away")
    try:
        yield {**os.environ, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={bus}"}
    finally:
        os.rename(bus + ".away", bus)


def _manager() -> int:
    with open("/run/mosaic-host.pid") as file:
        return int(file.read())


@contextmanager
def _stopped_manager() -> Iterator[None]:
    os.kill(_manager(), signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(_manager(), signal.SIGCONT)


def _on_the_bus() -> LocalHost:
    """A client over the bus: for a moment after the bus was started systemd is not on it, and clients pass it over."""
    eventually(lambda: "org.freedesktop.systemd1" in command("busctl", "--user", "list", "--acquired", "--no-pager"))
    local = LocalHost()
    local.look().units()
    return local


def _error(systemd: Systemd) -> str:
    try:
        systemd.list_units()
    except ObserveError as error:
        return str(error)
    raise AssertionError("it was seen, and could not be")


def check_private_socket_without_a_bus(host: LocalHost) -> None:
    units = [f"mosaic-agent@private{number}.service" for number in range(50)]
    with _without_bus(host) as environ:
        local = LocalHost(environ)
        results = carry_out(local, [(unit, UnitJob(verb="start", unit=unit)) for unit in units])
        assert all(result.ok for result in results.values())
        assert {name for name in local.look().units() if "@private" in name} == set(units)
        assert carry_out(local, [("on", SetEnabled(unit=units[0], enabled=True))])["on"].changed
        failed = carry_out(local, [("fail", UnitJob(verb="start", unit="mosaic-fail.service"))])["fail"]
        assert "status 1" in str(failed.error)
        local.systemd.subscribe()
        local.systemd.drain()
        command("systemctl", "--user", "stop", units[1])
        eventually(local.systemd.drain, what="a word about the stop")
        carry_out(local, [("off", SetEnabled(unit=units[0], enabled=False))])
        carry_out(local, [(unit, UnitJob(verb="stop", unit=unit)) for unit in units])
        local.close()


def check_private_socket_answers_the_first_call(host: LocalHost) -> None:
    with _without_bus(host) as environ:
        for _ in range(100):
            systemd = Systemd(environ, os.getuid(), read_timeout_s=2.0)
            systemd.list_units()
            systemd.close()


def check_a_bus_without_systemd_is_passed_over(host: LocalHost) -> None:
    argv = ("dbus-daemon", "--session", "--fork", "--print-address=1", "--print-pid=1", "--address=unix:dir=/tmp")
    address, pid = command(*argv).split()
    try:
        environ = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": address}
        assert Systemd(environ, os.getuid()).list_units() == host.look().units()
    finally:
        os.kill(int(pid), signal.SIGTERM)


def check_the_bus_goes_while_jobs_run(_: LocalHost) -> None:
    host = _on_the_bus()
    slow = [f"mosaic-slow@lost{number}.service" for number in range(3)]
    host.begin([(unit, UnitJob(verb="start", unit=unit)) for unit in slow])
    host.begin([("restart", UnitJob(verb="restart", unit="mosaic-slow@lost9.service"))])
    assert host.completed(0.1) == []
    command("systemctl", "--user", "kill", "--signal=KILL", "dbus.service")
    results: dict[str, object] = {}
    deadline = time.monotonic() + 90
    while len(results) < 4 and time.monotonic() < deadline:
        results.update(host.completed(1.0))
    assert [getattr(results[unit], "ok", None) for unit in slow] == [True] * 3, results
    assert "connection to systemd was lost" in str(getattr(results["restart"], "error", "")), results
    eventually(lambda: host.look().units()[slow[0]].active == "active", what="the units, over a new connection")
    command("systemctl", "--user", "reset-failed", check=False)


def check_a_subscriber_outlives_the_bus(_: LocalHost) -> None:
    host = _on_the_bus()
    systemd = host.systemd
    systemd.subscribe()
    systemd.drain()
    command("systemctl", "--user", "kill", "--signal=KILL", "dbus.service")
    eventually(systemd.drain, what="the loss, as a reason to look again")
    assert systemd.fileno() >= 0
    host.look().units()
    systemd.drain()
    command("systemctl", "--user", "start", "mosaic-agent@outlive.service")
    eventually(systemd.drain, what="a word about the start")


def check_a_hanging_manager_is_unknown(host: LocalHost) -> None:
    connected = Systemd(os.environ, os.getuid(), read_timeout_s=0.4)
    connected.list_units()
    deadline = time.monotonic() + 90  # at half a second for each in turn they would take longer
    with _stopped_manager():
        assert "ListUnitsByPatterns" in _error(connected)
        with _without_bus(host) as environ:
            assert "does not answer" in _error(Systemd(environ, os.getuid(), read_timeout_s=0.3))
        host.begin(
            [(str(n), UnitJob(verb="start", unit=f"mosaic-run@h{n}.service", timeout_s=0.5)) for n in range(200)]
        )
        ended: dict[str, object] = {}
        while len(ended) < 200 and time.monotonic() < deadline:
            ended.update(host.completed(1.0))
        assert all("StartUnit" in str(getattr(result, "error", "")) for result in ended.values())
        assert len(ended) == 200
    Systemd(os.environ, os.getuid(), read_timeout_s=60.0).list_units()  # it works off what was asked meanwhile
    command("systemctl", "--user", "stop", "mosaic-run@*.service")


def check_reexecution_loses_nothing(host: LocalHost) -> None:
    units = [f"mosaic-slow@reexec{number}.service" for number in range(3)]
    host.look().units()
    host.begin([(unit, UnitJob(verb="start", unit=unit, timeout_s=60)) for unit in units])
    assert host.completed(0.05) == []
    command("systemctl", "--user", "daemon-reexec")
    results: dict[str, object] = {}
    deadline = time.monotonic() + 90
    while len(results) < 3 and time.monotonic() < deadline:
        results.update(host.completed(1.0))
    assert all(getattr(result, "ok", False) for result in results.values()), results
    assert len(results) == 3
