"""After one run by its path, every command knows which fleet is meant."""

from __future__ import annotations

import sys

import pytest

from tests.scenarios.fleet import Fleet, Run

MOSAIC = [sys.executable, "-c", "from reconciler.commands.mosaic import main; main()"]
RECONCILE = [sys.executable, "-c", "from reconciler.commands.reconcile import main; main()"]


def call(fleet: Fleet, cwd: str, argv: list[str], *words: str) -> Run:
    ended = fleet.host.run([*argv, *words], env=fleet.env(), check=False, timeout=240, cwd=cwd)
    return Run(ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.parametrize("inside", [True, False], ids=["in-its-folder", "elsewhere"])
def test_nobody_has_to_name_the_only_fleet(fleet: Fleet, inside: bool) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    cwd = fleet.repo if inside else str(fleet.host.home)
    named = "this folder" if inside else "this host"

    fleet.agents["c"] = {"runtime": "stub", "class": "worker"}
    fleet.commit()
    synced = call(fleet, cwd, MOSAIC, "fleet", "sync", "-o", "json")
    assert synced.code == 0, synced.err
    fleet.up("a", "b", "c")

    ran = call(fleet, cwd, RECONCILE, "--dry-run", "-o", "json")
    assert ran.code == 0, ran.err
    assert ran.document["actions"] == []
    assert f"fleet repository: {fleet.repo} (from {named})" in ran.err
    for words in (["ps"], ["verify"], ["status"], ["validate"]):
        seen = call(fleet, cwd, MOSAIC, "fleet", *words, "--json")
        assert seen.code == 0, (words, seen.err)
        told = f"fleet repository: {fleet.repo} (from {named})" in seen.err
        assert told == (inside or words == ["validate"]), (words, seen.err)
    stopped = call(fleet, cwd, MOSAIC, "fleet", "stop", "c", "--dry-run", "-o", "json")
    assert stopped.code == 0, stopped.err
    assert fleet.repo in stopped.out
