"""Every command about a fleet of which one tmux server hangs: what cannot be seen of one agent is unknown for all, and
the others are told of as ever."""

from __future__ import annotations

from tests.scenarios.fleet import Fleet, stub
from tests.truth.bench import operator, reads, rules
from tests.truth.told import (
    Told,
    lists_and_documents,
    the_numbers,
    what_is_due_and_held,
    what_is_wrong,
)


def test_a_server_that_hangs(fleet: Fleet) -> None:
    rules(fleet)
    operator(fleet)
    fleet.agents = {"near": stub(), "works": stub(), "far": stub(socket="other"), "ended": stub(socket="other")}
    fleet.commit("first")
    fleet.converge()
    fleet.type("works", "/busy")
    reads(fleet, "works", "working")
    reads(fleet, "near", "available")
    before = fleet.pids()
    fleet.agents["ended"]["state"] = "stopped"
    fleet.commit("second")
    server = int(fleet.tmux("display-message", "-p", "#{pid}", socket="other"))
    fleet.kill(server, signal="STOP")
    try:
        told = Told(fleet)
        lists_and_documents(told)
        what_is_due_and_held(told)
        the_numbers(told)
        assert {"far"} <= what_is_wrong(told) & {"near", "works", "far"} <= {"far"}
        assert {name: one["state"] for name, one in told.rows.items()} == {
            "near": "available", "works": "working", "far": "unknown", "ended": "unknown",
        }  # fmt: skip
        assert {name for name, one in told.rows.items() if one["may_stop"]} == {"near"}
        for name in ("far", "ended"):
            assert fleet.cli("agent", "send", name, "-m", "hello").code == 1, name
            run = fleet.cli("fleet", "stop", name, "--force", "--fleet", fleet.repo)
            assert f"{name} is not forced: it could not be seen" in run.err
        assert fleet.cli("agent", "reset", "far", "--restart").code != 0
    finally:
        fleet.kill(server, signal="CONT")
    assert fleet.pids() == before
