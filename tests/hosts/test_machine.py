"""The booted machine: users, linger, a disk that outlives reboots and power cuts, nothing left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hosts import Machine, eventually, namespace, roots
from tests.hosts.systems import System
from tests.hosts.test_private import UNIT, traces


@pytest.fixture(scope="module")
def ann(machine: Machine) -> str:
    machine.useradd("ann")
    machine.enable_linger("ann")
    return "ann"


def test_it_is_a_machine_of_its_own(machine: Machine) -> None:
    assert machine.run(["cat", "/proc/1/comm"]).stdout == "systemd\n"
    assert machine.run(["systemctl", "is-system-running"]).stdout == "running\n"
    assert machine.run(["hostname"]).stdout == "machine\n"
    machine.run(["touch", "/etc/mark"])
    assert not Path("/etc/mark").exists()


def test_a_user_with_linger_has_a_manager_of_its_own(machine: Machine, ann: str) -> None:
    scope = ["systemd-run", "--user", "--scope", "--quiet", "cat", "/proc/self/cgroup"]
    assert f"/user@{machine.uid(ann)}.service/app.slice/run-" in machine.user_run(ann, scope).stdout
    assert machine.user_run(ann, ["pwd"]).stdout == "/home/ann\n"


def test_an_ordinary_user_can_run_the_project(machine: Machine, ann: str) -> None:
    said = machine.python("import os, sys, pydantic, tests.hosts; print(os.getuid(), sys.executable)", ann).stdout
    assert said == f"{machine.uid(ann)} {sys.executable}\n"


@pytest.mark.parametrize("end", ["reboot", "power_cut"])
def test_an_enabled_user_unit_comes_back(machine: Machine, ann: str, end: str) -> None:
    folder = "/home/ann/.config/systemd/user"
    machine.user_run(ann, ["mkdir", "-p", folder])
    machine.user_run(ann, ["tee", f"{folder}/{end}.service"], input=UNIT.format(command=f"touch /run/user/%U/{end}"))
    machine.user_run(ann, ["systemctl", "--user", "enable", f"{end}.service"])
    machine.user_run(ann, ["tmux", "new-session", "-d", "sleep infinity"])
    getattr(machine, end)()
    machine.wait_for_user(ann)
    assert machine.path_outside(f"/run/user/{machine.uid(ann)}/{end}").exists()
    assert machine.user_run(ann, ["tmux", "list-sessions"], check=False).returncode != 0


def own_nspawn(system: System | None) -> list[str]:
    """The system's own program, with its own libraries: newer ones refuse what older ones take."""
    if system is None:
        return ["systemd-nspawn"]
    root = roots.root(system)
    libraries = f"{root}/usr/lib/{sys.implementation._multiarch}"
    loader = next(root.glob("usr/lib64/ld-linux*"), None) or next(root.glob("usr/lib/ld-linux*"))
    return [str(loader), "--library-path", f"{libraries}:{libraries}/systemd", f"{root}/usr/bin/systemd-nspawn"]


def test_the_systems_own_nspawn_starts_again_after_each_end(machine: Machine) -> None:
    """Killed, it leaves mounts behind that version 257 takes for another machine's."""
    with Machine("again", nspawn=own_nspawn(machine.system)) as again:
        for end in (again.power_cut, again.reboot, again.power_cut, again.power_cut):
            end()
        assert again.run(["cat", "/proc/1/comm"]).stdout == "systemd\n"


def test_two_machines_are_connected_to_each_other_only(machine: Machine) -> None:
    with Machine("other") as other:
        machine.connect(other)
        ports = "import socket; s = socket.create_server(('10.99.0.2', 7070)); print('up', flush=True); s.accept()"
        with other.popen([sys.executable, "-c", ports], stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == "up\n"
            machine.python("import socket; socket.create_connection(('10.99.0.2', 7070), 5).close()")
            server.wait(timeout=90)
        assert "default" not in machine.run(["ip", "route"]).stdout


OWNER = """
import signal
from tests.hosts import Machine
with Machine("short-lived") as machine:
    print(machine._space.name, flush=True)
    signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.usefixtures("machine")  # only where one can be made
def test_nothing_is_left_when_the_owner_is_ended(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER],
        cwd=namespace.CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        name = owner.stdout.readline().strip()
        assert traces(name)
        owner.send_signal(number)
        owner.wait(timeout=90)
    eventually(lambda: not traces(name), what=f"the end of {name}")
