"""The user's units on a booted machine, as its own systemd sees them; and a bus that does not answer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.booted.tenant import ROSTER, SOCKET, Tenant, others
from tests.hosts import Machine, eventually


@pytest.fixture(scope="module")
def dot(machine: Machine) -> Tenant:
    tenant = Tenant.create(machine, "dot-of-a-test")
    tenant.start_manager()
    tenant.reconcile()
    tenant.up()
    return tenant


def stale(tenant: Tenant) -> list[str]:
    """Units of which systemd says that they, or all of them, have changed on disk."""
    units = ["mosaic-*", *(f"mosaic-agent@{name}.service" for name in tenant.declared)]
    shown = tenant.systemctl("show", "--property=Id,NeedDaemonReload", *units)
    return [block for block in shown.split("\n\n") if "NeedDaemonReload=yes" in block]


CHANGES = {
    "nothing": "true",
    "link": "rm ~/.config/systemd/user/default.target.wants/mosaic-agent@coder0.service",
    "edited": "echo '# mine' >>~/.config/systemd/user/mosaic-agent@.service",
    "removed": "rm ~/.config/systemd/user/mosaic-tmux-holder.service",
    "drop-in": "mkdir -p ~/.config/systemd/user/mosaic-agent@coder0.service.d; "
    "printf '[Service]\\nEnvironment=A=1\\n' >~/.config/systemd/user/mosaic-agent@coder0.service.d/a.conf",
    "drop-in-gone": "rm ~/.config/systemd/user/mosaic-agent@coder0.service.d/a.conf",
    "told-systemd": "busctl --user call org.freedesktop.systemd1 /org/freedesktop/systemd1 "
    "org.freedesktop.systemd1.Manager DisableUnitFiles asb 1 mosaic-agent@coder0.service false",
}


@pytest.mark.parametrize("how", CHANGES)
def test_nothing_is_left_for_systemd_to_read(dot: Tenant, how: str) -> None:
    """In this order: each begins where the one before has ended."""
    before = dot.up()
    dot.run(["sh", "-ec", CHANGES[how]])
    dot.reconcile()
    assert stale(dot) == []
    assert dot.up() == before
    assert "No changes" in dot.reconcile("--dry-run").stdout or "nothing" in dot.reconcile("--dry-run").stdout.lower()


def test_an_agent_that_rests_and_comes_back(dot: Tenant) -> None:
    before = dot.up()
    for stopped in ({"coder0"}, set()):
        dot.stopped = stopped
        dot.commit("Let coder0 rest, or work")
        dot.reconcile()
        assert stale(dot) == []
    assert others(dot.up(), "coder0") == others(before, "coder0")


@contextlib.contextmanager
def hung_bus(tenant: Tenant) -> Iterator[None]:
    """It takes calls and answers none."""
    pid = tenant.show("dbus.service", "MainPID")
    tenant.run(["kill", "-STOP", pid])
    try:
        yield
    finally:
        tenant.run(["kill", "-CONT", pid])


def test_a_bus_that_hangs_costs_nobody_its_life(dot: Tenant) -> None:
    """systemd has a socket of its own, so that what is due may be done; if not all of it, nothing is ended."""
    before = dot.up()
    entries = "".join(dot._entries()).replace("name: coder0,", "name: coder0, env: {X: '1'},")
    with hung_bus(dot):
        dot.commit_roster(ROSTER.format(socket=SOCKET) + entries, "Change coder0")
        argv: list[str | Path] = [dot.bin / "reconcile", dot.repo, "--timeout", "60s"]
        done = dot.run(argv, check=False, timeout=3 * 60)
        after = dot.agents()
    assert done.returncode == 0 or after["coder0"] == [before["coder0"]], done.stdout + done.stderr
    dot.reconcile()
    now = dot.up()
    assert others(now, "coder0") == others(before, "coder0")
    assert now["coder0"] != before["coder0"]


def test_a_manager_that_was_stopped_and_came_back_heals_all(machine: Machine, dot: Tenant) -> None:
    """Between a look and what follows from it nothing answers; what was asked of it meanwhile is worked off."""
    before = dot.up()
    manager = machine.run(["systemctl", "show", f"user@{dot.uid}.service", "-p", "MainPID", "--value"]).stdout.strip()
    dot.kill(before["coder0"])
    dot.kill(before["reviewer0"])
    machine.run(["kill", "-STOP", manager])
    within_s = 20
    try:
        # Three times its own time: this machine may be busy, and what is there to start and to end has its own.
        argv: list[str | Path] = [dot.bin / "reconcile", dot.repo, "--timeout", f"{within_s}s"]
        done = dot.run(argv, check=False, timeout=3 * within_s)
        assert done.returncode == 69, done.stdout + done.stderr
        assert others(others({name: one[0] for name, one in dot.agents().items()}, "coder0"), "reviewer0") == others(
            others(before, "coder0"), "reviewer0"
        )
    finally:
        machine.run(["kill", "-CONT", manager])
    eventually(
        lambda: dot.systemctl("is-active", "mosaic-tmux-holder.service") == "active", what="the manager's answer"
    )
    dot.reconcile()
    after = dot.up()
    assert (after["lead"], after["enhancer"]) == (before["lead"], before["enhancer"])
