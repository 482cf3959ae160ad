"""`mosaic fleet install`: a systemd user timer keeps the fleet as git says, unattended, and owns none of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL

import pytest

from tests.booted.tenant import BIN, SOCKET, SOON, Tenant, holding_the_lock, others
from tests.hosts import Machine, eventually

TIMER, SERVICE, TARGET = "mosaic-reconcile.timer", "mosaic-reconcile.service", "mosaic-reconcile-failed.target"
HOOK = f"""\
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo failed >>%h/hooked'

[Install]
WantedBy={TARGET}
"""


@pytest.fixture(scope="module")
def ben(machine: Machine) -> Tenant:
    """A user whose timer is due a second after each run."""
    tenant = Tenant.create(machine, "ben", interval="1s")
    tenant.start_manager()
    tenant.mosaic("fleet", "install", tenant.repo)
    return tenant


def runs(tenant: Tenant) -> Callable[[], bool]:
    """Whether the timer has ended two more runs since this was asked for: one may have begun before."""
    seen = {tenant.show(SERVICE, "InvocationID")}

    def two_more() -> bool:
        seen.add(tenant.show(SERVICE, "InvocationID"))
        return len(seen) > 3

    return two_more


def test_install_converges_and_leaves_a_timer(machine: Machine, ben: Tenant) -> None:
    first = ben.up()
    settings = machine.path_outside(f"{machine.home('ben')}/.config/mosaic/reconcile.toml")
    assert f'source = "{ben.repo}"' in settings.read_text()
    assert settings.stat().st_mode & 0o777 == 0o600
    assert ben.show(TIMER, "ActiveState") == "active"
    assert ben.show(TIMER, "UnitFileState") == "enabled"
    assert ben.show(SERVICE, "Type") == "oneshot"
    # The user's manager began a moment ago, so the timer's first run is up to 30 s away: this stands for it.
    ben.systemctl("start", SERVICE)
    assert ben.show(SERVICE, "Result") == "success"
    assert ben.up() == first


def test_the_timer_heals_a_killed_agent(ben: Tenant) -> None:
    ben.killed("coder0")
    assert ben.status()["last_run"]["trigger"] == "timer"


def test_what_a_timers_run_starts_is_not_in_its_cgroup(ben: Tenant) -> None:
    """Also when it has to start the tmux server itself."""
    before = ben.up()
    server = ben.run(["tmux", "-L", SOCKET, "display-message", "-p", "#{pid}"]).stdout.strip()
    ben.run(["kill", "-KILL", server])
    after = ben.up(instead=before.values())
    server = ben.run(["tmux", "-L", SOCKET, "display-message", "-p", "#{pid}"]).stdout.strip()
    assert "/mosaic-tmux-holder.service" in ben.cgroup(int(server))
    for name, process in after.items():
        assert ben.in_own_scope(name, process), ben.cgroup(process.pid)
    eventually(runs(ben), timeout=SOON, what="two more runs")
    assert ben.up() == after


def test_a_timers_run_beside_one_by_hand(machine: Machine, ben: Tenant) -> None:
    before = ben.up()
    ben.kill(before["lead"])
    calls: list[list[str | Path]] = [[BIN / "reconcile", ben.repo], ["systemctl", "--user", "start", SERVICE]]
    together = [
        machine.popen(argv, ben.user, env=machine.user_env(ben.user), stdout=DEVNULL, stderr=DEVNULL)
        for argv in calls * 3
    ]
    codes = [process.wait(timeout=60) for process in together]
    assert set(codes[0::2]) <= {0, 75}
    assert set(codes[1::2]) == {0}
    assert others(ben.up(instead=[before["lead"]]), "lead") == others(before, "lead")


def test_a_timers_run_ends_quietly_while_another_holds_the_lock(machine: Machine, ben: Tenant) -> None:
    before = ben.up()
    with holding_the_lock(machine, ben):
        ben.kill(before["lead"])
        refused = ben.reconcile(code=75)
        assert "another run holds the lock" in refused.stderr
        ben.systemctl("start", SERVICE)
        assert ben.show(SERVICE, "Result") == "success"
        assert "lead" not in ben.agents()
    ben.up()


def test_the_hook_is_called_for_a_failed_run_and_for_no_other(machine: Machine, ben: Tenant) -> None:
    home = machine.home(ben.user)
    hooked = machine.path_outside(f"{home}/hooked")
    ben.run(["tee", f"{home}/.config/systemd/user/hook.service"], input=HOOK)
    ben.systemctl("enable", "hook.service")
    agents = ben.up()
    eventually(runs(ben), timeout=SOON, what="two good runs")
    assert not hooked.exists()
    ben.commit_roster("agents: [{name: lead, runtime: cluade}]\n", "A bad commit")
    eventually(hooked.exists, timeout=SOON, what="the hook")
    ben.systemctl("is-failed", "--quiet", SERVICE)
    assert ben.show(SERVICE, "ExecMainStatus") == "78"
    assert ben.up() == agents
    ben.commit("A good one again")
    # Not the unit's Result: that is "success" while the last bad run is still under way.
    eventually(lambda: ben.status()["last_run"]["exit_code"] == 0, timeout=SOON, what="a good run")
    said = hooked.read_text()
    eventually(runs(ben), timeout=SOON, what="two good runs")
    assert hooked.read_text() == said
    assert ben.up() == agents


def test_a_commit_changes_the_interval_of_the_timer(ben: Tenant) -> None:
    ben.interval = "2s"
    ben.commit("Look less often")
    eventually(
        lambda: "OnUnitInactiveUSec=2s" in ben.show(TIMER, "TimersMonotonic"), timeout=SOON, what="the new interval"
    )
    eventually(runs(ben), timeout=SOON, what="two more runs")


def test_after_a_reboot_the_timer_goes_on(machine: Machine, ben: Tenant) -> None:
    machine.reboot()
    ben.killed("reviewer0")
    assert ben.status()["last_run"]["trigger"] == "timer"


def test_uninstall_leaves_the_agents_running(machine: Machine, ben: Tenant) -> None:
    before = ben.up()
    said = ben.mosaic("fleet", "uninstall").stdout
    assert "Agents keep running" in said
    assert ben.up() == before
    units = machine.path_outside(f"{machine.home(ben.user)}/.config/systemd/user")
    assert not [path.name for path in units.glob("mosaic-reconcile*") if path.is_file()]
    assert ben.show(TIMER, "LoadState") == "not-found"
    assert ben.systemctl("list-timers", "--all", "--no-legend", "mosaic*") == ""
    assert ben.mosaic("fleet", "uninstall").stdout == "nothing was installed\n"
    machine.reboot()
    ben.up()
    machine.wait_for_user(ben.user)
    assert "No changes" in ben.reconcile().stdout
