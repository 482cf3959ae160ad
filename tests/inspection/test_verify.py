"""Verify and describe, from simulated hosts: each thing by its name, what mends it, and what comes next."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from providers.base import HeldReason, Verb
from reconciler.inspection.describe import Description, describe, description_document
from reconciler.inspection.verify import Reconciler, VerifyCheck, verify
from reconciler.listing.document import listing_document
from reconciler.model import AgentHistory
from reconciler.render.describe_text import describe_text
from reconciler.render.verify_text import verify_document, verify_text
from reconciler.schemas.registry import schema_of
from specs.compiled import Fleet, Suspension
from tests import builders as make
from tests.inspection.seen import listed, listing, row
from tests.inspection.test_rows import FLEET, started
from tests.laws.driver import MemoryStore, reconciler
from tests.strategies import make_agent, make_fleet
from tests.world import World

TIMER = Reconciler(install="timer", enabled=True, active=True)


def checks(
    world: World, store: MemoryStore, fleet: Fleet = FLEET, by_itself: Reconciler = TIMER
) -> dict[tuple[str | None, str], VerifyCheck]:
    seen = reconciler(world, store).look(fleet)
    found = verify(fleet, seen.plan, seen.observation, listing(world, store, fleet), world.facts.user, by_itself)
    return {(one.agent, one.name): one for one in found}


def wrong(found: dict[tuple[str | None, str], VerifyCheck]) -> set[tuple[str | None, str]]:
    return {key for key, one in found.items() if one.result == "wrong"}


def test_all_is_well() -> None:
    world, store = started()
    found = checks(world, store)
    assert wrong(found) == set()
    assert found["coder", "session"].found == "session =coder on tmux server mosaic-factory is there"
    assert found[None, "holder-session"].found == "session =_holder on tmux server mosaic-factory is there"
    assert found[None, "reconciler"].found == "mosaic-reconcile.timer is active, enabled"
    assert {"session", "boot"} == {name for agent, name in found if agent == "off"}


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (lambda world: world.kill_pane("coder"), {("coder", "session")}),
        (lambda world: world.remove_wants_link("mosaic-agent@coder.service"), {("coder", "boot")}),
        (lambda world: world.unit_inactive("mosaic-agent@coder.service"), {("coder", "unit")}),
        (lambda world: world.files.pop(f"{world.facts.run_dir}/coder.hb"), {("coder", "heartbeat")}),
        (lambda world: world.turn("coder", "stuck=rate-limit"), {("coder", "progress")}),
        (lambda world: setattr(world, "linger", False), {(None, "linger")}),
        (lambda world: world.enabled.add("mosaic-agent@off.service"), {("off", "boot")}),
        (lambda world: world.kill_session_named("mosaic-factory", "_holder"), {(None, "holder-session")}),
    ],
)
def test_each_thing_is_found_by_its_name(trouble: Any, expected: set[tuple[str | None, str]]) -> None:
    world, store = started()
    trouble(world)
    found = checks(world, store)
    assert wrong(found) == expected
    assert all(found[key].mend for key in expected)


def test_a_session_that_was_renamed_is_still_the_agent_s() -> None:
    world, store = started()
    found = world.find("coder")
    assert found is not None
    server, session = found
    server.sessions["coder2"] = server.sessions.pop("coder")
    session.name = "coder2"
    one = checks(world, store)["coder", "session"]
    # It is found by its mark, whatever its session is called.
    assert (one.result, one.found) == ("ok", "session =coder2 on tmux server mosaic-factory is there")


def test_what_is_suspended_is_noted() -> None:
    world, store = started()
    world.kill_pane("coder")
    fleet = replace(FLEET, suspended={"coder": Suspension(reason="lunch", by="ada", until=None)})
    seen = reconciler(world, store).look(fleet)
    suspended = listing(world, store, fleet)
    rows = tuple(
        replace(one, notes=("suspended by ada: lunch",), wrong=False) if one.name == "coder" else one
        for one in suspended.rows
    )
    found = verify(fleet, seen.plan, seen.observation, replace(suspended, rows=rows), "op", TIMER)
    assert not [one for one in found if one.result == "wrong"]
    assert any("suspended by ada: lunch" in one.found for one in found if one.result == "note")


@pytest.mark.parametrize(
    ("by_itself", "result"),
    [
        (TIMER, "ok"),
        (Reconciler(install="watch", enabled=True, active=True), "ok"),
        (Reconciler(install="none"), "note"),
        (Reconciler(install="timer", enabled=False, active=True), "wrong"),
        (Reconciler(install="watch", enabled=True, active=False), "wrong"),
        (Reconciler(install="watch", error="no bus"), "wrong"),
    ],
)
def test_something_has_to_reconcile_by_itself(by_itself: Reconciler, result: str) -> None:
    world, store = started()
    one = checks(world, store, by_itself=by_itself)[None, "reconciler"]
    assert one.result == result
    assert bool(one.mend) is (result != "ok")


def test_a_fleet_of_nobody_needs_no_holder_and_no_linger() -> None:
    world, store = World(), MemoryStore()
    empty = make_fleet(make_agent("off", state="stopped"))
    assert not {name for _, name in checks(world, store, empty)} & {"linger", "holder-unit", "holder-session"}


def test_what_could_not_be_seen_is_said_once() -> None:
    world, store = started()
    world.blind |= {"units", "tmux"}
    found = checks(world, store)
    assert not [agent for agent, _ in found if agent is not None]
    assert wrong(found)


def test_the_text_and_the_document() -> None:
    world, store = started()
    world.kill_pane("coder")
    seen = listing(world, store, FLEET)
    found = tuple(checks(world, store).values())
    lines = verify_text(seen, found).splitlines()
    assert lines[0] == "wrong coder: session: session =coder on tmux server mosaic-factory has a dead pane"
    assert lines[1] == "    fix: reconcile"
    assert lines[-1].startswith(f"{len(found)} checks, 1 wrong: alpha at 111111111111")
    validate("verification", verify_document(seen, found))
    assert verify_document(seen, found)["wrong"] == 1


# one agent


def validate(which: str, document: dict[str, Any]) -> None:
    schema = schema_of(which)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(document)))


def described(
    plan: Any = None, suspended: dict[str, Suspension] | None = None, install: Any = "timer", **more: Any
) -> Description:
    one = row(**more)
    return describe(
        listed(one), one, plan or make.plan(), AgentHistory(restarts=2), make.status(), suspended or {},
        install=install, interval=60.0,
    )  # fmt: skip


def test_nothing_is_due() -> None:
    found = described()
    assert [one.what for one in found.next] == ["nothing is due; the timer looks every 1m"]
    assert found.next[0].at == make.NOW + 60.0
    conditions = {one.type: one.status for one in found.conditions}
    assert conditions == {
        "InSync": "True", "Running": "True", "Answering": "True", "AbleToWork": "True", "BootSafe": "True",
        "CrashLooping": "False", "Suspended": "False",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("plan", "suspended", "install", "first"),
    [
        (make.plan(actions=(make.action(),)), {}, "watch",
         "start mosaic-agent@coder0.service (new-in-git), with the next look"),
        (make.plan(held=(make.held(agent="coder0"),)), {}, "none",
         "restart mosaic-agent@coder0.service as soon as it is idle; now: mosaic fleet restart coder0 --force"),
        (
            make.plan(held=(make.held(HeldReason.CRASH_LOOP, "coder0", message="in quarantine"),)),
            {}, "timer",
            "restart mosaic-agent@coder0.service, held until then (crash-loop: in quarantine; now: mosaic fleet "
            "release coder0)",
        ),
        (
            make.plan(held=(make.held(HeldReason.SUSPENDED, "coder0"),)),
            {"coder0": Suspension(reason="lunch", by="ada", until=make.NOW + 60)}, "timer",
            "its suspension ends, and whatever is due is done",
        ),
        (make.plan(), {"*": Suspension(reason="move", by="bob", until=None)}, "timer",
         "it is suspended until somebody lifts that: mosaic fleet unsuspend"),
        (make.plan(paused="storm"), {}, "timer", "nothing is done while the fleet is paused: mosaic fleet resume"),
    ],
)  # fmt: skip
def test_what_comes_next(plan: Any, suspended: dict[str, Suspension], install: Any, first: str) -> None:
    found = described(plan, suspended, install)
    assert found.next[0].what == first
    assert len(found.next) >= 2  # and when anybody looks at all
    validate("agent", description_document(found))


def test_the_description_as_text() -> None:
    world, store = started()
    world.turn("thinker", "waiting=permission", age=90.0)
    seen = listing(world, store, FLEET)
    one = next(row for row in seen.rows if row.name == "thinker")
    look = reconciler(world, store).look(FLEET)
    made = describe(seen, one, look.plan, AgentHistory(), None, {}, install="none", interval=60.0)
    made = replace(
        made,
        events=(
            {"ts": "2025-11-20T03:00:00Z", "type": "action-done", "message": "start \x1b[31mit", "agent": "thinker"},
        ),
        crash=("Traceback", "boom"),
    )
    lines = describe_text(made).splitlines()
    assert lines[2] == "agent thinker (claude, coder)"
    what = "hook (Stop): it waits for a person (permission)"
    assert lines[3] == f"  waiting (permission), synced, declared running: {what}"
    assert any(line.split() == ["turn", "waiting", "permission", "1m", "30s", "ago"] for line in lines)
    assert any(line.split() == ["heartbeat", "writer", "sidecar", "now"] for line in lines)
    assert lines[lines.index("next") + 1].startswith("  nothing is due; nothing reconciles by itself")
    assert [line for line in lines if line.endswith("  action-done  start it")]
    assert not [line for line in lines if "2025-" in line]
    assert lines[-3:] == ["last lines of its last crash", "  Traceback", "  boom"]
    assert "\x1b" not in "\n".join(lines)
    validate("agent", description_document(made))


def test_what_only_the_host_knows_is_described_too() -> None:
    orphan = row("ghost", kind="orphan", desired="undeclared", agent_class="", runtime="")
    found = describe(listed(orphan), orphan, make.plan(), AgentHistory(), None, {}, install="none", interval=60.0)
    text = describe_text(found)
    assert "agent ghost, orphan: git does not declare it" in text
    assert "not declared" in text
    validate("agent", description_document(found))


def test_a_crash_loop_is_a_condition() -> None:
    one = row()
    found = describe(
        listed(one), one, make.plan(), AgentHistory(restarts=9, quarantined_since=make.NOW - 60), None, {},
        install="none", interval=60.0,
    )  # fmt: skip
    looping = next(one for one in found.conditions if one.type == "CrashLooping")
    assert (looping.status, looping.message) == ("True", "restarted 9 times in all; in quarantine")


@pytest.mark.parametrize("change", [{}, {"session": "dead"}, {"session": "unknown", "enabled": None}])
def test_the_list_and_the_description_fit_their_schemas(change: dict[str, Any]) -> None:
    one = row(**change, next_verb=str(Verb.START), next_reason="new-in-git")
    validate("agents", listing_document(listed(one)))
    validate("agent", description_document(described(**change)))


def test_a_real_list_fits_its_schema() -> None:
    world, store = started()
    world.kill_pane("coder")
    world.foreign_session("mosaic-factory", "mine")
    world.turn("thinker", "waiting=login")
    validate("agents", listing_document(listing(world, store, FLEET)))
