"""Which fleet is meant: one order for every command, whoever is asked."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from providers.host import HostFacts
from providers.machine.facts import gather
from reconciler.context.bindings import read_bindings
from reconciler.context.settings import Settings
from reconciler.context.which_fleet import which_fleet
from reconciler.errors import NotFound
from reconciler.git.location import parse_place
from tests.builders import facts as facts_of
from tests.commands.calling import fleet
from tests.commands.repository import Repository


@pytest.fixture
def facts(tmp_path: Path) -> HostFacts:
    return facts_of(str(tmp_path / "home"))


def repository(path: Path) -> Path:
    path.mkdir(parents=True)
    (path / ".git").mkdir()
    (path / "roster.yaml").write_text("version: 1\n")
    return path


def has_run(facts: HostFacts, name: str, repo: str = "") -> None:
    state = Path(facts.state_home, "mosaic", name)
    state.mkdir(parents=True)
    (state / "status.json").write_text("{}")
    if repo:
        read_bindings(facts).bind(parse_place(repo), name)


def test_the_order(facts: HostFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is taken away in turn, and the next one counts."""
    here, only = repository(tmp_path / "here"), repository(tmp_path / "only")
    (here / "deep" / "er").mkdir(parents=True)
    has_run(facts, "only", str(only))
    monkeypatch.chdir(here / "deep" / "er")
    told, environ = Settings(source="/toml"), {"MOSAIC_FLEET": "/env"}
    found = [
        which_fleet("/given", told, facts, environ),
        which_fleet(None, told, facts, environ),
        which_fleet(None, told, facts, {}),
        which_fleet(None, told, facts, {}, has_run=True),
    ]
    monkeypatch.chdir(tmp_path)
    found += [which_fleet(None, told, facts, {}), which_fleet(None, Settings(), facts, {})]
    assert [(one.repository, one.name, one.by) for one in found if one] == [
        ("/given", None, "argument"),
        ("/env", None, "MOSAIC_FLEET"),
        (str(here), None, "this folder"),
        ("/toml", None, "reconcile.toml"),  # what is in this folder has not run here
        ("/toml", None, "reconcile.toml"),
        (str(only), "only", "this host"),
    ]


def test_nobody_and_too_many(facts: HostFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert which_fleet(None, Settings(), facts, {}) is None
    has_run(facts, "one")
    has_run(facts, "two")
    with pytest.raises(NotFound, match="several fleets run here: one, two"):
        which_fleet(None, Settings(), facts, {})


@pytest.mark.parametrize("variable", ["NOTIFY_SOCKET", "MOSAIC_TRIGGER"])
def test_a_unit_stands_in_no_folder(
    facts: HostFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.chdir(repository(tmp_path / "dotfiles"))
    found = which_fleet(None, Settings(source="/toml"), facts, {variable: "x"})
    assert found is not None
    assert found.by == "reconcile.toml"


def test_a_repository_of_something_else_is_no_fleet(
    facts: HostFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = repository(tmp_path / "fleet" / "src")
    (other / "roster.yaml").unlink()
    repository(tmp_path / "outer")
    monkeypatch.chdir(other)
    assert which_fleet(None, Settings(), facts, {}) is None


def test_the_name_in_a_pane_is_a_name_in_every_folder(
    facts: HostFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repository(tmp_path / "src" / "demo")
    has_run(facts, "demo", "/srv/fleet")
    monkeypatch.chdir(folder.parent)
    named = which_fleet(None, Settings(), facts, {"MOSAIC_FLEET": "demo"})
    path = which_fleet("demo", Settings(), facts, {})
    assert named is not None
    assert (named.repository, named.name) == ("/srv/fleet", "demo")
    assert path is not None
    assert (path.repository, path.name) == ("demo", None)


def test_a_password_is_not_written_down(facts: HostFacts) -> None:
    has_run(facts, "demo", "https://me:hunter2@example.org/fleet.git")
    assert "hunter2" not in (Path(facts.state_home) / "mosaic" / "sources.json").read_text()
    found = which_fleet("demo", Settings(), facts, {})
    assert found is not None
    with pytest.raises(NotFound, match="is not recorded on this host"):
        found.must_have_repository()


def test_bindings_of_an_older_version_are_read(facts: HostFacts) -> None:
    index = Path(facts.state_home, "mosaic", "sources.json")
    index.parent.mkdir(parents=True)
    key = parse_place("/srv/fleet").key
    index.write_text(json.dumps({key: "demo"}))
    assert read_bindings(facts).names == {key: "demo"}
    after = read_bindings(facts).bind(parse_place("/srv/fleet"), "demo")
    assert after.repositories == {"demo": "/srv/fleet"}
    assert read_bindings(facts) == after


def test_a_shell_may_stand_in_a_folder_that_is_gone(
    facts: HostFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    found = which_fleet(None, Settings(source="/toml"), facts, {})
    assert found is not None
    assert found.by == "reconcile.toml"


def test_files_count_where_somebody_stands(facts: HostFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a repository or not, and the folder itself rather than the root of what it is in; but never before what is
    named."""
    loose = tmp_path / "loose"
    loose.mkdir()
    (loose / "NORTH_STAR.yaml").write_text("version: 1\n")
    inner = repository(tmp_path / "outer") / "examples"
    inner.mkdir()
    (inner / "roster.yaml").write_text("version: 1\n")
    for folder in (loose, inner):
        monkeypatch.chdir(folder)
        found = which_fleet(None, Settings(source="/toml"), facts, {}, files=True)
        assert found is not None
        assert (found.repository, found.by) == (str(folder), "this folder")
        named = which_fleet(None, Settings(), facts, {"MOSAIC_FLEET": "/env"}, files=True)
        assert named is not None
        assert named.repository == "/env"
    usual = which_fleet(None, Settings(source="/toml"), facts, {})
    assert usual is not None
    assert usual.repository == str(inner.parent)


def test_the_repository_of_the_current_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a command is about what has run, only if it has; where it is about the files, whatever decides."""
    repo = Repository.make(tmp_path / "fleet")
    line = f"fleet repository: {repo.path} (from this folder)\n"
    monkeypatch.chdir(repo.path)
    assert fleet("stop", "coder0", "--dry-run").err.startswith(line)
    assert line not in fleet("stop", "coder0", "--dry-run", "--fleet", str(repo.path)).err
    assert line not in fleet("status").err
    has_run(gather(os.environ), "demo", str(repo.path))
    assert fleet("status").err.startswith(line)
    assert fleet("validate", "--json").err.startswith(line)
    monkeypatch.setenv("MOSAIC_FLEET", str(repo.path))
    assert line not in fleet("status").err
    monkeypatch.chdir(tmp_path)
    assert fleet("validate").err.startswith(f"fleet repository: {repo.path} (from MOSAIC_FLEET)\n")
