"""The private host does what a real login does, and is gone without a trace afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hosts import HostCommandError, HostUnavailable, PrivateHost, cgroups, eventually, namespace
from tests.hosts.fixtures import without_host

UNIT = """[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={command}
[Install]
WantedBy=default.target
"""


def traces(name: str) -> list[str]:
    """Everything on this machine that carries the host's name (a zombie holds nothing: it waits to be reaped)."""
    folders = [f"{h.base}/{name}" for h in cgroups.hierarchies() if Path(h.base, name).exists()]
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f" {name} " in line]
    members = []
    for entry in Path("/proc").iterdir():
        try:
            ended = "State:\tZ" in (entry / "status").read_text() if entry.name.isdigit() else True
            if not ended and f"/{name}" in (entry / "cgroup").read_text():
                members.append(entry.name)
        except OSError:
            continue  # it ended while we looked
    return folders + mounts + members


def write_unit(host: PrivateHost, name: str, command: str) -> None:
    folder = host.path_outside(host.home / ".config/systemd/user")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(UNIT.format(command=command))
    host.systemctl("daemon-reload")


def test_a_scope_lies_in_the_hosts_own_cgroup(private_host: PrivateHost) -> None:
    inside = private_host.run(["systemd-run", "--user", "--scope", "--quiet", "cat", "/proc/self/cgroup"]).stdout
    assert f"/{cgroups.manager_path(private_host.uid)}/app.slice/run-" in inside
    process = private_host.popen(
        ["systemd-run", "--user", "--scope", "--unit=seen-from-outside", "cat"], stdin=subprocess.PIPE
    )
    scope = f"{cgroups.manager_path(private_host.uid)}/app.slice/seen-from-outside.scope"
    eventually(lambda: any(Path(f, scope).is_dir() for f in private_host.cgroup_folders), what="the scope")
    process.communicate(b"", timeout=90)


def test_units_enable_reload_and_timers_are_real(private_host: PrivateHost) -> None:
    mark = private_host.home / "mark"
    write_unit(private_host, "one.service", f"/usr/bin/touch {mark}")
    private_host.systemctl("enable", "--now", "one.service")
    assert private_host.path_outside(mark).exists()
    assert private_host.path_outside(
        private_host.home / ".config/systemd/user/default.target.wants/one.service"
    ).is_symlink()
    ticked = private_host.home / "ticked"
    private_host.run(["systemd-run", "--user", "--on-active=50ms", "--timer-property=AccuracySec=1ms", "touch", ticked])
    eventually(lambda: private_host.path_outside(ticked).exists(), what="the timer")


def test_tmux_belongs_to_the_unit_that_started_it(private_host: PrivateHost) -> None:
    write_unit(private_host, "holder.service", "/usr/bin/tmux -L fleet new-session -d -s holder sleep infinity")
    private_host.systemctl("start", "holder.service")
    assert "holder" in private_host.tmux("fleet", "list-sessions").stdout
    private_host.systemctl("stop", "holder.service")
    eventually(lambda: private_host.tmux("fleet", "list-sessions", check=False).returncode, what="the server's end")


def test_nothing_of_the_machine_is_touched(private_host: PrivateHost, tmp_path: Path) -> None:
    private_host.tmux("", "new-session", "-d", "sleep infinity")
    assert private_host.path_outside(f"/tmp/tmux-{private_host.uid}/default").exists()
    private_host.run(["touch", "/run/mark", "/tmp/mark", "/var/lib/systemd/linger/mark", private_host.home / "mark"])
    for path in ("/run/mark", "/tmp/mark", "/var/lib/systemd/linger/mark", private_host.home / "mark"):
        assert not Path(path).exists()
    private_host.run(["touch", tmp_path / "shared"])
    assert (tmp_path / "shared").exists()
    assert private_host.run(["loginctl", "list-users"], check=False).returncode != 0


def test_the_checkout_and_its_python_are_there(private_host: PrivateHost) -> None:
    assert (
        private_host.python("import tests.hosts, pydantic, sys; print(sys.executable)").stdout.strip() == sys.executable
    )
    assert private_host.run(["hostname"]).stdout.strip() == "private-host"


