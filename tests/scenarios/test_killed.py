"""SIGKILL after every single step, then one run: as declared, nobody twice, and nobody lost who need not be."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.scenarios.fleet import NAME, SOCKET, Fleet, stub

HOW = ("begun", "ended")


def each_step(fleet: Fleet, how: str, reset: str, *commits: str) -> list[dict[str, Any]]:
    """What became of a run that was killed at its first step, its second, and so on."""
    argv = [sys.executable, "-m", "tests.scenarios.killer", how, fleet.repo, reset, *commits]
    run = fleet.run(argv)
    assert run.code == 0, run.err
    rounds = [json.loads(line) for line in run.out.splitlines()]
    assert [one["killed"] for one in rounds] == [True] * (len(rounds) - 1) + [False]
    for one in rounds:
        assert one["code"] == 0, (one, run.err)
        assert all(len(pids) == 1 for pids in one["after"].values()), f"running twice: {one}"
    return rounds


def anew(fleet: Fleet) -> str:
    """The shell command that takes everything of the fleet off the host."""
    return (
        "systemctl --user stop 'mosaic-agent@*' mosaic-tmux-holder.service 'mosaic-pane-*' || true;"
        f"tmux -L {SOCKET} kill-server 2>/dev/null || true;"
        f"rm -rf {fleet.mosaic} {fleet.units} {fleet.state} {fleet.host.runtime_dir}/mosaic;"
        "systemctl --user daemon-reload"
    )


@pytest.mark.parametrize("how", HOW)
def test_killed_at_each_step_of_a_first_run(fleet: Fleet, how: str) -> None:
    fleet.agents = {"a": stub(), "b": stub(depends_on=["a"])}
    fleet.commit()
    rounds = each_step(fleet, how, anew(fleet))
    assert len(rounds) > 15
    for one in rounds:
        assert list(one["after"]) == ["a", "b"], one
        assert one["before"].items() <= one["after"].items(), f"a conversation was lost: {one}"
    fleet.up("a", "b")
    assert fleet.converge().done == []


@pytest.mark.parametrize("how", HOW)
def test_killed_at_each_step_of_a_removal(fleet: Fleet, how: str) -> None:
    """A commit that removes one agent, stops one, changes one and leaves one alone."""
    first = fleet.declare("changed", "kept", "removed", "stopped")
    fleet.converge()
    kept = fleet.pids()["kept"]
    fleet.agents["changed"]["generation"] = 1
    fleet.agents["stopped"]["state"] = "stopped"
    del fleet.agents["removed"]
    last = fleet.commit()
    rounds = each_step(fleet, how, "true", first, last)
    assert len(rounds) > 8
    for one in rounds:
        assert list(one["after"]) == ["changed", "kept"], one
        assert one["after"]["kept"] == [kept]
    fleet.up("changed", "kept")
    assert sorted(fleet.store().load_inventory().agents) == ["changed", "kept", "stopped"]
    assert not fleet.exists(f"{fleet.mosaic}/fleet/agents/removed.env")
    assert fleet.sessions() == ["_holder", "changed", "kept"]
    assert fleet.converge().done == []


def test_a_run_that_is_terminated_says_so_and_the_next_goes_on(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    run = fleet.drive(5, "kill -TERM $PPID")
    assert run.code == 143
    assert "the next run continues from here" in run.err
    fleet.converge()
    fleet.up("a", "b")
    assert fleet.exists(f"{fleet.host.runtime_dir}/mosaic/{NAME}/lock")


def test_a_run_that_is_interrupted_says_so(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    run = fleet.drive(9, "kill -INT $PPID")
    assert run.code == 130
    fleet.converge()
    fleet.up("a", "b")
