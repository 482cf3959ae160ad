"""A shipped contract that has changed under an operator's own is a warning, and never applied over it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.context.host import HostContext
from reconciler.loop.result import RunOptions, RunResult
from reconciler.run.run import run
from specs import library
from specs.fleet_files import spec_path
from specs.loading.load import load
from specs.personas import persona
from specs.personas.files import base_path
from specs.personas.persona import outdated, shipped_one
from specs.types.repository_extras import read_own
from tests.specs.helpers import agents, only
from tests.world import FACTS, World

ROSTER = agents("name: a, runtime: claude, class: code", "name: b, runtime: claude, class: implementer").encode()


def override(base: str, body: str = "## Persona\n\nCalm.\n") -> bytes:
    return f'---\nclass: code\nbase: "{base}"\n---\n{body}'.encode()


def digest() -> str:
    found = shipped_one("code")
    assert found is not None
    return found.digest


def test_an_older_base_is_a_warning_with_its_place() -> None:
    loaded = load({"roster.yaml": ROSTER, "roles/code.md": override("0123456789ab")})
    problem = only(loaded, 'the shipped contract of "code" has changed')
    assert (problem.file, problem.line, problem.column, problem.severity) == ("roles/code.md", 3, 7, "warning")
    assert problem.source == 'base: "0123456789ab"'
    assert "mosaic fleet persona diff code" in str(problem.help)
    assert loaded.ok
    assert loaded.held == {}
    assert "Calm." in loaded.roles["code"].text


@pytest.mark.parametrize("raw", [override("0123456789ab").replace(b'base: "0123456789ab"\n', b""), None])
def test_nothing_is_said_without_a_base_or_with_the_present_one(raw: bytes | None) -> None:
    loaded = load({"roster.yaml": ROSTER, "roles/code.md": override(digest()) if raw is None else raw})
    assert loaded.problems == ()
    assert not outdated(loaded.roles["code"])


def test_an_upgrade_is_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"roster.yaml": ROSTER, "roles/code.md": override(digest())}
    assert load(files).problems == ()
    text = library.text("personas/code.md").replace("## Persona\n", "## Persona\n\nNew in this version.\n")
    real = library.text
    monkeypatch.setattr(library, "text", lambda name: text if name == "personas/code.md" else real(name))
    for cached in (persona.shipped_one, persona.shipped):
        cached.cache_clear()
    try:
        loaded = load(files)
        assert only(loaded, "has changed since").line == 3
        resolved = read_own(files).resolve("implementer")
        assert resolved is not None
        assert "Calm." in resolved.text
        assert "New in this version." not in resolved.text, "the shipped one is never applied over an own one"
    finally:
        for cached in (persona.shipped_one, persona.shipped):
            cached.cache_clear()


def test_what_is_kept_of_the_shipped_one_is_no_contract() -> None:
    assert not spec_path(base_path("code"))
    files = {"roster.yaml": ROSTER, base_path("code"): b"anything", "roles/.base/x.yaml": b"\xff"}
    assert load(files).problems == ()
    assert load(files).roles == {}
    assert read_own(files).personas == {}


@pytest.fixture
def fleet_folder(tmp_path: Path) -> Path:
    made = tmp_path / "fleet"
    made.mkdir()
    roster = {"version": 1, "agents": [{"name": "a", "runtime": "stub", "class": "worker"}]}
    (made / "roster.yaml").write_text(json.dumps(roster))
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=made, check=True)
    return made


@pytest.fixture
def world_run(tmp_path: Path, fleet_folder: Path) -> Callable[..., RunResult]:
    facts = replace(
        FACTS, state_home=f"{tmp_path}/state", config_home=f"{tmp_path}/config", runtime_dir=f"{tmp_path}/run"
    )
    world = World(facts)
    here = HostContext(
        host=world, environ={}, sleep=world.advance, wall=lambda: world.now, monotonic=lambda: world.elapsed
    )
    return lambda **wishes: run(RunOptions(fleet=str(fleet_folder), **wishes), here)


def test_who_asks_is_told_each_time_and_the_loop_once(world_run: Callable[..., RunResult], fleet_folder: Path) -> None:
    """An override from before an upgrade: what a run said once, a preview still says."""
    (fleet_folder / "roles").mkdir()
    (fleet_folder / "roles/code.md").write_bytes(override("0123456789ab"))
    for words in (["add", "."], ["commit", "-q", "-m", "second"]):
        subprocess.run(["git", *words], cwd=fleet_folder, check=True)
    news = world_run(dry_run=True).intake
    assert news is not None
    assert "roles/code.md:3:7" in news.problems[0]
    first, second, preview = world_run(), world_run(), world_run(dry_run=True)
    assert first.exit_code == second.exit_code == 0
    assert first.intake is not None
    assert any("roles/code.md:3:7" in problem for problem in first.intake.problems)
    assert second.warnings == ()
    assert preview.warnings == (
        "roles/code.md: the shipped contract has changed since this was written over it; "
        "mosaic fleet persona diff code shows what",
    )
