"""Two users of one machine, with the same names for everything: neither touches nor reads what is the other's."""

from __future__ import annotations

import json
import signal

import pytest

from tests.booted.tenant import BIN, SOCKET, Process, Tenant
from tests.hosts import Machine, eventually

WATCH = "mosaic-reconcile-watch.service"
# Tries to read each path; prints those that can be read.
READ = """
import json, os, sys
readable = []
for path in json.load(sys.stdin):
    try:
        os.listdir(path) if os.path.isdir(path) else open(path, "rb").close()
        readable.append(path)
    except PermissionError:
        pass
print(json.dumps(readable))
"""


@pytest.fixture(scope="module")
def dora(machine: Machine) -> Tenant:
    return converged(machine, "dora")


@pytest.fixture(scope="module")
def emil(machine: Machine) -> Tenant:
    return converged(machine, "emil")


def converged(machine: Machine, name: str) -> Tenant:
    tenant = Tenant.create(machine, name, interval="1h")
    tenant.start_manager()
    # What protects a fleet's files must be their own permissions, not those of a folder that is the user's business.
    tenant.run(["sh", "-c", "mkdir -p ~/.config/systemd/user ~/.local/state && chmod -R 755 ~/.config ~/.local"])
    tenant.mosaic("fleet", "install", "--watch", tenant.repo)
    tenant.up()
    return tenant


def server(tenant: Tenant) -> str:
    return tenant.run(["tmux", "-L", SOCKET, "display-message", "-p", "#{pid}"]).stdout.strip()


def test_each_has_a_fleet_of_its_own(dora: Tenant, emil: Tenant) -> None:
    ours, theirs = dora.up(), emil.up()
    assert ours.keys() == theirs.keys()
    assert not set(ours.values()) & set(theirs.values())
    assert server(dora) != server(emil)
    for tenant in (dora, emil):
        assert tenant.status()["tenant_id"] == tenant.user
        assert "No changes" in tenant.reconcile().stdout


def test_the_changes_of_one_are_none_for_the_other(dora: Tenant, emil: Tenant) -> None:
    theirs = emil.up()
    dora.declared["coder1"] = "implementer"
    del dora.declared["coder0"]
    dora.stopped.add("reviewer0")
    dora.commit("Change a lot")
    dora.up()
    assert "No changes" in emil.reconcile().stdout
    assert emil.up() == theirs


@pytest.mark.parametrize("what", ["its tmux server", "its reconciler", "its manager", "all that it has"])
def test_the_end_of_one_is_not_the_end_of_the_other(machine: Machine, dora: Tenant, emil: Tenant, what: str) -> None:
    ours, theirs = dora.up(), emil.up()
    watching = emil.show(WATCH, "MainPID")
    if what == "its tmux server":
        dora.run(["kill", "-KILL", server(dora)])
    elif what == "its reconciler":
        dora.run(["kill", "-KILL", dora.show(WATCH, "MainPID")])
    elif what == "its manager":
        machine.run(["systemctl", "restart", f"user@{dora.uid}.service"])
    else:
        done = dora.run(["python3", "-c", "import os; os.kill(-1, 9)"], check=False)
        assert done.returncode in (0, -signal.SIGKILL, 128 + signal.SIGKILL)
        eventually(lambda: not dora.agents(), what="the end of everything")
        machine.run(["systemctl", "restart", f"user@{dora.uid}.service"])  # an administrator's part
    now = dora.up(instead=() if what == "its reconciler" else ours.values())
    if what == "its reconciler":
        assert now == ours
    assert emil.up() == theirs
    assert emil.show(WATCH, "MainPID") == watching


def files(tenant: Tenant) -> list[str]:
    """All that the project keeps for a tenant, except unit files, which hold nothing that is anybody's own."""
    home, runtime = tenant.machine.home(tenant.user), f"/run/user/{tenant.uid}"
    roots = [f"{home}/.config/mosaic", f"{home}/.local/state/mosaic", f"{runtime}/mosaic", f"/tmp/tmux-{tenant.uid}"]
    return tenant.run(["find", *roots]).stdout.splitlines()


def test_what_is_kept_for_one_cannot_be_read_by_the_other(machine: Machine, dora: Tenant, emil: Tenant) -> None:
    dora.systemctl("start", WATCH)  # returns when it is ready: after the end of all it had, that takes a moment
    paths = files(dora)
    for name in ("lead.env", "lead.hb", "status.json", "events.ndjson", "lock", "trigger.sock", "reconcile.toml"):
        assert [path for path in paths if path.endswith(f"/{name}")], name
    readable = machine.python(READ, emil.user, input=json.dumps(paths)).stdout
    assert json.loads(readable) == []
    for path in paths:
        if path.endswith((".env", ".hb", ".json", ".ndjson", ".toml", ".prom", "/lock", ".socket")):
            mode = machine.path_outside(path).stat().st_mode & 0o777
            assert mode == (0o644 if path.endswith("/holder.env") else 0o600), path


def test_one_cannot_reach_the_others_agents(machine: Machine, dora: Tenant, emil: Tenant) -> None:
    socket = f"/tmp/tmux-{dora.uid}/{SOCKET}"
    listed = emil.run(["tmux", "-S", socket, "list-sessions"], check=False)
    assert listed.returncode != 0
    assert "lead" not in listed.stdout
    process: Process = dora.up()["lead"]
    killed = emil.run(["kill", str(process.pid)], check=False)
    assert killed.returncode != 0
    with_its_bus = machine.run([BIN / "reconcile", emil.repo], emil.user, env=machine.user_env(dora.user), check=False)
    assert with_its_bus.returncode == 69
    assert f"belongs to {dora.user}, and you are {emil.user}" in with_its_bus.stderr
    assert dora.up()["lead"] == process
