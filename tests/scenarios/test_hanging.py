"""Law 13 where a file system gives no answer: every command ends, and says so of those alone whom it concerns."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.scenarios.fleet import NAME, Fleet, stub
from tests.scenarios.test_one_thing import hanging

HANGS = {"b": "far", "c": "near/key"}


@pytest.fixture
def started(fleet: Fleet) -> dict[str, int]:
    """b lives in a folder that will hang, c has its secret in another one."""
    fleet.sh("mkdir -p far near; echo secret >near/key")
    fleet.agents = {
        "a": stub(),
        "b": stub(working_directory="~/far"),
        "c": stub(env={"KEY": {"from_file": "~/near/key"}}),
    }
    fleet.commit()
    fleet.converge()
    return fleet.up("a", "b", "c")


@pytest.fixture
def hung(fleet: Fleet, started: dict[str, int]) -> Iterator[dict[str, int]]:
    home = fleet.host.home
    with hanging(fleet, f"{home}/far", "mute"), hanging(fleet, f"{home}/near", "mute"):
        yield started


def test_every_command_says_it_of_those_alone(fleet: Fleet, hung: dict[str, int]) -> None:
    held = {one["agent"]: one for one in fleet.reconcile("--dry-run").document["held"]}
    assert held.keys() == HANGS.keys()
    for name, path in HANGS.items():
        assert held[name]["reason"] == "unknown"
        assert f"/{path}" in held[name]["message"]
        assert held[name]["message"].startswith("it runs, and it is not known whether it would start again: ")
    fleet.kill(hung["a"])
    run = fleet.reconcile()
    assert (run.code, run.verbs("a"), run.verbs("b"), run.verbs("c")) == (1, ["restart"], [], [])
    assert fleet.up(*hung) == {**hung, "a": fleet.pids()["a"]}
    listed = {one["name"]: one for one in fleet.cli("fleet", "ps", "--fleet", NAME, "-o", "json").document["agents"]}
    assert listed["a"]["why"] == ""
    assert all("is not known whether" in listed[name]["why"] for name in HANGS)
    assert {one["agent"] for one in fleet.status()["held"]} == HANGS.keys()
    status = fleet.cli("fleet", "status", "--fleet", NAME, "-o", "json").document
    said = {one["name"]: "is not known whether" in one["why"] for one in status["agents"]}
    assert (said["a"], said["b"], said["c"]) == (False, True, True)
    verified = fleet.cli("fleet", "verify", "--fleet", NAME, "-o", "json")
    wrong = [one for one in verified.document["checks"] if one["result"] == "wrong"]
    assert [(one["agent"], one["name"]) for one in wrong] == [("b", "start"), ("c", "start")]
    assert "is not known whether" in fleet.cli("agent", "status", "b", "--fleet", NAME).out
    assert "is not known whether" not in fleet.cli("agent", "status", "a", "--fleet", NAME).out
    assert fleet.cli("doctor").code != 70
    valid = fleet.cli("fleet", "validate", fleet.repo)
    assert valid.code == 0, valid.err
    for name in HANGS:
        assert f"on this host agent {name} could not be started" in valid.err
    assert "agent a " not in valid.err
    for name in hung:
        sent = fleet.cli("agent", "send", name, "-m", "hello", "--verify", "--fleet", NAME)
        assert sent.code == 0, sent.err
    assert fleet.cli("agent", "tail", "b", "--fleet", NAME).code == 0
    assert fleet.reconcile("--timeout", "1s").code == 1
    assert len(fleet.named("mosaic-look")) == len(HANGS), "however many have asked"


@pytest.mark.parametrize(("name", "code"), [("INT", 130), ("TERM", 143)])
def test_a_signal_during_a_look_that_hangs(fleet: Fleet, hung: dict[str, int], name: str, code: int) -> None:
    _ = hung
    running = fleet.start(fleet.argv("--watch"))
    # The first look gives up after a while; the signal comes before.
    fleet.wait(lambda: len(fleet.named("mosaic-look")) == len(HANGS), "the looks that hang")
    fleet.kill(int(fleet.sh("pgrep --oldest --full -- '-m reconciler .* --watch'")), signal=name)
    out, err = running.communicate(timeout=60)
    assert running.returncode == code, out + err


@pytest.mark.parametrize("below", ["guides", "fleet/agents/b.d"])
def test_a_file_system_that_hangs_below_our_own_folder(fleet: Fleet, below: str) -> None:
    """What is in there is unknown, and who needs none of it is healed."""
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    folder = f"{fleet.mosaic}/{below}"
    with hanging(fleet, folder, "deaf"):
        fleet.kill(before["a"])
        try:
            run = fleet.reconcile(timeout=90)
        except subprocess.TimeoutExpired:
            pytest.fail("it hangs")
        assert run.code == 1, run.out + run.err
        assert run.verbs("a") == ["restart"], run.out
        unclear = [one for one in run.document["unknown"] if folder in one["error"]]
        held = [one for one in run.document["held"] if one["reason"] == "unknown" and folder in one["message"]]
        assert unclear or held, run.out
        assert fleet.up("a", "b")["b"] == before["b"]
    fleet.wait(lambda: fleet.reconcile().code == 0, "convergence, now that nothing hangs")
    assert fleet.up("a", "b")["b"] == before["b"]
