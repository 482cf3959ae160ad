"""The real programs go on with their conversations after a reboot of a booted machine, without a hand.

As `test_going_on.py`, with the same variables: `MOSAIC_TEST_TRIES` reboots. Only `./dev going-on` has these tests
(`MOSAIC_TEST_REBOOTED=1`): a boot and a start of all programs take a while.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from tests.hosts import Machine
from tests.hosts.fixtures import RealHosts
from tests.hosts.waiting import eventually
from tests.real_agents.api import FakeApi
from tests.real_agents.bench import RealFleet
from tests.real_agents.offline import EmptyNetwork, OfflineHost, network_of
from tests.real_agents.test_going_on import AGENTS, READY_S, REBOOT, TRIES, Talks

USER = "ann"


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """What `RealFleet` asks of a host, for an ordinary user of a booted machine."""

    machine: Machine

    @property
    def env(self) -> Mapping[str, str]:
        return {"USER": USER}

    @property
    def home(self) -> Path:
        return Path(self.machine.home(USER))

    def run(self, argv: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        return self.machine.user_run(USER, argv, **options)

    def systemctl(self, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return self.run(["systemctl", "--user", "--no-pager", *args], **options)

    def tmux(self, socket: str, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return self.run(["tmux", "-u", "-L", socket, *args], **options)

    def path_outside(self, path: str | Path) -> Path:
        return self.machine.path_outside(path)


class TenantFleet(RealFleet):
    """Its files belong to the user."""

    def write(self, path: Path, text: str) -> None:
        super().write(path, text)
        machine = cast(Tenant, self.host).machine
        user, home = machine.uid(USER), self.host.home
        for part in (path, *path.parents):
            if part.is_relative_to(home) and part != home:
                os.chown(self.host.path_outside(part), user, user)


@dataclass(kw_only=True)
class Rebooted(Talks):
    """The same conversations over boots of the machine."""

    machine: Machine
    network: EmptyNetwork

    def reboot(self) -> None:
        port = self.fleet.api.port
        self.fleet.api.close()
        self.network.close()
        self.machine.reboot()
        self.network = network_of(self.machine.leader)
        self.fleet.api = FakeApi(self.network, port=port)
        eventually(self.are_back, timeout=READY_S, every=0.5, what=f"the agents {AGENTS} without a hand")

    def are_back(self) -> bool:
        done = self.fleet.host.tmux("agents", "list-panes", "-a", "-F", "#{session_name} #{pane_dead}", check=False)
        return {f"{name} 0" for name in AGENTS} <= set(done.stdout.splitlines())

    def close(self) -> None:
        self.fleet.api.close()
        self.network.close()


@pytest.fixture(scope="module")
def talks(real_hosts: RealHosts, programs: Path) -> Iterator[Rebooted]:
    with real_hosts(lambda: Machine(share=[programs])) as machine:
        machine.useradd(USER)
        machine.enable_linger(USER)
        network = network_of(machine.leader)
        host = cast(OfflineHost, Tenant(machine=machine))
        fleet = TenantFleet(host=host, api=FakeApi(network), prefix=programs)
        with closing(Rebooted(fleet=fleet, machine=machine, network=network)) as talks:
            talks.begin()
            yield talks


if os.environ.get("MOSAIC_TEST_REBOOTED"):

    @pytest.mark.parametrize("attempt", range(TRIES))
    def test_after_a_reboot(talks: Rebooted, attempt: int) -> None:
        talks.reboot()
        talks.up()
        talks.all_say(REBOOT, attempt)
