"""An ordinary user's fleet on a booted machine: it converges, and is back after a reboot or a power cut."""

from __future__ import annotations

import subprocess

import pytest

from tests.booted.tenant import BIN, Tenant
from tests.hosts import Machine, eventually

CHAIN = [f"step{number}" for number in range(6)]


@pytest.fixture(scope="module")
def ann(machine: Machine) -> Tenant:
    """Logged in, without linger, with a commit and nothing applied."""
    tenant = Tenant.create(machine, "ann")
    tenant.start_manager()
    return tenant


def test_an_ordinary_user_converges(ann: Tenant) -> None:
    assert not ann.lingers()
    said = ann.reconcile().stdout
    assert "Converged" in said
    for name, process in ann.up().items():
        assert ann.in_own_scope(name, process), ann.cgroup(process.pid)
    # logind was asked by the user, without a password and without sudo.
    assert ann.lingers()
    assert "No changes" in ann.reconcile().stdout


@pytest.mark.parametrize("end", ["reboot", "power_cut"])
def test_everything_is_back_without_a_hand(machine: Machine, ann: Tenant, end: str) -> None:
    ann.reconcile()
    before = ann.up()
    ann.say("lead", f"before the {end}")
    getattr(machine, end)()
    after = ann.up()
    went_on = f"the last: before the {end}"
    eventually(lambda: went_on in ann.screen("lead"), timeout=90, what="the conversation of lead")
    assert not set(before.values()) & set(after.values())
    assert "No changes" in ann.reconcile().stdout
    assert ann.up() == after


def test_what_a_commit_took_away_stays_away_and_what_it_added_is_back(machine: Machine, ann: Tenant) -> None:
    ann.reconcile()
    before = ann.up()
    del ann.declared["coder0"]
    ann.declared["coder1"] = "implementer"
    ann.stopped.add("reviewer0")
    ann.commit("Replace the coder, stop the reviewer")
    ann.reconcile()
    now = ann.up()
    assert set(now) == {"lead", "enhancer", "coder1"}
    assert (now["lead"], now["enhancer"]) == (before["lead"], before["enhancer"])
    machine.reboot()
    ann.up()
    machine.wait_for_user(ann.user)  # so that nothing is still to come
    assert "No changes" in ann.reconcile().stdout
    assert set(ann.up()) == {"lead", "enhancer", "coder1"}
    units = ann.systemctl("list-units", "--all", "--plain", "--no-legend", "mosaic-agent@*")
    assert sorted(line.split()[0] for line in units.splitlines()) == sorted(
        f"mosaic-agent@{name}.service" for name in ("lead", "enhancer", "coder1")
    )


def test_a_stopped_agent_starts_again_when_git_says_so(machine: Machine, ann: Tenant) -> None:
    ann.stopped.clear()
    ann.commit("Start the reviewer")
    ann.reconcile()
    assert "reviewer0" in ann.up()
    machine.reboot()
    assert "reviewer0" in ann.up()


@pytest.mark.parametrize("reached", ["files", "lead", "step2"])
def test_a_power_cut_in_the_middle_of_a_converge(machine: Machine, reached: str) -> None:
    """One after the other, so that there is a middle; then the machine boots and one run finishes the work."""
    tenant = Tenant.create(machine, f"cut-{reached}")
    previous = "lead"
    for name in CHAIN:
        tenant.declared[name], tenant.after[name] = "implementer", previous
        previous = name
    tenant.commit("Declare a chain")
    tenant.start_manager()
    run = machine.popen(
        [BIN / "reconcile", tenant.repo],
        tenant.user,
        env=machine.user_env(tenant.user),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    holder = machine.path_outside(f"{machine.home(tenant.user)}/.config/mosaic/fleet/holder.env")
    eventually(lambda: holder.exists() if reached == "files" else reached in tenant.agents(), timeout=90, what=reached)
    machine.power_cut()
    assert run.wait(timeout=90) != 0
    # What was enabled by then may be starting; where linger was not yet set, somebody has to log in.
    tenant.start_manager()
    tenant.reconcile()
    converged = tenant.up()
    assert set(converged) == tenant.running
    assert "No changes" in tenant.reconcile().stdout
    assert tenant.up() == converged
