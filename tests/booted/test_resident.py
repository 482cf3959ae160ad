"""`mosaic fleet install --watch`: the resident service heals at once, and its own end is no agent's end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from subprocess import PIPE

import pytest

from tests.booted.tenant import BIN, FOUR, SOCKET, SOON, Process, Tenant, holding_the_lock
from tests.hosts import Machine, eventually

SERVICE, TIMER = "mosaic-reconcile-watch.service", "mosaic-reconcile.timer"


@pytest.fixture(scope="module")
def cat(machine: Machine) -> Tenant:
    """A user with the resident service, which looks by itself once an hour: what it does sooner, it was woken for."""
    tenant = Tenant.create(machine, "cat", interval="1h")
    tenant.start_manager()
    tenant.mosaic("fleet", "install", "--watch", tenant.repo)
    return tenant


def main_pid(tenant: Tenant) -> int:
    return int(tenant.show(SERVICE, "MainPID"))


def another(tenant: Tenant, before: int) -> int:
    """Wait until the service has another process and is ready again."""
    return eventually(
        lambda: (
            (now := main_pid(tenant)) not in (0, before) and tenant.show(SERVICE, "ActiveState") == "active" and now
        ),
        timeout=SOON,
        what="the service's next process",
        every=0.05,
    )


def wholly_apart(tenant: Tenant, agents: dict[str, Process]) -> None:
    """The reconciler is in its unit, the agents are in scopes, and the tmux server is in the holder's unit."""
    assert tenant.cgroup(main_pid(tenant)).endswith(f"/{SERVICE}")
    for name, process in agents.items():
        assert tenant.in_own_scope(name, process), tenant.cgroup(process.pid)
    assert tenant.cgroup(tmux_server(tenant)).endswith("/mosaic-tmux-holder.service")


def tmux_server(tenant: Tenant) -> int:
    return int(tenant.run(["tmux", "-L", SOCKET, "display-message", "-p", "#{pid}"]).stdout)


def test_install_leaves_a_service_that_says_when_it_is_ready(cat: Tenant) -> None:
    agents = cat.up()
    seen = {
        name: cat.show(SERVICE, name)
        for name in ("Type", "NotifyAccess", "ActiveState", "SubState", "UnitFileState", "WatchdogUSec", "NRestarts")
    }
    assert seen == {
        "Type": "notify",
        "NotifyAccess": "main",
        "ActiveState": "active",
        "SubState": "running",
        "UnitFileState": "enabled",
        "WatchdogUSec": "3min",
        "NRestarts": "0",
    }
    assert cat.systemctl("cat", SERVICE).count("--watch") == 1
    assert cat.show(TIMER, "LoadState") == "not-found"
    wholly_apart(cat, agents)
    second = cat.run([BIN / "reconcile", "--watch", cat.repo], check=False, timeout=SOON)
    assert second.returncode == 75
    assert "another run holds the lock" in second.stderr


def test_it_heals_a_killed_agent(cat: Tenant) -> None:
    after = cat.killed("coder0")
    wholly_apart(cat, after)


def test_it_starts_the_tmux_server_in_the_holders_unit(cat: Tenant) -> None:
    before = cat.up()
    cat.run(["kill", "-KILL", str(tmux_server(cat))])
    after = cat.up(instead=before.values())
    wholly_apart(cat, after)


def test_a_commit_is_applied_without_a_word(cat: Tenant) -> None:
    before = cat.up()
    cat.declared["coder1"] = "implementer"
    cat.commit("Add a coder")
    after = cat.up()
    assert {name: after[name] for name in FOUR} == before


def restart(tenant: Tenant, _: int) -> None:
    tenant.systemctl("restart", SERVICE)


def kill(tenant: Tenant, pid: int) -> None:
    tenant.run(["kill", "-KILL", str(pid)])


def kill_its_whole_cgroup(tenant: Tenant, _: int) -> None:
    tenant.systemctl("kill", "--kill-whom=all", "--signal=SIGKILL", SERVICE)


@pytest.mark.parametrize("end", [restart, kill, kill_its_whole_cgroup])
def test_the_end_of_the_reconciler_is_no_agents_end(cat: Tenant, end: Callable[[Tenant, int], None]) -> None:
    agents, server, pid = cat.up(), tmux_server(cat), main_pid(cat)
    end(cat, pid)
    another(cat, pid)
    assert cat.up() == agents
    assert tmux_server(cat) == server
    cat.killed("reviewer0")  # and the new one heals like the old one


def test_stopped_it_ends_no_agent_and_heals_none(cat: Tenant) -> None:
    agents = cat.up()
    cat.systemctl("stop", SERVICE)
    assert (cat.show(SERVICE, "Result"), cat.show(SERVICE, "ActiveState")) == ("success", "inactive")
    assert cat.up() == agents
    cat.kill(agents["coder0"])
    eventually(lambda: "coder0" not in cat.agents())
    cat.systemctl("start", SERVICE)
    cat.up()


