"""The reconciler's services where a look hangs that nobody can end: they are stopped and started all the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.booted.tenant import ROSTER, SOCKET, SOON, Tenant
from tests.hosts import Machine, eventually
from tests.hosts.namespace import CHECKOUT

SERVICE = "mosaic-reconcile-watch.service"
HELPER = "mosaic-look"


@pytest.fixture
def hung(machine: Machine) -> Iterator[Tenant]:
    """One agent's folder is on a file system whose server reads every request and answers none."""
    tenant = Tenant.create(machine, "hal", interval="2s")
    tenant.start_manager()
    folder = f"{machine.home(tenant.user)}/far"
    tenant.run(["mkdir", folder])
    machine.run(["sh", "-c", "test -e /dev/fuse || mknod -m 666 /dev/fuse c 10 229"])
    server: subprocess.Popen[str] = machine.popen(
        [sys.executable, "-m", "tests.hosts.hanging", folder, "mute"],
        env={"PYTHONPATH": str(CHECKOUT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == "hangs\n"
        yield tenant
    finally:
        machine.run(["umount", "--force", "--lazy", folder], check=False)
        server.kill()


def helpers(tenant: Tenant) -> int:
    found = tenant.run(["pgrep", "--count", "--exact", HELPER], check=False)
    return int(found.stdout)


def test_the_service_is_restarted_and_stopped_while_a_look_hangs(hung: Tenant) -> None:
    hung.mosaic("fleet", "install", "--watch", hung.repo)
    before = hung.up()
    far = "  - {name: far, runtime: stub, class: implementer, working_directory: ~/far}\n"
    hung.commit_roster(ROSTER.format(socket=SOCKET) + "".join(hung._entries()) + far, "Add one that is far")
    pid = int(hung.show(SERVICE, "MainPID"))
    hung.systemctl("reload", SERVICE)
    eventually(lambda: helpers(hung) > 0, timeout=SOON, what="a look that hangs")
    # Bounded: the user's systemd would wait for TimeoutStopSec, and then for ever, if it waited for what hangs.
    hung.run(["systemctl", "--user", "restart", SERVICE], timeout=120)
    again = int(hung.show(SERVICE, "MainPID"))
    assert again not in (0, pid)
    assert hung.up() == before, "who does not need it lives on"
    hung.killed(min(before))
    hung.run(["systemctl", "--user", "stop", SERVICE], timeout=120)
    assert (hung.show(SERVICE, "Result"), hung.show(SERVICE, "ActiveState")) == ("success", "inactive")
    hung.systemctl("start", SERVICE)
    hung.killed(min(before))
    # Another one waits for a moment to see whether the first one is answered.
    eventually(
        lambda: helpers(hung) == 1, timeout=SOON, what="one look that hangs, however often it was due", every=0.05
    )
