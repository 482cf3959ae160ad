"""A file of the framework that its ordinary user may not read: it holds what needs it, and nothing else."""

from __future__ import annotations

import pytest

from tests.booted.tenant import Tenant
from tests.hosts import Machine


@pytest.fixture(scope="module")
def ivy(machine: Machine) -> Tenant:
    tenant = Tenant.create(machine, "ivy")
    tenant.start_manager()
    tenant.reconcile()
    return tenant


@pytest.mark.parametrize(
    ("path", "needed", "at"),
    [
        (".config/mosaic/fleet/bin/agent-hook", False, 0),
        (".config/systemd/user/mosaic-responder.service", False, 1),
        (".config/mosaic/CONSTITUTION.md", False, 2),
        (".config/mosaic/fleet/bin/agent-pane", True, 3),
    ],
)
def test_one_file_that_may_not_be_read(machine: Machine, ivy: Tenant, path: str, needed: bool, at: int) -> None:
    file = f"{machine.home(ivy.user)}/{path}"
    before = ivy.up()
    name = sorted(before)[at]  # another one each time: who ends twice in a row has to wait a little
    ivy.run(["chmod", "000", file])
    ivy.kill(before[name])
    said = ivy.reconcile(code=1)
    assert f"{file} cannot be read: Permission denied" in said.stdout + said.stderr
    running = ivy.agents()
    assert (name in running) is not needed, said.stdout
    assert all(running[other] == [before[other]] for other in before if other != name)
    ivy.run(["chmod", "755" if "/bin/" in path else "644", file])
    ivy.reconcile()
    after = ivy.up()
    assert all(after[other] == before[other] for other in before if other != name)