@pytest.fixture
def impatient(machine: Machine, cat: Tenant) -> None:
    """The watchdog of this machine waits for five seconds, instead of three minutes."""
    folder = f"{machine.home(cat.user)}/.config/systemd/user/{SERVICE}.d"
    cat.run(["mkdir", "-p", folder])
    cat.run(["tee", f"{folder}/watchdog.conf"], input="[Service]\nWatchdogSec=5s\n")
    cat.systemctl("daemon-reload")
    cat.systemctl("restart", SERVICE)


@pytest.mark.usefixtures("impatient")
def test_one_that_hangs_is_replaced_by_the_watchdog(cat: Tenant) -> None:
    agents, pid = cat.up(), main_pid(cat)
    cat.run(["kill", "-STOP", str(pid)])
    another(cat, pid)
    assert cat.up() == agents


@pytest.mark.usefixtures("impatient")
def test_one_that_waits_for_another_run_does_not_hang(machine: Machine, cat: Tenant) -> None:
    agents, pid = cat.up(), main_pid(cat)
    waited = f"{machine.home(cat.user)}/waited"
    with holding_the_lock(machine, cat):
        cat.kill(agents["coder0"])
        cat.run(["systemd-run", "--user", "--quiet", "--on-active=12s", "touch", waited])
        eventually(machine.path_outside(waited).exists, timeout=SOON, what="more than two of the watchdog's waits")
        assert "coder0" not in cat.agents()
        assert main_pid(cat) == pid
    cat.up()
    assert main_pid(cat) == pid


@pytest.mark.usefixtures("impatient")
def test_one_that_waits_for_another_run_ends_when_it_is_told_to(machine: Machine, cat: Tenant) -> None:
    agents = cat.up()
    with holding_the_lock(machine, cat):
        cat.kill(agents["coder0"])
        eventually(lambda: "coder0" not in cat.agents())
        cat.run(["systemctl", "--user", "stop", SERVICE], timeout=120)
        assert cat.show(SERVICE, "Result") == "success"
    cat.systemctl("start", SERVICE)
    cat.up()


def test_after_a_reboot_it_is_there_again(machine: Machine, cat: Tenant) -> None:
    machine.reboot()
    cat.up()
    eventually(lambda: cat.show(SERVICE, "ActiveState") == "active", timeout=SOON, what="the service")
    cat.killed("lead")


def test_it_keeps_the_last_revision_while_the_repository_is_away(machine: Machine, cat: Tenant) -> None:
    """As on a disk that is mounted late: it heals all the same, and hears of commits once the repository is there."""
    cat.run(["mv", cat.repo, f"{cat.repo}.away"])
    machine.reboot()
    cat.up()
    eventually(lambda: cat.show(SERVICE, "ActiveState") == "active", timeout=SOON, what="the service")
    cat.killed("lead")
    conditions = {one["type"]: one["reason"] for one in cat.status()["conditions"]}
    assert conditions["SourceReady"] == "SourceUnreachable"
    cat.run(["mv", f"{cat.repo}.away", cat.repo])
    cat.mosaic("fleet", "sync")
    for agent in ("coder2", "coder3"):  # the second one is heard of without a word
        cat.declared[agent] = "implementer"
        cat.commit(f"Add {agent}")
        cat.up()


def test_from_one_way_of_waking_to_the_other(cat: Tenant) -> None:
    agents = cat.up()
    for option, there, gone in (([], TIMER, SERVICE), (["--watch"], SERVICE, TIMER)):
        cat.mosaic("fleet", "install", *option)
        assert cat.show(there, "ActiveState") == "active"
        assert (cat.show(gone, "ActiveState"), cat.show(gone, "LoadState")) == ("inactive", "not-found")
    assert cat.up() == agents


def test_uninstall_leaves_the_agents_running(cat: Tenant) -> None:
    agents = cat.up()
    cat.mosaic("fleet", "uninstall")
    assert cat.show(SERVICE, "ActiveState") == "inactive"
    assert cat.up() == agents
    assert "No changes" in cat.reconcile().stdout


TAKE_ALL = """
import ctypes, sys
libc = ctypes.CDLL(None)
while libc.inotify_init() >= 0:
    pass
print("taken", flush=True)
sys.stdin.read()
"""


def test_it_works_where_no_file_can_be_watched(machine: Machine) -> None:
    """The kernel gives each user 128 inotify instances, for all that he runs. Without one, it is woken by the rest."""
    machine.useradd("kim")  # with a number that no other machine's user has: the limit counts for all of a kernel
    kim = Tenant(machine, "kim", interval="1h")
    kim.commit("Declare the fleet")
    kim.start_manager()
    with machine.popen([sys.executable, "-c", TAKE_ALL], kim.user, stdin=PIPE, stdout=PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "taken\n"
        kim.mosaic("fleet", "install", "--watch", kim.repo)
        pid = main_pid(kim)
        assert "files cannot be watched" in kim.journal()
        kim.killed("coder0")
        kim.declared["coder1"] = "implementer"
        kim.commit("Add a coder")
        kim.mosaic("fleet", "sync")
        kim.up()
        assert main_pid(kim) == pid
        other.stdin.close()
