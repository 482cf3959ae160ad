"""A whole run on a simulated host, from a real commit."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.cli.output import Output
from reconciler.commands.run_output import preview, print_run
from reconciler.context.host import HostContext
from reconciler.errors import NotFound
from reconciler.loop.result import RunOptions, RunResult
from reconciler.run.documents import plan_document
from reconciler.run.run import run
from tests.world import FACTS, World

ROSTER = {
    "version": 1,
    "transport": "tmux",
    "tmux": {"socket_name": "s"},
    "agents": [{"name": name, "runtime": "stub", "class": "worker"} for name in ("coder0", "coder1")],
}


@pytest.fixture
def once(tmp_path: Path) -> Callable[..., RunResult]:
    fleet = tmp_path / "fleet"
    fleet.mkdir()
    (fleet / "roster.yaml").write_text(json.dumps(ROSTER))
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=fleet, check=True)
    facts = replace(
        FACTS, state_home=f"{tmp_path}/state", config_home=f"{tmp_path}/config", runtime_dir=f"{tmp_path}/run"
    )
    world = World(facts)
    here = HostContext(
        host=world, environ={}, sleep=world.advance, wall=lambda: world.now, monotonic=lambda: world.elapsed
    )
    return lambda doing=None, **wishes: run(RunOptions(fleet=str(fleet), **wishes), here, doing=doing)


def test_a_name_that_nobody_has(once: Callable[..., RunResult], tmp_path: Path) -> None:
    """Nothing is done for it, it is told with near misses, and it says nothing about the source or the fleet."""
    assert once().exit_code == 0
    status = tmp_path / "state/mosaic/fleet/status.json"
    before = status.read_bytes()
    with pytest.raises(NotFound, match='no agent is called "codre0"') as caught:
        once(agents=("codre0",))
    assert caught.value.help == "did you mean coder0 or coder1?"
    assert status.read_bytes() == before


def test_a_receipt_is_of_the_first_look_and_its_plan(once: Callable[..., RunResult], tmp_path: Path) -> None:
    """What was there before the run acted, and the digest that the preview of it had."""
    assert once(agents=("coder0",)).exit_code == 0
    preview = once(dry_run=True)
    assert preview.registry is not None
    assert preview.facts is not None
    document = plan_document(preview.plan, preview.registry, preview.facts)
    assert once().outcomes
    newest = max((tmp_path / "state/mosaic/fleet/receipts").iterdir())
    receipt = json.loads(newest.read_text())
    assert (receipt["plan_digest"], receipt["revision"]) == (document["digest"], document["revision"])
    assert receipt["observed_digest"] == document["observed_digest"]
    up, down = receipt["observed"]
    assert (up["name"], up["unit"], up["session"], up["program"]) == ("coder0", "active", "alive", "stub")
    assert (up["pid"], up["health"]) == (preview.plan.views["coder0"].pid, "healthy")
    assert (down["name"], down["session"], down["pid"], down["health"]) == ("coder1", "missing", None, "unhealthy")
    assert all(one["result"] == "done" for one in receipt["actions"])


def commit(fleet: Path, subject: str) -> str:
    (fleet / "notes").write_text(subject)
    author = "--author=Ada <ada@example.org>"
    for more in (["add", "."], ["commit", "-q", author, "-m", subject], ["rev-parse", "HEAD"]):
        done = subprocess.run(["git", *more], cwd=fleet, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_preview_lists_the_commits_that_would_come_into_force(once: Callable[..., RunResult], tmp_path: Path) -> None:
    first = once(dry_run=True)
    assert first.intake is not None
    assert first.intake.commits == ()  # nothing was applied yet
    assert once().exit_code == 0
    shas = [commit(tmp_path / "fleet", f"number {number}") for number in range(12)]
    out, err = io.StringIO(), io.StringIO()
    looked = once(dry_run=True)
    preview(looked, Output(out, err), apply="reconcile")
    assert f"commits that come into force (newest first)\n  {shas[11][:12]} number 11 (Ada)\n" in out.getvalue()
    document = io.StringIO()
    print_run(looked, Output(document, err), "json", dry_run=True)
    listed = json.loads(document.getvalue())["commits"]
    assert [one["sha"] for one in listed] == shas[:1:-1]
    assert listed[0]["author"] == "Ada <ada@example.org>"
    applied = once()
    assert applied.intake is not None
    assert applied.intake.commits == ()
    after = once(dry_run=True)
    assert after.intake is not None
    assert after.intake.commits == ()


def test_a_preview_goes_on_without_the_commits(
    once: Callable[..., RunResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert once().exit_code == 0
    commit(tmp_path / "fleet", "another")

    def broken(*_args: object, **_more: object) -> None:
        raise UnicodeError("a commit that nobody can read")

    monkeypatch.setattr("reconciler.git.log.history", broken)
    preview = once(dry_run=True)
    assert preview.exit_code == 0
    assert preview.intake is not None
    assert preview.intake.commits == ()


def test_a_ledger_that_cannot_be_read_is_a_warning_where_nothing_is_verified(
    once: Callable[..., RunResult], tmp_path: Path
) -> None:
    assert once().exit_code == 0
    ledger = tmp_path / "state/mosaic/fleet/ledger.ndjson"
    ledger.unlink()
    ledger.mkdir()  # root reads every file, and no folder
    again = once()
    assert again.exit_code == 0
    (warning,) = again.warnings
    assert f"the ledger of applied revisions cannot be read: {ledger}: a folder is there" in warning
    assert ledger.is_file(), "a new one is begun"
    assert [one for one in ledger.parent.iterdir() if "set-aside" in one.name and one.is_dir()], "the old one is kept"
    assert once().warnings == ()


def test_what_killed_senders_left_is_cleared_away(once: Callable[..., RunResult], tmp_path: Path) -> None:
    left = tmp_path / "run/mosaic/await/coder0"
    left.mkdir(parents=True)
    os.utime(left, (0, 0))
    once(dry_run=True)
    assert left.exists()
    once()
    assert not left.exists()


def test_a_run_tells_what_it_is_doing(once: Callable[..., RunResult]) -> None:
    """Each phase, and of the actions how many are done of how many, never more and never fewer than before."""
    told: list[str] = []
    result = once(doing=told.append)
    assert result.exit_code == 0
    assert told[0] == "reading the repository"
    assert told[1] == "looking at this host"
    counts = [(int(done), int(total)) for done, total in re.findall(r"^(\d+) of (\d+) done: ", "\n".join(told), re.M)]
    assert counts
    first = counts[0][1]
    of_the_first = [done for done, total in counts if total == first]
    assert of_the_first == sorted(of_the_first)
    assert all(done < total for done, total in counts)
