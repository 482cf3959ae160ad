"""An agent whose host has changed: what follows from its old host's answer, and what its new host does meanwhile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from providers.base import HeldReason, Kind, Reason, Verb
from reconciler.listing.document import listing_document
from reconciler.listing.row import Row, Sync
from reconciler.model import Inventory, Owned
from reconciler.plan.holding.moving import answered, first_starts, unasked, why_held
from reconciler.remote.all_hosts import everywhere
from reconciler.source.moves import Origin, RosterVersion, origins
from reconciler.source.old_host import AGAIN_S, SILENT_S, asked, load, release, save
from reconciler.state.store import Store
from specs.compiled import Agent, Fleet, Moving, Peer, Policy
from tests.laws.driver import MemoryStore, reconciler
from tests.remote.test_everywhere import NOW, fleet, listing
from tests.remote.test_ssh import SSH, program
from tests.strategies import make_agent, make_fleet
from tests.world import World

OUT = "removed"


def version(commit: str, **homes: str) -> RosterVersion:
    return RosterVersion(commit=commit, homes=homes, ways={"alpha": "ada@alpha"})


@pytest.mark.parametrize(
    ("before", "home"),
    [
        ([version("b", x="beta"), version("a", x="alpha")], "alpha"),
        ([version("c", x="beta"), version("b", x="beta", y="beta"), version("a", x="alpha")], "alpha"),
        ([version("c", x="beta"), version("b", x="gamma"), version("a", x="alpha")], "gamma"),
        ([version("d", x="beta"), version("c", x="alpha"), version("b", x="beta")], "alpha"),  # moved back
        ([version("b", x="beta"), version("a", y="beta")], None),  # a new one
        ([version("c", x="beta"), version("b"), version("a", x="alpha")], None),  # removed, and added again
        ([version("b", x="beta"), version("a", x="")], None),  # no host was named
        ([version("b", x="beta")], None),
        ([], None),
    ],
)
def test_where_it_was_before(before: list[RosterVersion], home: str | None) -> None:
    found, left = origins(before, ["x"], "beta")
    assert (found["x"].host if "x" in found else None) == home
    if home == "alpha":
        assert found["x"] == Origin(host="alpha", ssh="ada@alpha", commit=found["x"].commit)
    assert left == (frozenset({"x"}) if home is None and len(before) < 2 else frozenset())


def seen(**more: Any) -> Row:
    usual: dict[str, Any] = {"session": "alive", "unit": "active", "enabled": True, "desired": "running"}
    return replace(Row(kind="agent", name="x", tenant_id="ada", host="alpha", observed_at=NOW), **{**usual, **more})


GONE: dict[str, Any] = {
    "kind": OUT,
    "desired": "undeclared",
    "session": "missing",
    "unit": "inactive",
    "enabled": False,
}


@pytest.mark.parametrize(
    ("rows", "word", "said"),
    [
        ([seen()], "runs", "it still runs there, and alpha has not taken the commit yet"),
        ([seen(session="dead")], "runs", "it still runs there, and alpha has not taken the commit yet"),
        (
            [seen(session="dead", unit="failed")],
            "runs",
            "it is not running there, but alpha has not taken the commit yet",
        ),
        ([seen(kind=OUT, desired="undeclared", may_stop_why="it works")], "runs", "it still runs there (it works)"),
        ([seen(**{**GONE, "session": "unknown"})], "runs", "it still runs there"),
        ([seen(**{**GONE, "unit": "unknown"})], "runs", "it still runs there"),
        ([seen(**{**GONE, "enabled": True})], "runs", "it has ended there, and would come back at a boot"),
        ([seen(**{**GONE, "enabled": None})], "runs", "it has ended there, and would come back at a boot"),
        ([seen(**GONE)], "gone", "it has ended there"),
        ([seen(**{**GONE, "kind": "agent", "desired": "stopped"})], "gone", "it has ended there"),
        ([seen(kind="orphan", desired="undeclared")], "runs", "it still runs there"),
        ([seen(kind="unmanaged", desired="undeclared")], "gone", "it is not there"),  # somebody's session of that name
        ([seen(name="xx")], "gone", "it is not there"),
        ([], "gone", "it is not there"),
    ],
)
def test_what_follows_from_an_answer(rows: list[Row], word: str, said: str) -> None:
    assert answered(listing(*rows, host="alpha"), "x", "alpha", "beta") == (word, said)


def test_who_else_may_answer() -> None:
    here = listing(seen(), host="beta.example")
    assert answered(here, "x", "alpha", "beta") == ("gone", "that is this very host")
    other = listing(host="gamma")
    assert answered(other, "x", "alpha", "beta") == ("silent", 'the host that answers there is "gamma"')
    assert answered("no route", "x", "alpha", "beta") == ("silent", "no route")
    stuck = replace(listing(seen(), host="alpha"), rejected="a tab")
    assert "alpha does not take the newest commit: a tab" in answered(stuck, "x", "alpha", "beta")[1]


def moving(**more: Any) -> Moving:
    return Moving(**{"host": "alpha", "ssh": "ada@far.example", "commit": "a", "revision": "1" * 40, **more})


@pytest.mark.parametrize(
    ("move", "policy", "why", "warned"),
    [
        (moving(), "wait", "moving from alpha, which has not been asked yet", False),
        (moving(word="runs", said="it still runs there"), "wait", "moving from alpha: it still runs there", False),
        (moving(word="runs", said="it still runs there"), "start", "moving from alpha: it still runs there", False),
        (moving(word="gone"), "wait", "", False),
        (moving(word="silent", said="no route"), "wait",
         "moving from alpha, and whether it still runs there is not known: no route", False),
        (moving(word="silent", said="no route"), "start", "", True),
        (moving(word="silent", said="no route", ssh=None), "wait", "", True),
        (moving(word="runs", said="it works", ssh=None), "wait", "moving from alpha: it works", False),
        (moving(word="runs", released=True), "wait", "", False),
        (moving(word="silent", released=True), "wait", "", False),
    ],
)  # fmt: skip
def test_whether_it_waits(move: Moving, policy: Any, why: str, warned: bool) -> None:
    there = replace(make_fleet(make_agent("x"), policy=Policy(moving=policy)), moving={"x": move})
    assert why_held(there, "x") == why
    assert bool(unasked(there, "x")) is warned
    assert why_held(there, "y") == ""


def test_only_a_first_start_of_one_that_names_its_host_may_be_a_move() -> None:
    names = ("mine", "owned", "anywhere", "tried", "stopped")
    agents = [replace(make_agent(name), placed=name != "anywhere") for name in names[:-1]]
    agents.append(replace(make_agent("stopped", state="stopped"), placed=True))
    owned = {
        "owned": Owned(agent_class="coder", socket="s", launch_digest="d"),
        "tried": Owned(agent_class="c", socket="s"),
    }
    assert [one.name for one in first_starts(make_fleet(*agents), Inventory(agents=owned))] == ["mine", "tried"]


# --- in a simulated world ---


def test_nothing_of_it_is_here_until_it_may_start() -> None:
    world, store = World(), MemoryStore()
    x = replace(make_agent("x"), placed=True)
    there = replace(make_fleet(x, make_agent("other")), moving={"x": moving(word="runs", said="it still runs there")})
    done = reconciler(world, store).converge(there)
    assert [(one.agent, one.verb, one.reason) for one in done.last.plan.held] == [("x", Verb.START, HeldReason.MOVING)]
    assert world.find("x") is None
    assert world.find("other") is not None
    assert "x" not in store.inventory.agents
    assert not any("x.env" in path for path in world.files)
    assert not any(out.action.agent == "x" for out in done.outcomes)
    gone = replace(there, moving={"x": moving(word="gone")})
    assert reconciler(world, store).converge(gone).last.plan.held == ()
    assert world.find("x") is not None
    again = replace(gone, moving={"x": moving(word="runs", said="it runs there, too")})
    assert reconciler(world, store).converge(again).last.plan.actions == ()  # what lives here is let alone
    assert world.find("x") is not None


def test_who_depends_on_it_waits_and_nobody_else() -> None:
    world, store = World(), MemoryStore()
    needs = replace(make_agent("needs"), depends_on=("x",))
    there = make_fleet(replace(make_agent("x"), placed=True), needs, make_agent("other"))
    done = reconciler(world, store).converge(replace(there, moving={"x": moving()}))
    assert {one.agent: one.reason for one in done.last.plan.held} == {
        "x": HeldReason.MOVING,
        "needs": HeldReason.DEPENDENCY,
    }
    assert world.find("other") is not None


def test_the_old_host_says_where_it_goes() -> None:
    world, store = World(), MemoryStore()
    before = make_fleet(make_agent("x"), make_agent("other"))
    reconciler(world, store).converge(before)
    peer = Peer(name="x", agent_class="coder", runtime="stub", state="running", host="beta")
    after = replace(make_fleet(make_agent("other"), revision="2" * 40), peers=(peer,))
    world.advance(3600)
    done = reconciler(world, store).converge(after)
    reasons = {out.action.reason for out in done.outcomes if out.action.agent == "x"}
    assert reasons == {Reason.MOVED}
    assert any(out.action.key.kind is Kind.UNIT and out.action.verb is Verb.STOP for out in done.outcomes)
    assert done.applied is not None
    assert done.applied.plan.summary.remove == 1
    assert world.find("x") is None


# --- asking ---


def beta(known: Mapping[str, Moving], *agents: Agent) -> Fleet:
    return replace(make_fleet(*agents), host="beta", moving=known)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state", tmp_path / "run")


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program(tmp_path / "ssh", SSH)
    program(tmp_path / "mosaic", f'#!/bin/sh\nprintf "%s\\n" "$*" >>{tmp_path}/asked\ncat {tmp_path}/answer\n')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    answer = tmp_path / "answer"
    answer.write_text(json.dumps(listing_document(listing(seen(), host="alpha"))))
    return answer


def questions(far: Path) -> int:
    log = far.with_name("asked")
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_one_question_for_each_host_and_its_answer_is_remembered(far: Path, store: Store) -> None:
    there = beta({"x": moving(), "y": moving(commit="b")}, make_agent("x"), make_agent("y"))
    told = asked(there, {"x", "y"}, store, NOW, at_once=False)
    assert questions(far) == 1
    assert (told.moving["x"].word, told.moving["y"].word) == ("runs", "gone")
    assert load(store) == told.moving
    assert asked(told, {"x", "y"}, store, NOW + AGAIN_S - 1, at_once=False) is told
    far.write_text(json.dumps(listing_document(listing(host="alpha"))))
    assert asked(told, {"x"}, store, NOW + 1, at_once=True).moving["x"].word == "gone"
    assert asked(told, {"x"}, store, NOW + AGAIN_S, at_once=False).moving["x"].word == "gone"
    assert asked(told, {"x"}, store, NOW - 60, at_once=False).moving["x"].word == "gone"  # the clock was set back


@pytest.mark.usefixtures("far")
def test_a_silent_host_is_asked_less_often(store: Store) -> None:
    there = beta({"x": moving(ssh="ada@shut")}, make_agent("x"))
    told = asked(there, {"x"}, store, NOW, at_once=False)
    assert told.moving["x"].word == "silent"
    assert "Permission denied" in told.moving["x"].said
    assert asked(told, {"x"}, store, NOW + SILENT_S - 1, at_once=False) is told
    assert asked(told, {"x"}, store, NOW + SILENT_S, at_once=False) is not told


@pytest.mark.parametrize("answer", ["", "[]", "{}", '{"kind": "AgentList", "agents": []}'])
def test_an_answer_that_is_none_is_silence(far: Path, store: Store, answer: str) -> None:
    far.write_text(answer)
    there = beta({"x": moving()}, make_agent("x"))
    assert asked(there, {"x"}, store, NOW, at_once=True).moving["x"].word == "silent"


def test_a_preview_asks_and_keeps_nothing(far: Path, tmp_path: Path) -> None:
    looking = Store(tmp_path / "state", tmp_path / "run", read_only=True)
    there = beta({"x": moving()}, make_agent("x"))
    assert asked(there, {"x"}, looking, NOW, at_once=True).moving["x"].word == "runs"
    assert questions(far) == 1
    assert not (tmp_path / "state").exists()


def test_whoever_is_released_asks_nobody(far: Path, store: Store) -> None:
    save(store, {"x": moving(word="runs"), "new": Moving(revision="1" * 40)})
    assert release(store, "x")
    assert not release(store, "new")
    assert not release(store, "y")
    there = beta(load(store), make_agent("x"))
    assert asked(there, {"x"}, store, NOW, at_once=True) is there
    assert (questions(far), why_held(there, "x")) == (0, "")


@pytest.mark.parametrize("text", ["", "[", "[]", '{"x": 1}', '{"x": {"host": "alpha"}}'])
def test_a_damaged_record_is_found_out_anew(store: Store, text: str) -> None:
    store.state.mkdir(parents=True)
    (store.state / "moving.json").write_text(text)
    assert load(store) == {}


def test_in_a_list_of_all_hosts_it_is_as_git_says_in_one_place_only(far: Path) -> None:
    far.write_text(json.dumps(listing_document(listing(seen(host="far"), host="far"))))
    here: Fleet = replace(fleet(("coder0", "far", "ada@far.example")), agents=(make_agent("x"),))
    rows = everywhere(listing(), here, timeout_s=30).rows
    (row,) = (one for one in rows if one.name == "x")
    assert (row.sync, row.wrong) == (Sync.EXTRA, True)
    assert row.why.startswith("moving to near: far has not taken that commit yet")


def test_what_another_host_says_is_shown_as_text(far: Path, store: Store) -> None:
    there = replace(listing(seen(), host="alpha"), rejected="\x1b[2J" + "a" * 10_000 + "\nsynced")
    far.write_text(json.dumps(listing_document(there)))
    said = asked(beta({"x": moving()}, make_agent("x")), {"x"}, store, NOW, at_once=True).moving["x"].said
    assert said.startswith("it still runs there, and alpha does not take the newest commit: ")
    assert len(said) <= 300
    assert said.isprintable()


def test_a_host_that_says_nothing_costs_no_more_than_the_run_has_left(far: Path, store: Store) -> None:
    assert far
    there = beta({"x": moving(ssh="ada@silent")}, make_agent("x"))
    told = asked(there, {"x"}, store, NOW, at_once=True, timeout_s=0.5)
    assert told.moving["x"].word == "silent"
