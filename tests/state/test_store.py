"""The store: what goes in comes out; what is damaged leads to no guess; a preview writes nothing."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.base import HeldReason
from reconciler.errors import InvalidConfig
from reconciler.helpers.sealed_json import Damaged, seal, unseal
from reconciler.model import AgentHistory, History, Inventory, Owned
from reconciler.state import store as store_module
from reconciler.state.codec import (
    history_from_json,
    history_to_json,
    inventory_from_json,
    inventory_to_json,
    suspensions_from_json,
    suspensions_to_json,
)
from reconciler.state.store import CAREFUL_DELAY_S, ReadOnlyStore, StateError, Store
from specs.compiled import Agent, Fleet, Limits, Suspension
from tests import builders as make
from tests.materials import parsed

NOW = make.NOW
NAMES = st.text("abcXYZ019_.-@ü\n", min_size=1, max_size=12)
TIMES = st.floats(min_value=0, max_value=4e9, allow_nan=False)
HISTORIES = st.builds(
    History,
    agents=st.dictionaries(
        NAMES,
        st.builds(
            AgentHistory,
            launch_digest=st.text(max_size=8),
            attempts=st.integers(0, 99),
            delay=TIMES,
            last_start=TIMES,
            starts=st.lists(TIMES, max_size=3).map(tuple),
            quarantined_since=TIMES,
            healthy_since=TIMES,
            waiting_since=TIMES,
            restarts=st.integers(0, 99),
            in_sync_since=TIMES,
        ),
        max_size=4,
    ),
    heals=st.lists(TIMES, max_size=3).map(tuple),
    holder_release=st.text(max_size=8),
    reload_due=st.booleans(),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
INVENTORIES = st.builds(
    Inventory,
    agents=st.dictionaries(
        NAMES,
        st.builds(
            Owned,
            agent_class=st.text(max_size=8),
            socket=st.text(max_size=8),
            launch_digest=st.text(max_size=8),
            launch=st.dictionaries(st.text(max_size=5), JSON, max_size=3),
        ),
        max_size=4,
    ),
    files=st.frozensets(st.text(max_size=12), max_size=4),
    floor=st.sampled_from(["two-agent", "none"]),
)
SUSPENSIONS = st.dictionaries(
    NAMES,
    st.builds(Suspension, reason=st.text(max_size=9), by=st.text(max_size=9), until=st.none() | TIMES),
    max_size=4,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state", tmp_path / "run")


def again(store: Store, *, read_only: bool = False) -> Store:
    """Another process."""
    return Store(store.state, store.runtime, read_only=read_only)


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in root.rglob("*") if p.is_file()}


@settings(deadline=None)  # the machine may be busy
@given(HISTORIES)
def test_history_survives_its_file(history: History) -> None:
    assert history_from_json(unseal(seal(history_to_json(history)))) == history


@settings(deadline=None)  # the machine may be busy
@given(INVENTORIES)
def test_inventory_survives_its_file(inventory: Inventory) -> None:
    assert inventory_from_json(unseal(seal(inventory_to_json(inventory)))) == inventory


@settings(deadline=None)  # the machine may be busy
@given(SUSPENSIONS)
def test_suspensions_survive_their_file(suspended: dict[str, Suspension]) -> None:
    assert suspensions_from_json(unseal(seal(suspensions_to_json(suspended)))) == suspended


@settings(deadline=None)  # the machine may be busy
@given(HISTORIES, st.data())
def test_no_damage_goes_unnoticed(history: History, data: st.DataObject) -> None:
    raw = seal(history_to_json(history))
    how = data.draw(st.sampled_from(["cut", "flip", "insert"]))
    at = data.draw(st.integers(0, len(raw) - 1))
    byte = data.draw(st.integers(0, 255))
    torn = {
        "cut": raw[:at],
        "flip": raw[:at] + bytes([byte]) + raw[at + 1 :],
        "insert": raw[:at] + bytes([byte]) + raw[at:],
    }[how]
    try:
        read = history_from_json(unseal(torn))
    except Damaged:
        return
    assert read == history  # only white space in the head can change unnoticed


@settings(deadline=None)  # the machine may be busy
@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(raw: bytes) -> None:
    with pytest.raises(Damaged):
        unseal(raw)


@settings(deadline=None)  # the machine may be busy
@given(JSON)
def test_no_value_crashes_a_codec(value: object) -> None:
    for parse in (history_from_json, inventory_from_json, suspensions_from_json):
        try:
            parse(value)
        except Damaged:
            continue


def test_every_field_is_kept() -> None:
    """Somebody who adds a field to the model is told here that it has to be stored."""
    kept = history_to_json(
        History(agents={"a": AgentHistory(**{f.name: _other(f.name) for f in fields(AgentHistory)})})
    )
    assert kept.keys() == {field.name for field in fields(History)}
    assert parsed(kept["agents"])["a"].keys() == {field.name for field in fields(AgentHistory)}
    inventory = inventory_to_json(Inventory(agents={"a": Owned(agent_class="c", socket="")}))
    assert inventory.keys() == {field.name for field in fields(Inventory)}
    assert parsed(inventory["agents"])["a"].keys() == {field.name for field in fields(Owned)}


def _other(name: str) -> Any:
    return {"launch_digest": "x", "starts": (1.0,)}.get(name, 7)


def test_nothing_yet(store: Store) -> None:
    assert store.load_inventory() == Inventory()
    assert store.load_history(now=NOW) == History()
    assert store.load_suspensions() == {}
    assert store.load_status() is None
    assert not store.state.exists()


def test_what_is_saved_is_private_and_loaded_by_the_next(store: Store) -> None:
    inventory = Inventory(agents={"a": Owned(agent_class="coder", socket="")}, files=frozenset({"/x"}))
    history = History(agents={"a": AgentHistory(attempts=2, starts=(1.5,))}, reload_due=True)
    old = os.umask(0)
    try:
        store.save_inventory(inventory)
        store.save_history(history)
    finally:
        os.umask(old)
    assert again(store).load_inventory() == inventory
    assert again(store).load_history(now=NOW) == history
    assert store.state.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in store.state.iterdir())


def test_what_has_not_changed_is_not_written_again(store: Store) -> None:
    store.save_history(History(heals=(1.0,)))
    before = tree(store.state)
    store.save_history(History(heals=(1.0,)))
    other = again(store)
    other.save_history(other.load_history(now=NOW))
    assert tree(store.state) == before


def test_another_process_is_seen(store: Store) -> None:
    store.save_history(History(heals=(1.0,)))
    again(store).save_history(History(heals=(2.0, 3.0)))
    assert store.load_history(now=NOW).heals == (2.0, 3.0)


DAMAGE = {
    "empty": b"",
    "cut": b'{"format": 1, "sha256": "00"',
    "not json": b"\xff\xfe\x00",
    "another shape": b"[]",
    "another version": seal({}).replace(b'"format": 1', b'"format": 99'),
    "wrong checksum": seal({"agents": {}}).replace(b"agents", b"agentz"),
    "wrong types": seal({"agents": [1]}),
    "wrong inside": seal({"agents": {"a": {"attempts": "many", "agent_class": 1}}}),
    "deep": b'{"format":1,\n"data":' + b"[" * 100_000,
    "infinite": b'{"format": 1, "sha256": "x",\n"data":Infinity}\n',
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_inventory_owns_nothing(store: Store, damage: bytes) -> None:
    store.save_inventory(Inventory(agents={"a": Owned(agent_class="c", socket="")}))
    (store.state / "inventory.json").write_bytes(damage)
    fresh = again(store)
    assert fresh.load_inventory() == Inventory()
    assert (store.state / "inventory.json.corrupt").read_bytes() == damage
    assert len(fresh.warnings) == 1
    assert "inventory.json is damaged" in fresh.warnings[0]
    assert again(store).load_inventory() == Inventory()


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_history_makes_everybody_wait(store: Store, damage: bytes) -> None:
    store.save_inventory(Inventory(agents={"a": Owned(agent_class="c", socket="", launch_digest="d1")}))
    quarantined = History(agents={"coder0": AgentHistory(quarantined_since=NOW - 9, restarts=7)})
    store.save_status(make.status(history=quarantined))
    store.save_history(History(agents={"a": AgentHistory(attempts=9)}))
    (store.state / "history.json").write_bytes(damage)
    found = again(store).load_history(now=NOW)
    assert found.agents["a"].launch_digest == "d1"
    assert found.agents["coder0"].quarantined_since == NOW - 9
    assert found.agents["coder0"].restarts == 7
    assert all(one.last_start == NOW and one.delay == CAREFUL_DELAY_S for one in found.agents.values())
    assert found.reload_due
    assert again(store).load_history(now=NOW + 5) == found  # it was written down, so it does not begin anew


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_damaged_suspensions_suspend_everything(store: Store, damage: bytes) -> None:
    store.save_suspensions({"a": Suspension(reason="r", by="b", until=None)})
    (store.state / "suspend.json").write_bytes(damage)
    found = again(store).load_suspensions()
    assert found.keys() == {"*"}
    assert again(store).load_suspensions() == found
    store.save_suspensions({})
    assert again(store).load_suspensions() == {}


@pytest.mark.parametrize("damage", [*DAMAGE.values(), b'{"apiVersion": "mosaic.fleet/v1", "kind": "FleetStatus"}'])
def test_a_damaged_status_is_none(store: Store, damage: bytes) -> None:
    store.save_status(make.status())
    (store.state / "status.json").write_bytes(damage)
    assert again(store).load_status() is None


def test_a_folder_in_place_of_a_file_is_damage(store: Store) -> None:
    (store.state / "inventory.json").mkdir(parents=True)
    assert store.load_inventory() == Inventory()
    assert (store.state / "inventory.json.corrupt").is_dir()


def test_a_preview_writes_nothing_not_even_about_damage(store: Store) -> None:
    for name in ("inventory", "history", "suspend", "status"):
        store.write(store.state / f"{name}.json", b"{")
    before = tree(store.state)
    preview = again(store, read_only=True)
    assert preview.load_inventory() == Inventory()
    assert preview.load_suspensions().keys() == {"*"}
    assert preview.load_history(now=NOW).reload_due
    assert preview.load_status() is None
    assert len(preview.warnings) == 4
    writes: tuple[Callable[[], object], ...] = (
        lambda: preview.save_inventory(Inventory()),
        lambda: preview.save_history(History()),
        lambda: preview.save_suspensions({}),
        lambda: preview.save_status(make.status()),
        lambda: preview.save_desired(FLEET, inputs="i"),
        lambda: preview.write(preview.state / "x", "x"),
        lambda: preview.guard(preview.runtime / "x"),
    )
    for write in writes:
        with pytest.raises(ReadOnlyStore):
            write()
    assert tree(store.state) == before
    assert not store.runtime.exists()


def test_a_full_disk_is_said_and_harms_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save_history(History(heals=(1.0,)))

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} for {len(content)} bytes", str(path))

    monkeypatch.setattr(store_module, "write_atomic", full)
    with pytest.raises(StateError) as raised:
        store.save_history(History(heals=(2.0,)))
    assert str(store.state / "history.json") in raised.value.message
    assert "make room" in raised.value.help
    assert again(store).load_history(now=NOW).heals == (1.0,)


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    store = Store(tmp_path / "state" / "demo", tmp_path / "run")
    with pytest.raises(StateError):
        store.save_history(History())


FLEET = Fleet(
    name="demo", tenant_id="ada", host="build-1", revision=make.SHA, socket="", holder_session="h",
    agents=(
        Agent(name="a", session="a", agent_class="coder", runtime="stub", state="running", socket="",
              working_directory="/w", argv=("stub",), process_names=("stub",), env=(), path=(), limits=Limits(),
              model=None, native_heartbeat=True, reset_command=None, submit_key="Enter", depends_on=(), alias=None,
              generation=0),
    ),
)  # fmt: skip


def test_the_compiled_fleet_is_for_one_commit_host_and_input(store: Store) -> None:
    store.save_desired(FLEET, inputs="i1")
    fresh = again(store)
    assert fresh.load_desired(revision=make.SHA, host="build-1", inputs="i1") == FLEET
    assert fresh.load_desired(revision="other", host="build-1", inputs="i1") is None
    assert fresh.load_desired(revision=make.SHA, host="other", inputs="i1") is None
    assert fresh.load_desired(revision=make.SHA, host="build-1", inputs="i2") is None


@settings(deadline=None)  # the machine may be busy
@given(st.data())
def test_a_damaged_compiled_fleet_is_none_or_itself(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), Path(folder, "run"))
        store.save_desired(FLEET, inputs="i1")
        path = store.state / "desired.json"
        raw = bytearray(path.read_bytes())
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(bytes(raw))
        assert again(store).load_desired(revision=make.SHA, host="build-1", inputs="i1") in (None, FLEET)


@pytest.mark.parametrize("name", ["", "..", "a/b", "-a", ".a", "a\n", "a b"])
def test_a_fleet_name_is_a_folder_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig):
        Store.open(make.facts(str(tmp_path)), name)


def test_where_a_fleet_is_kept(tmp_path: Path) -> None:
    store = Store.open(make.facts(str(tmp_path)), "demo")
    assert store.state == tmp_path / "state/mosaic/demo"
    assert store.runtime == tmp_path / "run/mosaic/demo"


def test_what_a_killed_run_left_is_swept(store: Store) -> None:
    store.save_history(History())
    (store.state / ".history.json.123.abcd.tmp").write_text("half")
    store.sweep()
    assert [path.name for path in store.state.iterdir()] == ["history.json"]


def test_status_survives_its_file(store: Store) -> None:
    saved = make.status(plan=make.plan(held=(make.held(HeldReason.WORKING, changes=(make.change(),)),)))
    store.save_status(saved)
    assert again(store).load_status() == saved
