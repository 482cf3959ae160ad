"""Runs and commits that meet each other."""

from __future__ import annotations

import json

from reconciler.git.location import parse_place
from tests.scenarios.fleet import NAME, Fleet, stub

GIT = "git -c user.name=t -c user.email=t@example.invalid"


def test_a_second_run_says_who_holds_the_lock(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.sh("mkfifo held go")
    argv = fleet.argv()
    driver = [argv[0], "-m", "tests.scenarios.drive", "5", f"cd {fleet.host.home}; echo >held; read _ <go", *argv[3:]]
    first = fleet.start(driver)
    fleet.sh("read _ <held")  # it is in its middle now
    second = fleet.reconcile()
    assert second.code == 75
    assert second.out == ""
    assert f"pid {fleet.named('python')[0]}" in second.err or "pid " in second.err
    assert "another run holds the lock" in second.err
    timer = fleet.reconcile(env={"MOSAIC_TRIGGER": "timer"})
    assert (timer.code, timer.out, timer.err) == (0, "", "")
    preview = fleet.reconcile("--dry-run")
    assert preview.code == 0, "looking needs no lock"
    fleet.sh("echo >go")
    out, err = first.communicate(timeout=60)
    assert first.returncode == 0, out + err
    fleet.up("a", "b")
    assert fleet.converge().done == []


def test_a_lock_file_that_is_left_over_holds_nobody(fleet: Fleet) -> None:
    fleet.declare("a")
    fleet.converge()
    fleet.write(f"{fleet.host.runtime_dir}/mosaic/{NAME}/lock", '{"pid": 1, "since": 1.0, "command": "reconcile"}')
    assert fleet.converge().done == []


def test_a_commit_in_the_middle_of_a_run(fleet: Fleet) -> None:
    """The run finishes what it began with; the next one takes the commit. Never half of each."""
    fleet.declare("a", "b")
    fleet.agents["c"] = stub()
    first = fleet.git("rev-parse", "HEAD")
    later = fleet.commit("later")
    fleet.git("reset", "-q", "--hard", first)
    run = fleet.drive(8, f"cd {fleet.repo}; {GIT} reset -q --hard {later}")
    assert run.code == 0, run.err
    assert run.document["revision"] == first
    before = fleet.up("a", "b")
    run = fleet.converge()
    assert run.document["revision"] == later
    after = fleet.up("a", "b", "c")
    assert {name: after[name] for name in before} == before


def test_an_agent_that_dies_in_the_middle_of_a_run_is_healed_in_it(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    fleet.agents["c"] = stub()
    fleet.commit()
    run = fleet.drive(2, f"kill -KILL {before['a']}")
    assert run.code == 0, run.err
    after = fleet.up("a", "b", "c")
    assert after["b"] == before["b"]
    assert after["a"] != before["a"]


def test_two_fleets_of_one_user_leave_each_other_alone(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    other = f"{fleet.host.home}/other"
    fleet.sh(
        f'cp -r {fleet.repo} {other}; cd {other}; sed -i s/canary/second/ fleet.yaml; sed -i \'s/"a"/"x"/\' roster.yaml'
    )
    fleet.git("commit", "-qam", "another fleet", repo=other)
    argv = fleet.argv()
    known = f"{fleet.host.home}/.local/state/mosaic/sources.json"
    names = json.loads(fleet.read(known))
    for more in ([], ["--dry-run"]):
        run = fleet.run([*argv[:3], other, *argv[4:], *more])
        assert run.code == 5, run.out
        assert f'fleet "{NAME}" runs here already' in run.err
        assert json.loads(fleet.read(known)) == names, "nothing of a second fleet is kept"
    # One that is known from before there was such a guard would like to have an agent "b" too: that name is taken, and
    # the one who has it keeps it.
    fleet.write(known, json.dumps({**names, "names": {**names["names"], parse_place(other).key: "second"}}))
    run = fleet.run([*argv[:3], other, *argv[4:]])
    assert run.code == 1, run.out
    assert {one["reason"] for one in run.document["held"]} == {"not-owned"}, run.document["held"]
    after = fleet.pids()
    assert {name: after[name] for name in before} == before
