"""A restart that is asked for in git happens once: not again after a reboot, and not lost if one comes before it."""

from __future__ import annotations

import pytest

from tests.booted.tenant import Tenant
from tests.hosts import Machine


@pytest.fixture(scope="module")
def ann(machine: Machine) -> Tenant:
    """With a fleet that runs."""
    tenant = Tenant.create(machine, "ann")
    tenant.start_manager()
    tenant.reconcile()
    tenant.up()
    return tenant


def ask(ann: Tenant, *more: str) -> None:
    """`mosaic fleet restart coder0`, committed as ann."""
    ann.run(["git", "config", "--global", "user.name", "Ann"])
    ann.run(["git", "config", "--global", "user.email", "ann@example.invalid"])
    ann.mosaic("fleet", "restart", "coder0", "--fleet", ann.repo, *more)


def test_not_again_after_a_reboot(machine: Machine, ann: Tenant) -> None:
    before = ann.up()
    ask(ann)
    after = ann.up(instead=[before["coder0"]])
    assert {name for name, process in after.items() if before[name] != process} == {"coder0"}
    assert "No changes" in ann.reconcile().stdout
    machine.reboot()
    booted = ann.up()
    assert "No changes" in ann.reconcile().stdout
    assert ann.up() == booted


def test_not_lost_if_a_reboot_comes_first(machine: Machine, ann: Tenant) -> None:
    ask(ann, "--no-sync")
    machine.reboot()
    booted = ann.up()  # as the last run had left it: this start knows nothing of the commit
    ann.reconcile()
    after = ann.up(instead=[booted["coder0"]])
    assert {name for name, process in after.items() if booted[name] != process} == {"coder0"}
    assert "No changes" in ann.reconcile().stdout
    machine.reboot()
    booted = ann.up()
    assert "No changes" in ann.reconcile().stdout
    assert ann.up() == booted
