"""Every agent is in a scope of its own, also where tmux moves each new pane into one of tmux's.

MOSAIC_TEST_STARTS says how many starts are counted on each tmux server (a thousand take some minutes).
"""

from __future__ import annotations

import os
from itertools import cycle

import pytest

from tests.hosts import Machine
from tests.machines.tenant import FOUR, MINUTE, SOCKET, Process, Tenant

STARTS = int(os.environ.get("MOSAIC_TEST_STARTS", "60"))
AT_ONCE = (5, 20, 50) if STARTS > 100 else (5, 20)
AGENTS = [f"agent{number}" for number in range(max(AT_ONCE))]
ROSTER = """\
version: 1
transport: tmux
tmux: {{{socket}holder_session: _holder}}
agents:
"""


class Crowd(Tenant):
    """A user with many agents on one tmux server; "" is the default one, which was running before."""

    socket = SOCKET

    def commit(self, message: str) -> str:
        socket = f"socket_name: {self.socket}, " if self.socket else ""
        return self.commit_roster(ROSTER.format(socket=socket) + "".join(self._entries()), message)

    def outside(self, agents: dict[str, Process]) -> list[str]:
        """Agents that are not in a scope of their own, with where they are."""
        return [
            f"{name}: {self.cgroup(process.pid)}"
            for name, process in agents.items()
            if not self.in_own_scope(name, process)
        ]


@pytest.fixture(scope="module", params=[SOCKET, ""], ids=["named", "default"])
def crowd(machine: Machine, request: pytest.FixtureRequest) -> Crowd:
    user = "crowd-named" if request.param else "crowd-default"
    machine.useradd(user)
    tenant = Crowd(machine, user, declared={**FOUR, **dict.fromkeys(AGENTS, "implementer")})
    tenant.socket = request.param
    tenant.commit("Declare a crowd")
    tenant.start_manager()
    if not tenant.socket:  # the operator's own server, which has the address of the bus
        tenant.run(["tmux", "new-session", "-d", "-s", "mine", "sleep", "infinity"])
    tenant.reconcile()
    return tenant


def test_each_of_many_starts_ends_in_the_agents_own_scope(crowd: Crowd) -> None:
    agents = crowd.up(timeout=MINUTE)
    found, started, sizes = crowd.outside(agents), len(agents), cycle(AT_ONCE)
    while started < STARTS:
        names = AGENTS[: next(sizes)]
        crowd.systemctl("restart", *(f"mosaic-agent@{name}.service" for name in names))
        agents = crowd.up(timeout=MINUTE, instead=[agents[name] for name in names])
        found += crowd.outside({name: agents[name] for name in names})
        started += len(names)
    print(f"{started} starts on the {crowd.socket or 'default'} tmux server, {len(found)} outside")
    assert found == []
    assert "No changes" in crowd.reconcile().stdout


def test_each_is_in_its_scope_after_a_reboot(machine: Machine, crowd: Crowd) -> None:
    machine.reboot()
    assert crowd.outside(crowd.up(timeout=2 * MINUTE)) == []
