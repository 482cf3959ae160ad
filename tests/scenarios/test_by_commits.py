"""The life of a fleet by commands alone, on a real host: begun, added to, restarted once, stopped, taken apart."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.hosts.namespace import CHECKOUT
from tests.hosts.private import PrivateHost
from tests.hosts.waiting import eventually
from tests.scenarios.fleet import Run
from tests.scenarios.proc import agents_in

PATIENCE = 60.0
FIRST = {"lead", "enhancer", "coder0", "reviewer0"}


class Operator:
    """Somebody on a host with nothing but the two programs and git."""

    def __init__(self, host: PrivateHost) -> None:
        self.host = host
        host.run(["mkdir", "-p", "/var/lib/systemd/linger"])
        host.run(["touch", f"/var/lib/systemd/linger/{host.env['USER']}"])
        host.run(["git", "config", "--global", "user.name", "Test"])
        host.run(["git", "config", "--global", "user.email", "test@example.invalid"])

    def mosaic(self, *args: str, code: int = 0) -> Run:
        return self._run([sys.executable, "-c", "from reconciler.commands.mosaic import main; main()", *args], code)

    def reconcile(self, *args: str, code: int = 0) -> dict[str, Any]:
        argv = [sys.executable, "-m", "reconciler", f"{self.host.home}/fleet", *args, "-o", "json"]
        return self._run(argv, code).document

    def _run(self, argv: list[str], code: int) -> Run:
        ended = self.host.run(argv, env={"PYTHONPATH": str(CHECKOUT)}, check=False, timeout=240)
        assert ended.returncode == code, f"{argv}: {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        return Run(ended.returncode, ended.stdout, ended.stderr)

    def living(self) -> dict[str, int]:
        found = list(agents_in(self.host.path_outside("/proc")))
        names = [name for _, name in found]
        assert len(names) == len(set(names)), f"running twice: {found}"
        return {name: pid for pid, name in found}

    def up(self, names: set[str]) -> dict[str, int]:
        """Waits until exactly these live."""
        eventually(lambda: set(self.living()) == names, timeout=PATIENCE, what=f"exactly {sorted(names)}")
        return self.living()


@pytest.fixture
def operator(private_host: PrivateHost) -> Operator:
    return Operator(private_host)


def done(document: dict[str, Any]) -> list[str]:
    return [one["id"] for one in document["actions"] if one["result"] == "done"]


def test_from_init_to_the_last_removal(operator: Operator) -> None:
    home = operator.host.home
    said = operator.mosaic("fleet", "init", f"{home}/fleet", "--preset", "local-canary", "--yes")
    assert said.out.endswith(f"next: reconcile --dry-run {home}/fleet\n")
    operator.reconcile()
    begun = operator.up(FIRST)

    # No restart is held up by the moment in which an agent has begun.
    rules = f"{home}/fleet/fleet.yaml"
    operator.host.run(["sed", "-i", "s/when-idle.*/immediately/", rules])
    operator.host.run(["git", "-C", f"{home}/fleet", "commit", "--quiet", "-am", "At once"])
    fleet = ("--fleet", f"{home}/fleet")

    # The commit is applied by the command itself: the fleet has run here.
    said = operator.mosaic("fleet", "add", "coder1", "--runtime", "stub", "--class", "implementer", *fleet)
    assert "Converged" in said.out
    added = operator.up({*FIRST, "coder1"})
    assert {name: pid for name, pid in added.items() if name != "coder1"} == begun

    # A restart happens once, however often somebody looks.
    document = json.loads(operator.mosaic("fleet", "restart", "coder0", "-o", "json", *fleet).out)
    assert document["message"] == "Restart coder0 (generation 1)"
    report = document["sync"]["report"]
    assert (report["kind"], report["outcome"]) == ("ReconcileReport", "converged")
    assert "restart:systemd:coder0" in done(report)
    restarted = operator.up({*FIRST, "coder1"})
    assert {name for name, pid in restarted.items() if added[name] != pid} == {"coder0"}
    for _ in range(2):
        assert done(operator.reconcile()) == []
    assert operator.up({*FIRST, "coder1"}) == restarted

    operator.mosaic("fleet", "stop", "coder0", "coder1", *fleet)
    operator.up(FIRST - {"coder0"})
    operator.mosaic("fleet", "start", "coder0", *fleet)
    operator.up(FIRST)

    # Suspended by a commit, nothing is done with it; lifted, what is due is done.
    operator.mosaic("fleet", "suspend", "coder0", "--reason", "pairing", *fleet)
    operator.mosaic("fleet", "stop", "coder0", *fleet)
    assert "coder0" in operator.living()
    operator.mosaic("fleet", "unsuspend", "coder0", *fleet)
    operator.up(FIRST - {"coder0"})

    operator.mosaic("fleet", "remove", "coder1", "coder0", *fleet)
    operator.up(FIRST - {"coder0"})
    assert "the fleet has no enhancer" in operator.mosaic("fleet", "remove", "enhancer", *fleet, code=5).err
    links = operator.host.path_outside(f"{home}/.config/systemd/user/default.target.wants")
    assert sorted(one.name for one in links.glob("mosaic-agent@*")) == [
        f"mosaic-agent@{name}.service" for name in sorted(FIRST - {"coder0"})
    ]
    log = operator.host.run(["git", "-C", f"{home}/fleet", "log", "--format=%s"]).stdout.splitlines()
    assert log[:3] == ["Remove coder1, coder0", "Unsuspend coder0", "Stop coder0"]
