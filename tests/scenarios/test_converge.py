"""From a commit to running agents, and then nothing more to do, at the same cost for any number of agents."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.scenarios.fleet import Fleet, Run, stub


def counted(fleet: Fleet, *args: str) -> tuple[Run, dict[str, Any]]:
    """A run, and what it cost."""
    out = f"{fleet.host.home}/counted.json"
    run = fleet.run([sys.executable, "-m", "tests.scenarios.trace", out, *fleet.argv(*args)])
    return run, json.loads(fleet.read(out))


def test_first_run_starts_everything_and_the_second_does_nothing(fleet: Fleet) -> None:
    fleet.declare("a", "b.c", "d-e")
    fleet.agents["b.c"]["depends_on"] = ["a"]
    sha = fleet.commit()
    first = fleet.converge()
    assert first.document["outcome"] == "converged"
    assert first.document["revision"] == sha
    assert {one["result"] for one in first.document["actions"]} == {"done"}
    pids = fleet.up("a", "b.c", "d-e")
    assert fleet.sessions() == ["_holder", "a", "b_c", "d-e"]

    second, cost = counted(fleet)
    assert second.code == 0
    assert second.document["outcome"] == "converged"
    assert second.document["actions"] == []
    assert second.document["passes"] == 1
    assert cost["processes"] <= 2, cost
    assert cost["programs"] in (["tmux"], ["git", "tmux"], ["tmux", "git"]), cost
    assert fleet.up("a", "b.c", "d-e") == pids
    assert fleet.condition("Ready")["status"] == "True"
    preview = fleet.reconcile("--dry-run", form="text")
    assert preview.code == 0
    assert "\nNo changes: " in preview.out


def test_dependencies_are_up_before_what_needs_them_and_down_after(fleet: Fleet) -> None:
    """Told by systemd, which notes when each start and each stop begins and ends."""
    fleet.agents = {"a": stub(depends_on=["b"]), "b": stub(depends_on=["c"]), "c": stub(), "d": stub()}
    fleet.commit()
    fleet.converge()
    fleet.up("a", "b", "c", "d")
    begun, up = noted(fleet, "InactiveExit"), noted(fleet, "ActiveEnter")
    assert up["c"] <= begun["b"] < up["b"] <= begun["a"] < up["a"]

    # systemd forgets a unit that has ended, unless something that runs refers to it.
    after = " ".join(f"mosaic-agent@{name}.service" for name in "abc")
    fleet.write(f"{fleet.units}/refers.service", f"[Unit]\nAfter={after}\n[Service]\nExecStart=/bin/sleep infinity\n")
    fleet.sh("systemctl --user daemon-reload; systemctl --user start refers.service")
    for name in "abc":
        fleet.agents[name]["state"] = "stopped"
    fleet.commit()
    fleet.converge()
    fleet.up("d")
    begun, down = noted(fleet, "ActiveExit"), noted(fleet, "InactiveEnter")
    assert 0 < begun["a"] <= down["a"] <= begun["b"] <= down["b"] <= begun["c"] <= down["c"]


def noted(fleet: Fleet, change: str) -> dict[str, int]:
    """When the units of a, b and c last went through a change, in microseconds since the boot; 0: never."""
    field = f"{change}TimestampMonotonic"
    return {
        name: int(fleet.host.systemctl("show", "--value", "-p", field, f"mosaic-agent@{name}.service").stdout)
        for name in "abc"
    }


def test_a_failed_start_skips_its_dependants_only(fleet: Fleet) -> None:
    fleet.agents = {"a": stub(working_directory="~/nowhere"), "b": stub(depends_on=["a"]), "c": stub()}
    fleet.commit()
    fleet.sh("mkdir nowhere")
    run = fleet.drive(1, "rmdir ~/nowhere")  # after the look, which would have held it
    assert run.code == 1
    assert run.document["outcome"] == "partial"
    results = {one["id"]: one["result"] for one in run.document["actions"]}
    assert results["start:systemd:a"] == "failed"
    assert results["start:systemd:b"] == "skipped"
    assert results["start:systemd:c"] == "done"
    assert list(fleet.pids()) == ["c"]
    assert fleet.condition("Ready")["reason"] == "ActionsFailed"
    fleet.sh("mkdir nowhere")
    fleet.agents["a"]["generation"] = 1  # another declaration, so it need not wait
    fleet.commit()
    fleet.converge()
    fleet.up("a", "b", "c")


def test_only_the_named_agent(fleet: Fleet) -> None:
    fleet.declare("a", "b", "c")
    fleet.converge("--agent", "b")
    assert list(fleet.pids()) == ["b"]
    before = fleet.pids()
    fleet.converge("--agent", "a", "--agent", "c")
    after = fleet.up("a", "b", "c")
    assert after["b"] == before["b"]
    unknown = fleet.reconcile("--agent", "bb")
    assert unknown.code == 4
    assert "bb" in unknown.err
    assert fleet.up("a", "b", "c") == after
