"""`reconcile`: its flags become options, its result becomes text, a document and an exit code."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import reconciler.run.run as run_module
from providers.base import HeldReason
from reconciler.errors import Refused
from reconciler.loop.result import RunOptions, RunResult, SourceSummary
from reconciler.model import Plan
from tests import builders as make
from tests.commands.calling import run

PENDING = make.plan(actions=(make.action(),))


class Runs:
    """Stands in for the loop; remembers what it was asked for."""

    def __init__(self) -> None:
        self.plan: Plan = make.plan()
        self.exit_code = 0
        self.error: Exception | None = None
        self.asked: list[RunOptions] = []
        self.warnings: tuple[str, ...] = ()
        self.news: SourceSummary | None = None

    def __call__(self, options: RunOptions, **_more: object) -> RunResult:
        self.asked.append(options)
        if self.error is not None:
            raise self.error
        return RunResult(
            plan=self.plan, outcomes=(), outcome="converged", exit_code=self.exit_code, passes=1, started_at=make.NOW,
            duration_s=0.1, status=make.status(plan=self.plan), warnings=self.warnings, intake=self.news,
            registry=make.REGISTRY, facts=make.facts("/home/ada"),
        )  # fmt: skip


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    stand_in = Runs()
    monkeypatch.setattr(run_module, "run", stand_in)
    return stand_in


def test_every_flag_arrives(runs: Runs) -> None:
    said = run(
        "/srv/fleet", "--agent", "coder0", "--allow-removals", "4", "--timeout", "1h30m", "--host", "build-1",
        "--no-fetch", "--allow-rewind", "--rebind-host",
    )  # fmt: skip
    assert said.code == 0
    assert runs.asked == [
        RunOptions(
            fleet="/srv/fleet", agents=("coder0",), allow_removals=4, timeout_s=5400.0, host="build-1", fetch=False,
            allow_rewind=True, rebind_host=True, trigger="manual",
        )
    ]  # fmt: skip


def test_the_plain_call(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOSAIC_TRIGGER", "timer")
    run("--timeout", "90")
    assert runs.asked == [RunOptions(trigger="timer", timeout_s=90.0)]


def test_a_preview_is_the_plan(runs: Runs) -> None:
    runs.plan = PENDING
    said = run("--dry-run")
    assert said.code == 0
    assert "Plan: 1 to start" in said.out
    assert said.err == ""
    document = json.loads(run("--dry-run", "-o", "json").out)
    assert (document["kind"], document["actions"][0]["verb"]) == ("Plan", "start")
    assert YAML(typ="safe").load(run("--dry-run", "-o", "yaml").out)["digest"] == document["digest"]
    assert all(options.dry_run for options in runs.asked)


def test_a_run_is_the_report(runs: Runs) -> None:
    assert run().out.startswith("No changes:")
    assert json.loads(run("-o", "json").out)["kind"] == "ReconcileReport"
    runs.exit_code = 3
    assert run().code == 3


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (make.plan(), 0),
        (PENDING, 2),
        (make.plan(held=(make.held(),)), 2),
        (make.plan(held=(make.held(HeldReason.SUSPENDED), make.held(HeldReason.PAUSED))), 0),
    ],
)
def test_two_is_for_pending_changes_only(runs: Runs, plan: Plan, code: int) -> None:
    runs.plan = plan
    assert run("--dry-run", "--detailed-exitcode").code == code
    assert run("--dry-run").code == 0


def test_an_error_outranks_pending_changes(runs: Runs) -> None:
    runs.plan, runs.exit_code = PENDING, 78
    assert run("--dry-run", "--detailed-exitcode").code == 78


@pytest.mark.parametrize(
    "args",
    [
        ["--detailed-exitcode"],
        ["--out", "p.json"],
        ["--dry-run", "--plan", "p.json"],
        ["--plan", "p.json", "--agent", "a"],
        ["--watch", "--dry-run"],
        ["--watch", "--plan", "p.json"],
        ["--allow-removals", "-1"],
        ["--timeout", "soon"],
        ["-o", "xml"],
        ["a", "b"],
    ],
)
def test_combinations_that_make_no_sense(runs: Runs, args: list[str]) -> None:
    assert run(*args).code == 64
    assert runs.asked == []


def test_a_plan_is_kept_and_handed_in(runs: Runs, tmp_path: Path) -> None:
    runs.plan = PENDING
    path = tmp_path / "plan.json"
    assert run("--dry-run", "--out", str(path)).code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert run("--plan", str(path)).code == 0
    given = runs.asked[-1].plan_in
    assert given is not None
    assert given["digest"] == json.loads(path.read_text())["digest"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"kind": "FleetStatus"}', b"\xff", b"[" * 100_000])
def test_what_is_no_plan_is_refused(runs: Runs, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    said = run("--plan", str(path))
    assert said.code == 78
    assert "not a plan document" in said.err
    assert runs.asked == []


def test_a_plan_that_is_not_there(runs: Runs, tmp_path: Path) -> None:
    assert run("--plan", str(tmp_path / "no.json")).code == 4
    assert runs.asked == []


def test_a_plan_that_cannot_be_kept(runs: Runs, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert run("--dry-run", "--out", str(tmp_path / "file/plan.json")).code == 1
    assert runs.asked


def test_a_plan_goes_through_what_is_no_file_and_does_not_replace_it(runs: Runs, tmp_path: Path) -> None:
    runs.plan = PENDING
    (tmp_path / "real").write_text("before, and longer than nothing")
    (tmp_path / "link").symlink_to("real")
    assert run("--dry-run", "--out", str(tmp_path / "link")).code == 0
    assert (tmp_path / "link").is_symlink()
    assert json.loads((tmp_path / "real").read_text())["kind"] == "Plan"
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run("--dry-run", "--out", str(tmp_path / "fifo")).code == 0
        assert json.loads(os.read(reader, 1 << 16))["kind"] == "Plan"
    finally:
        os.close(reader)
    assert (tmp_path / "fifo").is_fifo()


def test_a_refusal(runs: Runs) -> None:
    runs.error = Refused("the plan is stale", help="make a new one")
    said = run()
    assert (said.code, said.out) == (5, "")
    assert "error: the plan is stale\nhelp: make a new one" in said.err


def test_what_else_is_to_be_said_goes_to_stderr(runs: Runs) -> None:
    runs.warnings = ("inventory.json is damaged",)
    runs.news = SourceSummary(spec="/srv/fleet", subject="s", problems=("warning: odd class",), dirty=("roster.yaml",))
    said = run("-o", "json")
    json.loads(said.out)
    assert said.err == (
        "warning: odd class\nwarning: edits that are not committed are not applied: roster.yaml\n"
        "warning: inventory.json is damaged\n"
    )


def test_a_rejected_commit_is_named(runs: Runs) -> None:
    runs.exit_code = 78
    runs.news = SourceSummary(spec="/srv/fleet", subject="s", rejected="error: commit bbbb is not a valid fleet")
    said = run()
    assert said.code == 78
    assert "error: commit bbbb is not a valid fleet" in said.err


def test_a_resident_loop_speaks_when_there_is_something_new(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    import reconciler.resident.watch as watch_module

    def stay(options: RunOptions, tell: object, *, complain: object) -> int:
        assert options.trigger == "watch"
        assert callable(tell)
        assert callable(complain)
        quiet = runs(options)
        acted = replace(quiet, outcomes=(make.outcome(),))
        for result in (quiet, quiet, acted, acted, quiet, replace(quiet, outcome="failed")):
            tell(result)
        complain(Refused("no"))
        return 143

    monkeypatch.setattr(watch_module, "watch", stay)
    said = run("--watch", "-o", "json")
    assert said.code == 143
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [(len(one["actions"]), one["outcome"]) for one in lines] == [
        (0, "converged"),
        (1, "converged"),
        (1, "converged"),
        (0, "failed"),
    ]
    assert said.err == "error: no\n"
    assert len(run("--watch").out.splitlines()) == 6
