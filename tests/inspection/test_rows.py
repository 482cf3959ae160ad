"""Rows: every agent has one, each kind of disagreement is told, and what is wrong comes first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.base import Kind
from reconciler.listing.document import listing_document, rows_back, steady
from reconciler.listing.row import Row, Sync, in_order, silent_host
from reconciler.model import Readiness
from specs.compiled import Fleet, Suspension
from tests.inspection.seen import listed, listing, names, row, rows
from tests.laws.driver import MemoryStore, reconciler
from tests.materials import parsed
from tests.strategies import SOCKET, Event, events, fleets, make_agent, make_fleet
from tests.world import World

FLEET = make_fleet(
    make_agent("coder"),
    make_agent("other"),
    make_agent("thinker", runtime="claude"),
    make_agent("off", state="stopped"),
    make_agent("tomb", state="absent"),
)


def started() -> tuple[World, MemoryStore]:
    """All is well, and has been for ten minutes."""
    world, store = World(), MemoryStore()
    reconciler(world, store).converge(FLEET)
    world.advance(600.0)
    answered(world)
    return world, store


def answered(world: World) -> None:
    """Somebody answers for the agent that does not do so itself."""
    found = world.find("thinker")
    if found is not None:
        world.heartbeat("thinker", pid=found[1].pid)
        file = world.files[f"{world.facts.run_dir}/thinker.hb"]
        file.content = file.content.rstrip("\n") + " source=sidecar\n"


def test_all_is_well() -> None:
    world, store = started()
    found = rows(world, store, FLEET)
    assert {(one.name, one.state, one.sync) for one in found.values()} == {
        ("coder", "available", Sync.SYNCED),
        ("other", "available", Sync.SYNCED),
        ("thinker", "available", Sync.SYNCED),
        ("off", "stopped", Sync.SYNCED),
        ("tomb", "absent", Sync.SYNCED),
    }
    assert not any(one.wrong or one.problems for one in found.values())
    assert found["off"].why == "declared stopped"
    assert found["coder"].up == 600.0
    assert not listing(world, store, FLEET).wrong


Trouble = Callable[[World], None]
UNIT = "mosaic-agent@coder.service"


@pytest.mark.parametrize(
    ("trouble", "readiness", "sync", "why"),
    [
        (
            lambda world: world.kill_pane("coder", status=3),
            "dead", "drifted", "its unit is active, but its pane is dead (its program has ended with status 3)",
        ),
        (lambda world: world.kill_session("coder"), "dead", "missing", "its unit is active, but it has no session"),
        (
            lambda world: world.unit_inactive(UNIT),
            "available", "drifted", "its session lives, but its unit is inactive",
        ),
        (lambda world: world.unit_failed(UNIT), "available", "drifted", "its session lives, but its unit is failed"),
        (
            lambda world: world.remove_wants_link(UNIT),
            "available", "drifted", "it is not enabled: it will not survive a boot",
        ),
        (
            lambda world: world.heartbeat("coder", age=50.0, pid=_pid(world)),
            "stale", "drifted", "last heartbeat 50 s ago",
        ),
        (lambda world: world.files.pop(f"{world.facts.run_dir}/coder.hb"), "unknown", "synced",
         "nothing answers for it: no heartbeat file"),
        (lambda world: world.turn("coder", "stuck=rate-limit"), "stuck", "synced",
         "hook (Stop): it is at its usage limit (rate-limit)"),
        (lambda world: world.turn("coder", "waiting=permission"), "waiting", "synced", "for a person (permission)"),
        (lambda world: world.blind.add("tmux"), "unknown", "held", "could not be seen"),
        (lambda world: world.blind.add("heartbeats"), "unknown", "synced", "its heartbeat could not be seen"),
    ],
)  # fmt: skip
def test_each_disagreement(trouble: Trouble, readiness: str, sync: str, why: str) -> None:
    world, store = started()
    trouble(world)
    found = rows(world, store, FLEET)
    one = found["coder"]
    assert (one.readiness, one.sync) == (readiness, sync)
    assert why in one.why
    assert one.wrong
    assert next(iter(found)) == "coder"
    assert listing(world, store, FLEET).wrong


def _pid(world: World) -> int:
    found = world.find("coder")
    assert found is not None
    return found[1].pid


def test_another_program_in_the_pane() -> None:
    world, store = started()
    world.wrong_program("coder", "vim")
    world.advance(60.0)
    answered(world)
    one = rows(world, store, FLEET)["coder"]
    assert one.problems == ('"vim" runs in its pane, not stub', "restart is due (unhealthy)")
    assert one.program == "vim"


def test_an_agent_that_was_removed_from_git() -> None:
    world, store = started()
    without = replace(FLEET, agents=tuple(agent for agent in FLEET.agents if agent.name != "coder"), revision="b" * 40)
    one = rows(world, store, without)["coder"]
    assert (one.kind, one.sync, one.wrong) == ("removed", Sync.EXTRA, True)
    assert "it is enabled, though not in git: it would come back at the next boot" in one.problems


def test_what_nobody_declared_and_what_is_somebody_s_own() -> None:
    world, _ = started()
    without = replace(FLEET, agents=tuple(agent for agent in FLEET.agents if agent.name != "coder"), revision="b" * 40)
    world.foreign_session(SOCKET, "mine")
    world.heartbeat("nobody", pid=1)
    found = rows(world, MemoryStore(), without)
    orphan, own = found["coder"], found["mine"]
    assert (orphan.kind, orphan.sync, orphan.wrong) == ("orphan", Sync.EXTRA, True)
    assert "unit mosaic-agent@coder.service is active, session coder" in orphan.why
    assert (own.kind, own.sync, own.wrong) == ("unmanaged", Sync.EXTRA, False)
    assert own.why
    assert "nobody" not in found  # a file that somebody left behind is no agent


def test_enabled_though_declared_stopped() -> None:
    world, store = started()
    world.enabled.add("mosaic-agent@off.service")
    one = rows(world, store, FLEET)["off"]
    assert "it is enabled, though declared stopped: it would come back at the next boot" in one.problems
    assert one.wrong


def test_on_purpose_is_not_wrong() -> None:
    world, store = started()
    world.kill_pane("coder")
    world.kill_pane("other")
    lunch = {"coder": Suspension(reason="lunch", by="ada", until=None)}
    found = rows(world, store, FLEET, lunch)
    assert (found["coder"].sync, found["coder"].wrong) == (Sync.HELD, False)
    assert "suspended by ada: lunch" in found["coder"].why
    assert found["other"].wrong
    world.pause("storm")
    paused = rows(world, store, FLEET)
    assert (paused["other"].sync, paused["other"].wrong) == (Sync.HELD, False)
    assert "paused (storm)" in paused["other"].why


def test_a_held_restart_says_why_and_until_when() -> None:
    world, store = started()
    for _ in range(3):
        world.kill_pane("coder")
        reconciler(world, store).converge(FLEET)
    one = rows(world, store, FLEET)["coder"]
    assert (one.sync, one.next_verb, one.next_reason) == (Sync.HELD, "restart", "crash-loop")
    assert one.next_at > world.now
    assert "restart held: crash-loop (backing off" in one.why
    assert one.restarts >= 1


def test_one_that_has_just_started_is_given_time_to_answer() -> None:
    world, store = World(), MemoryStore()
    reconciler(world, store).converge(FLEET)
    world.advance(5.0)
    world.files.pop(f"{world.facts.run_dir}/thinker.hb", None)
    young = rows(world, store, FLEET)["thinker"]
    assert (young.readiness, young.wrong) == (Readiness.UNKNOWN, False)
    assert young.why == "it has just started, and nothing has answered for it yet"
    world.advance(60.0)
    world.files.pop(f"{world.facts.run_dir}/thinker.hb", None)
    assert rows(world, store, FLEET)["thinker"].wrong


def test_whoever_waits_for_a_person_comes_after_what_is_wrong() -> None:
    world, store = started()
    world.turn("thinker", "waiting=draft")
    world.kill_pane("other")
    found = rows(world, store, FLEET)
    assert list(found) == ["other", "thinker", "coder", "off", "tomb"]
    assert (found["thinker"].state, found["thinker"].wrong) == ("waiting", False)
    assert "it waits for a person (draft)" in found["thinker"].why


def test_what_a_program_left_behind_is_told() -> None:
    world, store = started()
    world.leave_child("coder")
    world.kill_pane("coder")
    assert "it has left processes behind in mosaic-pane-coder:" in rows(world, store, FLEET)["coder"].why


def test_the_fleet_s_own_troubles() -> None:
    world, store = started()
    world.linger = False
    world.blind.add("enabled")
    told = listing(world, store, FLEET).problems
    assert "default.target.wants could not be seen: simulated: enabled cannot be seen" in told
    assert "linger op is due (new-in-git)" in told


ROWS = st.builds(
    row,
    st.sampled_from(("a", "b", "c", "d")),
    kind=st.sampled_from(("agent", "removed", "orphan", "unmanaged")),
    wrong=st.booleans(),
    readiness=st.sampled_from(Readiness),
    sync=st.sampled_from(Sync),
    host=st.sampled_from(("h1", "h2")),
)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(ROWS, max_size=8), st.data())
def test_the_order_does_not_depend_on_the_order(given_rows: list[Row], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(given_rows))
    keys = [(one.name, one.host, one.wrong) for one in in_order(given_rows)]
    assert keys == [(one.name, one.host, one.wrong) for one in in_order(shuffled)]
    wrong = [one.wrong for one in in_order(given_rows)]
    assert wrong == sorted(wrong, reverse=True)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(fleet=fleets(), happened=events(), data=st.data())
def test_no_bad_row_is_silent_and_no_agent_is_forgotten(
    fleet: Fleet, happened: list[Event], data: st.DataObject
) -> None:
    world, store = World(), MemoryStore()
    reconciler(world, store).converge(fleet)
    world.advance(data.draw(st.sampled_from((1.0, 100.0))))
    for event in happened:
        event(world)
    world.advance(data.draw(st.sampled_from((0.0, 1.0, 400.0))))
    found = rows(world, store, fleet)
    assert {agent.name for agent in fleet.agents} <= set(found)
    for one in found.values():
        if one.wrong or one.sync is not Sync.SYNCED or one.readiness in (Readiness.STUCK, Readiness.STALE):
            assert one.why, one
    back = rows_back(listing_document(listed(*found.values())))
    assert [(b.name, b.state, b.sync, b.wrong, b.why) for b in back] == [
        (one.name, one.state, one.sync, one.wrong, one.why) for one in found.values()
    ]


def test_rows_of_another_host_come_back_whole() -> None:
    world, store = started()
    world.turn("thinker", "waiting=login", age=3.0)
    there = listing(world, store, FLEET)
    back = rows_back(listing_document(there))
    assert names(back) == names(there.rows)
    thinker = next(one for one in back if one.name == "thinker")
    assert ("turn", "waiting", "login") in {one[:3] for one in thinker.evidence}
    assert thinker.up == pytest.approx(600.0, abs=1.0)


def test_a_host_that_is_silent_is_a_row() -> None:
    silent = silent_host("build-2", "ada", "build-2 does not answer: timed out", 1_763_608_560.0)
    assert in_order((row("z"), silent))[0] is silent
    assert silent.wrong
    (back,) = rows_back(listing_document(listed(silent)))
    assert (back.kind, back.why, back.wrong) == ("host", silent.why, True)


def test_time_alone_is_no_change() -> None:
    world, store = started()
    before = steady(listing_document(listing(world, store, FLEET)))
    world.advance(30.0)
    answered(world)
    assert steady(listing_document(listing(world, store, FLEET))) == before
    world.kill_pane("coder")
    assert steady(listing_document(listing(world, store, FLEET))) != before


def test_a_stale_heartbeat_that_gets_older_is_no_change() -> None:
    world, store = started()
    world.heartbeat("coder", age=50.0, pid=_pid(world))
    found = listing_document(listing(world, store, FLEET))
    world.heartbeat("coder", age=52.0, pid=_pid(world))
    later = listing_document(listing(world, store, FLEET))
    assert parsed(found["agents"])[0]["problems"] != parsed(later["agents"])[0]["problems"]
    assert steady(found) == steady(later)


def test_every_kind_that_could_not_be_seen_is_named() -> None:
    world, store = started()
    world.blind |= {"units", "enabled", "tmux", "linger", "file", "heartbeats"}
    told = " ".join(listing(world, store, FLEET).problems)
    for kind in (Kind.UNIT, Kind.SESSION, Kind.LINGER, Kind.HOLDER, Kind.HEARTBEAT):
        assert f"{kind} could not be seen" in told