def test_process_1_reaps_orphans(private_host: PrivateHost) -> None:
    private_host.run(["sh", "-c", "sh -c 'true & exec true' & wait"])
    states = ["ps", "-e", "-o", "stat="]
    eventually(lambda: "Z" not in private_host.run(states).stdout, what="no zombies")


def test_commands_fail_loudly_and_in_time(private_host: PrivateHost) -> None:
    with pytest.raises(HostCommandError, match=r"(?s)ended with 3.*out it says.*err it says"):
        private_host.run(["sh", "-c", "echo out it says; echo err it says >&2; exit 3"])
    with pytest.raises(subprocess.TimeoutExpired):
        private_host.run(["sleep", "987"], timeout=0.2)
    eventually(lambda: "sleep 987" not in private_host.run(["ps", "-ef"]).stdout, what="the command's end")
    assert private_host.run(["cat"], input="given").stdout == "given"


def test_the_manager_can_be_killed_and_started_again(private_host: PrivateHost) -> None:
    private_host.run(["systemd-run", "--user", "--scope", "tmux", "-L", "x", "new-session", "-d", "sleep infinity"])
    private_host.kill_manager()
    assert private_host.systemctl("list-units", check=False).returncode != 0
    assert private_host.tmux("x", "list-sessions").returncode == 0
    private_host.start_manager()
    assert private_host.systemctl("is-system-running").stdout.strip() == "running"


def test_two_at_once_are_independent(private_host: PrivateHost) -> None:
    with PrivateHost() as other:
        other.run(["systemd-run", "--user", "--unit=mine", "sleep", "infinity"])
        private_host.tmux("", "new-session", "-d", "sleep infinity")
        assert "mine.service" not in private_host.systemctl("list-units").stdout
        assert other.tmux("", "list-sessions", check=False).returncode != 0


@pytest.mark.usefixtures("real_hosts")
def test_nothing_is_left_after_an_exception() -> None:
    host = _host()

    def fail() -> None:
        with host:
            host.run(["systemd-run", "--user", "sleep", "infinity"])
            host.tmux("", "new-session", "-d", "sleep infinity")
            waiting.append(host.popen(["sleep", "infinity"]))
            assert traces(host.name)
            raise ZeroDivisionError

    waiting: list[subprocess.Popen[bytes]] = []
    with pytest.raises(ZeroDivisionError):
        fail()
    assert traces(host.name) == []
    assert waiting[0].returncode is not None


OWNER = """
import sys, signal
from tests.hosts import PrivateHost
with PrivateHost() as host:
    host.tmux("", "new-session", "-d", "sleep infinity")
    print(host.name, host.pid, flush=True)
    signal.pause()
"""


@pytest.mark.usefixtures("real_hosts")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_when_the_owner_is_ended(number: signal.Signals) -> None:
    _host()
    with subprocess.Popen(
        [sys.executable, "-c", OWNER],
        cwd=namespace.CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        name, pid = owner.stdout.readline().split()
        assert traces(name)
        owner.send_signal(number)
        owner.wait(timeout=90)
    eventually(lambda: not traces(name), what=f"the end of {name}")
    assert not Path(f"/proc/{pid}/root").exists()


@pytest.mark.usefixtures("real_hosts")
def test_a_killed_minder_takes_the_host_along_and_the_next_one_sweeps() -> None:
    host = _host().start()
    os.kill(int(host.name.split("-")[2]), signal.SIGKILL)
    eventually(lambda: not any(list(cgroups.processes(f)) for f in host.cgroup_folders), what="the host's end")
    with pytest.raises(Exception, match="the minder failed"):
        host.close()
    with PrivateHost():
        assert traces(host.name) == []


@pytest.mark.usefixtures("real_hosts")
def test_it_costs_little() -> None:
    before = os.times()
    _host().start().close()
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    assert spent < 1  # seconds of a processor, also when others use it; it takes 0.06


def test_where_it_cannot_be_made_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(HostUnavailable, match="needs root"):
        PrivateHost()
    monkeypatch.undo()
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(HostUnavailable, match="package dbus-user-session"):
        PrivateHost()


def _host() -> PrivateHost:
    try:
        return PrivateHost()
    except HostUnavailable as error:
        without_host(error)
