"""From a commit to running agents, and then nothing more to do, at the same cost for any number of agents."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.scenarios.fleet import SOCKET, Fleet, Run, stub


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
    """Told by the units themselves: each writes down when its start begins and ends, and who lives when it ends."""
    fleet.agents = {"a": stub(depends_on=["b"]), "b": stub(depends_on=["c"]), "c": stub(), "d": stub()}
    fleet.commit()
    fleet.write(
        f"{fleet.units}/mosaic-agent@.service.d/tell.conf",
        "[Service]\n"
        "ExecStartPre=/bin/sh -c 'echo begin %i >>/tmp/order'\n"
        "ExecStartPost=/bin/sh -c 'sleep 0.2; echo end %i >>/tmp/order'\n"
        f"ExecStop=/bin/sh -c 'sleep 0.2; tmux -L {SOCKET} ls -F \"%i saw #S\" >>/tmp/order'\n",
    )
    fleet.converge()
    fleet.up("a", "b", "c", "d")
    lines = fleet.read("/tmp/order").splitlines()
    assert lines.index("end c") < lines.index("begin b") < lines.index("end b") < lines.index("begin a")

    fleet.write("/tmp/order", "")
    for name in "abc":
        fleet.agents[name]["state"] = "stopped"
    fleet.commit()
    fleet.converge()
    fleet.up("d")
    lines = fleet.read("/tmp/order").splitlines()
    assert {"a saw b", "a saw c", "b saw c"} <= set(lines), lines
    assert not {"b saw a", "c saw a", "c saw b"} & set(lines), lines


def test_a_failed_start_skips_its_dependants_only(fleet: Fleet) -> None:
    fleet.agents = {"a": stub(working_directory="~/nowhere"), "b": stub(depends_on=["a"]), "c": stub()}
    fleet.commit()
    run = fleet.reconcile()
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
