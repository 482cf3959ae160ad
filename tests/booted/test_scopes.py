"""Every agent is in a scope of its own, also where tmux moves each new pane into one of tmux's.

MOSAIC_TEST_STARTS says how many starts are counted on each tmux server (a thousand take some minutes).
"""

from __future__ import annotations

import json
import os
from itertools import cycle

import pytest

from tests.booted.tenant import FOUR, MINUTE, SOCKET, Process, Tenant, others
from tests.hosts import Machine, eventually

STARTS = int(os.environ.get("MOSAIC_TEST_STARTS", "60"))
AT_ONCE = (5, 20, 50) if STARTS > 100 else (5, 20)
AGENTS = [f"agent{number}" for number in range(max(AT_ONCE))]
ROSTER = """\
version: 1
transport: tmux
tmux: {{{socket}holder_session: _holder}}
agents:
"""
LIMITED = """\
version: 1
transport: tmux
tmux: {{socket_name: {socket}, holder_session: _holder}}
agents:
  - {{name: lead, runtime: stub, class: orchestrator, resources: {{memory_max: 1G}}}}
  - {{name: enhancer, runtime: stub, class: enhancer}}
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


def test_a_limit_is_in_force_or_said_and_nothing_is_tried_again_and_again(machine: Machine) -> None:
    tenant = Tenant.create(machine, "limits-user")
    tenant.start_manager()
    roster = LIMITED.format(socket=SOCKET)
    tenant.commit_roster(roster, "Declare a limit")
    tenant.declared = {"lead": "orchestrator", "enhancer": "enhancer"}
    tenant.reconcile()
    before = tenant.up()
    verify = tenant.run([tenant.bin / "mosaic", "fleet", "verify", "-o", "json"], check=False)
    [limit] = [check for check in json.loads(verify.stdout)["checks"] if check["name"] == "limits.MemoryMax"]
    folder = f"/sys/fs/cgroup{tenant.cgroup(before['lead'].pid).removeprefix('0::')}"
    kept = machine.run(["cat", f"{folder}/memory.max"], check=False)
    again = json.loads(tenant.reconcile("-o", "json").stdout)
    assert again["actions"] == []
    assert tenant.up() == before
    if kept.returncode == 0:
        assert (limit["result"], kept.stdout.strip(), again["held"]) == ("ok", str(1 << 30), [])
        return
    assert limit["result"] == "wrong"
    [held] = again["held"]
    assert (held["agent"], held["reason"]) == ("lead", "unsupported")
    assert [change["path"] for change in held["changes"]] == ["limits.MemoryMax"]
    report = json.loads(tenant.run([tenant.bin / "mosaic", "doctor", "-o", "json"], check=False).stdout)
    assert [check["result"] for check in report["checks"] if check["name"] == "memory-limits"] == ["warn"]


def test_a_stop_ends_the_panes_of_a_server_that_the_agent_has_started(machine: Machine) -> None:
    """tmux takes them out of the scope that their server is in, so that the end of the scope is not theirs."""
    tenant = Tenant.create(machine, "inner-user")
    tenant.start_manager()
    tenant.reconcile()
    before = tenant.up()
    inner = ["tmux", "-L", "inner", "-f", "/dev/null"]
    tenant.run([*inner, "new-session", "-d", "sleep", "4321"], env={"MOSAIC_AGENT_NAME": "coder0"})
    pid = int(tenant.run([*inner, "display-message", "-p", "#{pane_pid}"]).stdout)
    moves = tenant.run(["grep", "-q", "libsystemd", f"/proc/{tmux_server(tenant, inner)}/maps"], check=False)
    if moves.returncode == 0:
        eventually(lambda: "/tmux-spawn-" in tenant.cgroup(pid), timeout=MINUTE, what="the move of the inner pane")
    tenant.stopped.add("coder0")
    tenant.commit("Stop the coder")
    tenant.reconcile()
    assert machine.path_outside(f"/proc/{pid}").exists() is (moves.returncode != 0)
    assert others(tenant.up(), "coder0") == others(before, "coder0")


def tmux_server(tenant: Tenant, where: list[str]) -> str:
    return tenant.run([*where, "display-message", "-p", "#{pid}"]).stdout.strip()
