"""Looking: a preview writes nothing, anywhere; a plan that was kept is applied exactly, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from pathlib import Path

import pytest

from tests.scenarios.fleet import Fleet, stub


def pictures(fleet: Fleet) -> dict[str, tuple[object, ...]]:
    """Every file, folder and link that could have been written to: kind, mode, size, times and content.

    Of /tmp itself only that it is there: a copy of a repository that is not known yet is put there, and taken away.
    """
    found: dict[str, tuple[object, ...]] = {}
    for top in (fleet.host.home, fleet.host.runtime_dir, "/tmp", "/var/tmp", "/var/lib/systemd"):
        root = fleet.host.path_outside(top)
        device = root.stat().st_dev
        for folder, folders, files in os.walk(root):
            folders[:] = [name for name in folders if Path(folder, name).lstat().st_dev == device]  # no shared ones
            for name in (".", *folders, *files):
                path = Path(folder, name)
                seen = path.lstat()
                data = b""
                if stat.S_ISREG(seen.st_mode) and "/run/user/" not in folder:
                    data = hashlib.sha256(path.read_bytes()).digest()
                elif stat.S_ISLNK(seen.st_mode):
                    data = os.fsencode(os.readlink(path))
                shown = f"{top}{str(path).removeprefix(str(root))}"
                times = (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns) if shown != "/tmp" else ()
                found[shown] = (seen.st_mode, seen.st_ino, data, *times)
    return found


def changed(before: dict[str, tuple[object, ...]], after: dict[str, tuple[object, ...]]) -> list[str]:
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def quiet(fleet: Fleet, *names: str) -> None:
    """A fleet whose agents write no heartbeats for an hour, on a host whose bus and tmux have been asked before."""
    fleet.sh("busctl --user list >/dev/null; tmux -L any list-panes 2>/dev/null || true")
    fleet.rules["heartbeat"] = {"interval": "1h", "stale_after": "3h"}
    fleet.declare(*names)


@pytest.mark.parametrize("form", ["text", "json", "yaml"])
def test_a_preview_of_a_first_run_writes_nothing(fleet: Fleet, form: str) -> None:
    quiet(fleet, "a", "b")
    before = pictures(fleet)
    run = fleet.reconcile("--dry-run", form=form)
    assert run.code == 0, run.err
    assert changed(before, pictures(fleet)) == []
    assert fleet.living() == {}


def test_a_preview_of_everything_writes_nothing(fleet: Fleet) -> None:
    """With a new commit, a removal, a broken agent, a damaged state file and an edit that is not committed."""
    quiet(fleet, "a", "b", "c", "d")
    fleet.converge()
    fleet.beats("a")
    fleet.kill(fleet.pids()["b"])
    fleet.write(f"{fleet.state}/history.json", "{")
    del fleet.agents["c"]
    fleet.agents["a"]["env"] = {"X": "1"}
    fleet.agents["e"] = stub()
    fleet.commit()
    fleet.write(f"{fleet.repo}/fleet.yaml", "version: 2")
    pids, before = fleet.pids(), pictures(fleet)
    run = fleet.reconcile("--dry-run", "--detailed-exitcode")
    assert run.code == 2, run.err
    assert changed(before, pictures(fleet)) == []
    assert fleet.pids() == pids
    summary = run.document["summary"]
    # The two that nobody touched are told of who came and went.
    assert (summary["create"], summary["update"], summary["remove"]) == (1, 3, 1), summary
    assert run.held("b")["reason"] == "crash-loop", "who knows how often it has been started"


def test_a_preview_during_the_kill_switch_and_of_a_bad_commit_writes_nothing(fleet: Fleet) -> None:
    quiet(fleet, "a")
    fleet.converge()
    fleet.beats("a")
    fleet.cli("fleet", "pause", "--reason", "x")
    fleet.commit(raw={"roster.yaml": "nonsense"})
    before = pictures(fleet)
    run = fleet.reconcile("--dry-run")
    assert run.code == 78
    assert run.document["paused"] is True
    assert changed(before, pictures(fleet)) == []


def test_the_detailed_exit_code(fleet: Fleet) -> None:
    fleet.declare("a")
    assert fleet.reconcile("--dry-run").code == 0
    assert fleet.reconcile("--dry-run", "--detailed-exitcode").code == 2
    fleet.converge()
    assert fleet.reconcile("--dry-run", "--detailed-exitcode").code == 0
    assert fleet.reconcile("--detailed-exitcode").code == 64


def test_the_preview_says_what_the_run_then_does(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    preview = fleet.reconcile("--dry-run").document
    run = fleet.converge().document
    told = [(one["id"], one["reason"], one["steps"], one["changes"]) for one in preview["actions"]]
    assert told == [(one["id"], one["reason"], one["steps"], one["changes"]) for one in run["actions"]]
    fleet.agents["a"]["env"] = {"X": "1"}
    fleet.commit()
    text = fleet.reconcile("--dry-run", form="text").out
    assert text.index("ends or loses something") < text.index("agent a ")
    assert "(absent) -> " in text
    assert "restart mosaic-agent@a.service" in text
    assert "Plan: 0 to start, 1 to restart" in text


def test_who_came_is_told_to_the_others_in_one_line(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    fleet.agents["c"] = stub()
    fleet.commit()
    text = fleet.reconcile("--dry-run", form="text").out
    peers = [line for line in text.splitlines() if line.startswith("~ ")]
    assert len(peers) == 1, text
    assert "a, b" in peers[0]
    assert re.search(r"^~ peers ", text, re.MULTILINE), text
    assert "Plan: 1 to start, 0 to change, 0 to stop." in text


def test_a_kept_plan_is_applied_exactly(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    plan = f"{fleet.host.home}/plan.json"
    assert fleet.reconcile("--dry-run", "--out", plan).code == 0
    kept = json.loads(fleet.read(plan))
    run = fleet.converge("--plan", plan)
    assert [one["id"] for one in run.document["actions"]] == [one["id"] for one in kept["actions"]]
    assert {one["result"] for one in run.document["actions"]} == {"done"}
    fleet.up("a", "b")


def test_a_kept_plan_is_refused_when_git_moved(fleet: Fleet) -> None:
    fleet.declare("a")
    plan = f"{fleet.host.home}/plan.json"
    fleet.reconcile("--dry-run", "--out", plan)
    fleet.agents["b"] = stub()
    fleet.commit()
    run = fleet.reconcile("--plan", plan)
    assert run.code == 5
    assert "is in force now" in run.err
    assert fleet.living() == {}


def test_a_kept_plan_is_refused_when_the_host_moved(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    fleet.agents["a"]["generation"] = 1
    fleet.commit()
    plan = f"{fleet.host.home}/plan.json"
    fleet.reconcile("--dry-run", "--out", plan)
    before = fleet.pids()
    fleet.kill(before["b"])
    run = fleet.reconcile("--plan", plan)
    assert run.code == 5
    assert "the host has changed" in run.err
    assert fleet.pids() == {"a": before["a"]}


@pytest.mark.parametrize("what", ["step-added", "action-dropped", "another-fleet"])
def test_a_kept_plan_is_refused_when_it_was_altered(fleet: Fleet, what: str) -> None:
    fleet.declare("a", "b")
    plan = f"{fleet.host.home}/plan.json"
    fleet.reconcile("--dry-run", "--out", plan)
    kept = json.loads(fleet.read(plan))
    if what == "step-added":
        kept["actions"][0]["steps"].append("rm -r /")
    elif what == "action-dropped":
        kept["actions"].pop()
    else:
        kept["fleet"] = "another"
    fleet.write(plan, json.dumps(kept))
    run = fleet.reconcile("--plan", plan)
    assert run.code == 5
    assert "altered" in run.err
    assert fleet.living() == {}


@pytest.mark.parametrize(("text", "code"), [("{}", 78), ('{"kind": "Plan"}', 5), ("[", 78), (None, 4)])
def test_a_plan_that_is_none(fleet: Fleet, text: str | None, code: int) -> None:
    fleet.declare("a")
    if text is not None:
        fleet.write(f"{fleet.host.home}/plan.json", text)
    run = fleet.reconcile("--plan", f"{fleet.host.home}/plan.json")
    assert run.code == code, run.err
    assert fleet.living() == {}
