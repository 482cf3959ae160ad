"""`mosaic fleet ...`: everything around the loop, on a home of its own."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

import reconciler.commands.reconcile as reconcile_module
from providers.host import HostFacts
from providers.machine.facts import gather
from reconciler.context.settings import Settings, settings_path, write_settings
from reconciler.loop.result import RunOptions
from reconciler.model import AgentHistory, History
from reconciler.schemas.registry import schema_of
from reconciler.state.event_log import read_events
from reconciler.state.lock import run_lock
from reconciler.state.pause import read_pause
from reconciler.state.store import Store
from tests import builders as make
from tests.commands.calling import fleet
from tests.documents import read

ROSTER = """\
version: 1
transport: tmux
agents:
  - {name: coder0, runtime: stub, class: implementer, host: build-1}
  - {name: coder1, runtime: stub, class: implementer, host: build-2}
"""


@pytest.fixture
def facts(isolated: Path) -> HostFacts:
    del isolated
    return gather(os.environ)


@pytest.fixture
def store(facts: HostFacts) -> Store:
    """A fleet that has run once: coder0, with a history."""
    made = Store.open(facts, "demo")
    made.save_status(make.status(plan=make.plan(held=(make.held(agent="coder0"),))))
    made.save_history(
        History(agents={"coder0": AgentHistory(attempts=3, delay=300.0, quarantined_since=5.0, restarts=3)})
    )
    return made


@pytest.fixture
def resident(store: Store) -> Iterator[socket.socket]:
    """Somebody who listens to the trigger socket."""
    store.guard(store.runtime / "trigger.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(store.runtime / "trigger.sock"))
        listener.settimeout(5)
        yield listener


def test_status_in_three_forms(store: Store) -> None:
    text = fleet("status")
    assert text.code == 0
    assert "fleet demo of ada on build-1" in text.out
    document = json.loads(fleet("status", "-o", "json").out)
    jsonschema.Draft202012Validator(schema_of("status")).validate(document)
    assert fleet("status", "-o", "yaml").out.startswith("apiVersion: mosaic.fleet/v1\nkind: FleetStatus\n")
    assert fleet("status", "--fleet", "demo").code == 0
    del store


def test_status_shows_the_kill_switch_as_it_is_now(store: Store) -> None:
    assert fleet("pause", "--reason", "a storm", "--by", "ada").code == 0
    assert re.search(r"PAUSED by ada \d+\w ago: a storm", fleet("status").out)
    fleet("suspend", "coder0", "--reason", "pairing", "--for", "2h")
    assert "suspended: coder0 by" in fleet("status").out
    fleet("resume")
    assert "PAUSED" not in fleet("status").out
    del store


def test_status_looks_and_touches_nothing(store: Store) -> None:
    (store.state / "history.json").write_bytes(b"{")
    (store.state / "suspend.json").write_bytes(b"{")
    before = {path: path.stat().st_mtime_ns for path in store.state.rglob("*")}
    said = fleet("status")
    assert "warning:" in said.err or "suspended: the whole fleet" in said.out
    assert {path: path.stat().st_mtime_ns for path in store.state.rglob("*")} == before


def test_no_fleet_yet(facts: HostFacts) -> None:
    del facts
    said = fleet("status")
    assert said.code == 4
    assert said.err


def test_several_fleets(store: Store, facts: HostFacts) -> None:
    del store
    Store.open(facts, "other").save_status(make.status())
    assert fleet("status").code == 4
    assert "demo, other" in fleet("status").err
    assert fleet("status", "--fleet", "other").code == 0
    assert "known here: demo, other" in fleet("status", "--fleet", "/srv/none").err


def test_pause_and_resume(facts: HostFacts) -> None:
    assert fleet("pause", "--reason", "a storm").code == 0
    found = read_pause(facts)
    assert found is not None
    assert (found.reason, found.by) == ("a storm", facts.user)
    for _ in range(2):  # a second time, it is not paused
        assert fleet("resume").code == 0
        assert read_pause(facts) is None


def test_a_sync_that_is_only_asked_for_says_so(resident: socket.socket) -> None:
    document = read(fleet("sync", "-o", "json").out)
    assert (document["kind"], document["asked"], document["fleet"]) == ("Sync", True, "demo")
    assert resident.recv(64) == b"look"


def test_a_pause_wakes_the_resident_loop(resident: socket.socket) -> None:
    fleet("pause", "--reason", "a storm")
    assert resident.recv(64)
    fleet("resume")
    assert resident.recv(64)


@pytest.mark.parametrize("command", [("install", "/srv/fleet"), ("install", "--watch"), ("uninstall",)])
def test_while_it_is_paused_nothing_is_installed_or_uninstalled(facts: HostFacts, command: tuple[str, ...]) -> None:
    path = settings_path(facts.config_home)
    write_settings(path, Settings(source="/srv/fleet", install="timer"))
    fleet("pause", "--reason", "a storm", "--by", "ada")
    before = {one: one.stat().st_mtime_ns for one in Path(facts.home).rglob("*")}
    said = fleet(*command)
    assert said.code == 5
    assert f"mosaic fleet {command[0]}" in said.err
    assert {one: one.stat().st_mtime_ns for one in Path(facts.home).rglob("*")} == before
    assert path in before


def test_suspend_and_lift(store: Store) -> None:
    said = fleet("suspend", "coder0", "--reason", "pairing", "--for", "2h", "--by", "ada")
    assert said.code == 0
    found = store.load_suspensions()["coder0"]
    assert (found.reason, found.by) == ("pairing", "ada")
    assert found.until is not None
    assert 7100 < found.until - time.time() < 7300
    assert fleet("resume", "coder0").code == 0
    assert store.load_suspensions() == {}
    assert fleet("unsuspend", "coder0").code == 4


def test_suspend_everything(store: Store) -> None:
    assert fleet("suspend", "--all", "--reason", "moving house").code == 0
    assert store.load_suspensions()["*"].until is None
    for _ in range(2):  # a second time, nobody is suspended
        assert fleet("unsuspend", "--all").code == 0
        assert store.load_suspensions() == {}


def test_only_a_known_agent_is_suspended(store: Store) -> None:
    said = fleet("suspend", "codre0", "--reason", "x")
    assert said.code == 4
    assert "coder0" in said.err
    assert store.load_suspensions() == {}


def test_release_forgets_the_crashes(store: Store) -> None:
    assert fleet("release", "coder0").code == 0
    found = store.load_history(now=make.NOW).agents["coder0"]
    assert (found.attempts, found.delay, found.quarantined_since, found.restarts) == (0, 0.0, 0.0, 3)
    assert [one["type"] for one in read_events(store)] == ["released"]
    assert fleet("release", "nobody").code == 4


def test_release_waits_for_a_run_but_not_for_ever(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.commands.change.release.LOCK_WAIT_S", 0.1)
    with run_lock(store, now=make.NOW, command="reconcile"):
        said = fleet("release", "coder0")
    assert said.code == 75
    assert "reconcile" in said.err


def test_no_holder_change_is_held(store: Store) -> None:
    del store
    assert fleet("release", "--holder").code == 4


def test_sync_pokes_the_resident_loop(resident: socket.socket) -> None:
    assert fleet("sync").code == 0
    assert resident.recv(64) == b"look"


def test_sync_without_one_runs_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[RunOptions] = []

    def once(options: RunOptions, *_rest: object) -> int:
        asked.append(options)
        return 3

    monkeypatch.setattr(reconcile_module, "run_and_report", once)
    assert fleet("sync").code == 3
    assert asked == [RunOptions(trigger="sync")]
    store.guard(store.runtime / "trigger.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as gone:
        gone.bind(str(store.runtime / "trigger.sock"))  # left behind by a loop that was killed
    assert fleet("sync").code == 3


def test_validate_a_good_fleet(tmp_path: Path) -> None:
    (tmp_path / "roster.yaml").write_text(ROSTER)
    (tmp_path / "fleet.yaml").write_text("version: 1\nname: demo\nfloor: none\nhosts: [build-1, build-2]\n")
    said = fleet("validate", str(tmp_path))
    assert (said.code, said.out) == (0, "valid: fleet demo, 2 agents; 0 errors, 0 warnings\n")
    assert "1 of them on build-1: coder0" in fleet("validate", str(tmp_path), "--host", "build-1").out
    document = read(fleet("validate", str(tmp_path / "roster.yaml"), "--host", "build-2", "-o", "json").out)
    assert (document["valid"], document["host_agents"]) == (True, ["coder1"])


def test_validate_tells_every_problem(tmp_path: Path) -> None:
    (tmp_path / "roster.yaml").write_text(ROSTER.replace("runtime: stub", "runtime: stbu"))
    (tmp_path / "fleet.yaml").write_text("version: 1\nnmae: demo\n")
    said = fleet("validate", str(tmp_path))
    assert said.code == 78
    assert "roster.yaml:4" in said.err
    assert "fleet.yaml:2" in said.err
    assert said.out.startswith("invalid: ")
    document = read(fleet("validate", str(tmp_path), "-o", "json").out)
    assert document["valid"] is False
    assert {problem["file"] for problem in document["problems"]} >= {"roster.yaml", "fleet.yaml"}


def test_validate_nothing(tmp_path: Path) -> None:
    assert fleet("validate", str(tmp_path / "none")).code == 4
    assert fleet("validate", str(tmp_path)).code == 78


@pytest.mark.parametrize("which", ["roster", "fleet", "north-star", "plan", "report", "status", "event"])
def test_every_schema_is_one(which: str) -> None:
    said = fleet("schema", which)
    assert said.code == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(said.out))
