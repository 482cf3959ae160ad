"""What a run is followed by: the next step where there is one, and the command that a preview was of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.commands.run_output import applied_by, next_step
from reconciler.loop.result import RunOptions, RunResult, SourceSummary
from tests import builders as make
from tests.golden import runs


def ended(**more: Any) -> RunResult:
    usual: dict[str, Any] = {
        "outcomes": (make.outcome(),),
        "outcome": "converged",
        "exit_code": 0,
        "intake": SourceSummary(spec="/srv/fleet", subject="first"),
    }
    return runs.result(make.plan(), **{**usual, **more})


def test_after_success_there_is_a_next_step() -> None:
    assert next_step(ended()) == "mosaic fleet ps; keep it so: mosaic fleet install /srv/fleet"


@pytest.mark.parametrize("install", ["timer", "watch"])
def test_a_host_that_is_kept_so_is_not_asked_to_be(install: str) -> None:
    assert next_step(ended(install=install)) == "mosaic fleet ps"


@pytest.mark.parametrize("outcome", ["partial", "failed", "held", "paused", "refused"])
def test_there_is_none_after_anything_else(outcome: str) -> None:
    assert next_step(ended(outcome=outcome)) == ""


def test_there_is_none_where_nothing_was_done() -> None:
    assert next_step(ended(outcomes=())) == ""


def test_no_password_is_repeated() -> None:
    spec = "https://ada:secret@example.org/fleet.git"
    assert "secret" not in next_step(ended(intake=SourceSummary(spec=spec, subject="first")))
    assert "secret" not in applied_by(RunOptions(fleet=spec), None)


@pytest.mark.parametrize(
    ("options", "out", "command"),
    [
        (RunOptions(), None, "reconcile"),
        (RunOptions(fleet="/srv/the fleet"), None, "reconcile '/srv/the fleet'"),
        (RunOptions(fleet="/srv/fleet"), Path("p.json"), "reconcile --plan p.json"),
        (
            RunOptions(agents=("a", "b"), allow_removals=4, host="build-1", fetch=False, allow_rewind=True),
            None,
            "reconcile --agent a --agent b --allow-removals 4 --host build-1 --allow-rewind --no-fetch",
        ),
    ],
)
def test_a_preview_names_the_command_that_does_it(options: RunOptions, out: Path | None, command: str) -> None:
    assert applied_by(options, out) == command


def test_the_home_is_written_as_people_write_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert applied_by(RunOptions(fleet="/home/ada/fleet"), None) == "reconcile ~/fleet"
    assert applied_by(RunOptions(fleet="/home/ada/my fleet"), None) == "reconcile ~/'my fleet'"
    assert applied_by(RunOptions(fleet="/home/adam/fleet"), None) == "reconcile /home/adam/fleet"
