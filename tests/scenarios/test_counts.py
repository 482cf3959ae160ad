"""What a preview and a run count, and in which order they tell it."""

from __future__ import annotations

import re

from tests.scenarios.fleet import Fleet


def test_a_first_run_makes_and_leaves_nothing_as_it_was(fleet: Fleet) -> None:
    fleet.declare("a", "b", "c")
    preview = fleet.reconcile("--dry-run")
    summary = preview.document["summary"]
    kinds = {(one["provider"], one["agent"] or one["target"]) for one in preview.document["actions"]}
    shared = {kind for kind in kinds if kind[1] not in ("a", "b", "c") and "manager" not in kind[1]}
    assert summary == {"create": 3 + len(shared), "update": 0, "remove": 0, "heal": 0, "held": 0, "unchanged": 0}
    text = fleet.reconcile("--dry-run", form="").out
    assert re.findall(r"^\+ (\S+)", text, re.MULTILINE)[:4] == ["a", "b", "c", "framework"]
    assert "Plan: 3 to start, 0 to change, 0 to stop." in text
    text = fleet.reconcile("--dry-run", "--verbose", form="").out
    told = re.findall(r"^(framework|agent \S+)", text, re.MULTILINE)
    assert told == ["framework", "agent a", "agent b", "agent c"], "the order of the run"
    steps = re.findall(r"^      \$ (.*)$", text, re.MULTILINE)
    assert sorted(steps) == sorted(step for one in preview.document["actions"] for step in one["steps"])

    run = fleet.reconcile(form="").out
    assert "0 agents unchanged" in run
    assert "3 agents unchanged" in fleet.reconcile(form="").out


def test_only_those_that_were_left_alone_are_unchanged(fleet: Fleet) -> None:
    fleet.declare("a", "b", "c")
    fleet.converge()
    fleet.kill(fleet.pids()["b"])
    assert fleet.reconcile("--dry-run").document["summary"]["heal"] == 1
    assert "1 done, 2 agents unchanged" in fleet.reconcile(form="").out
    fleet.write(f"{fleet.mosaic}/fleet/bin/agent-stop", "")
    summary = fleet.reconcile("--dry-run").document["summary"]
    assert (summary["create"], summary["update"], summary["heal"], summary["unchanged"]) == (0, 0, 1, 3)


def test_what_goes_is_counted_as_removed(fleet: Fleet) -> None:
    fleet.declare("a", "b", "c")
    fleet.converge()
    del fleet.agents["c"]
    fleet.commit()
    summary = fleet.reconcile("--dry-run").document["summary"]
    assert summary["remove"] == 1
    assert summary["create"] == 0
