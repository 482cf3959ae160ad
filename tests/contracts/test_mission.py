"""What a run does about agents on an older mission: show it, tell once, or reset once; nothing of it ends anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from providers.base import Health
from providers.programs.base import Program
from reconciler.context.fleet import FleetContext
from reconciler.context.settings import Settings
from reconciler.delivery.outbox import Outbox
from reconciler.delivery.verdict import Delivery
from reconciler.loop.bookkeeping import history_after_look
from reconciler.model import AgentHistory, AgentView, History, Readiness
from reconciler.run.mission_round import MOST_NOTICES, MOST_RESET, MissionRound, due, run_round, what_to_say
from reconciler.state.event_log import read_events
from reconciler.state.store import Store
from specs.compiled import Agent, Fleet, OnMission, Suspension, changed_in
from tests import builders as make
from tests.strategies import make_agent, make_fleet
from tests.world import SimulatedKill, World

NOW = make.NOW
OLD, NEW = "aaaaaabbbbbb", "ccccccbbbbbb"
DELIVERED = Delivery(word="delivered", evidence="hook")


class Host:
    """One host with agents that were given the mission OLD while git has NEW, and rounds on it."""

    def __init__(self, home: Path, count: int = 1, wanted: OnMission = "tell", **agent: Any) -> None:
        self.facts = make.facts(str(home))
        self.store = Store.open(self.facts, "local")
        agents = [replace(make_agent(f"a{at}"), **agent) for at in range(count)]
        self.fleet: Fleet = replace(make_fleet(*agents), on_mission={"*": wanted})
        self.views: dict[str, AgentView] = {one.name: self.view(one.name) for one in agents}
        self.world = World(facts=self.facts)
        self.resets: list[str] = []
        self.answer = DELIVERED
        self.kill: str = ""
        self.suspended: dict[str, Suspension] = {}
        self.over = False
        self.missed: dict[str, str] = {}
        server = self.world.start_server(make_fleet().socket, held=True)
        for one in agents:
            session = self.world.add_session(server, one.session, one.argv, agent=one.name)
            session.mark, session.fleet, session.mission = one.name, "local", OLD
            self.views[one.name] = replace(self.views[one.name], pane=session.pane)

    def view(self, name: str, **more: Any) -> AgentView:
        usual: dict[str, Any] = {
            "mission": OLD, "mission_now": NEW, "available": True, "readiness": Readiness.AVAILABLE, "runtime": "stub",
            "agent_class": "coder", "health": Health.HEALTHY,
        }  # fmt: skip
        return make.view(name, **{**usual, **more})

    def reset(self, place: FleetContext, fleet: Fleet, agent: Agent, program: Program, text: str) -> Delivery:
        assert program.name == agent.runtime
        assert (place.store, fleet, text) == (self.store, self.fleet, "/new")
        if self.kill == "before":
            raise SimulatedKill(agent.name)
        self.resets.append(agent.name)
        if self.kill == "after":
            raise SimulatedKill(agent.name)
        return self.answer

    def go(self, look: Mapping[str, AgentView] | None = None) -> bool:
        by = MissionRound(
            fleet=self.fleet,
            views=self.views,
            place=FleetContext(facts=self.facts, settings=Settings(), store=self.store, spec=None),
            host=self.world,
            chosen=frozenset(),
            suspended=self.suspended,
            source="reconcile",
            look=lambda: self.views if look is None else look,
            over=lambda: self.over,
            wall=lambda: NOW,
            monotonic=lambda: 0.0,
            reset=self.reset,
            missed=self.missed,
        )
        return run_round(by)

    def told(self) -> list[tuple[str, str]]:
        """Who is to be told of which, in order."""
        return [(one.agent, one.mission) for one in Outbox(self.store).messages() if one.mission]

    def known(self, name: str = "a0") -> AgentHistory:
        return self.store.load_history(now=NOW).agents.get(name, AgentHistory())

    def deliver(self) -> None:
        """As the postman does at the end of a run."""
        outbox = Outbox(self.store)
        for message in outbox.messages():
            outbox.end(message, NOW, state=None)

    def has_now(self, name: str = "a0") -> str:
        found = self.world.find(name)
        assert found is not None
        return found[1].mission


def test_the_default_is_to_show_it(tmp_path: Path) -> None:
    host = Host(tmp_path, wanted="show")
    assert host.go() is False
    assert (host.told(), host.known()) == ([], AgentHistory())


def test_one_that_went_on_with_an_older_one_is_told_all_the_same(tmp_path: Path) -> None:
    host = Host(tmp_path, wanted="show")
    host.missed = {"a0": OLD}
    host.go()
    assert host.told() == []  # git has another one by now, which the policy only shows
    host.missed = {"a0": NEW}
    for _ in range(2):
        host.go()
        assert host.told() == [("a0", NEW)]
    host.deliver()
    host.go()
    assert host.told() == []


def test_an_agent_is_told_once_of_each_change(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.go()
    host.go()
    (message,) = Outbox(host.store).messages()
    assert (message.agent, message.sender, message.state) == ("a0", "alpha:mosaic", "waiting")
    assert message.text.splitlines()[0].startswith("The mission of this fleet has changed since you were started")
    assert f"{host.facts.agents_dir}/a0.d/contract.md" in message.text
    host.deliver()
    host.go()
    assert host.told() == []
    host.views["a0"] = replace(host.views["a0"], mission_now="dddddddddddd")
    host.go()
    assert host.told() == [("a0", "dddddddddddd")]


def test_a_newer_one_takes_the_place_of_one_that_still_waits(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.go()
    host.views["a0"] = replace(host.views["a0"], mission_now="dddddddddddd")
    host.go()
    assert host.told() == [("a0", "dddddddddddd")]


@pytest.mark.parametrize(
    "change", [{"mission": NEW}, {"mission_now": OLD}, {"session": "missing", "mission": ""}, {"session": "dead"}]
)
def test_what_has_become_wrong_while_it_waited_is_taken_back(tmp_path: Path, change: dict[str, Any]) -> None:
    host = Host(tmp_path)
    host.go()
    host.views["a0"] = replace(host.views["a0"], **change)
    host.go()
    assert host.told() == []


def test_what_could_not_be_seen_takes_nothing_back(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.go()
    host.views["a0"] = replace(host.views["a0"], session="unknown", mission="")
    host.go()
    assert len(host.told()) == 1


@pytest.mark.parametrize("when", ["before the outbox", "before the history"])
def test_a_run_that_was_ended_tells_nobody_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    host = Host(tmp_path)

    def dies(*_: object, **__: object) -> None:
        raise SimulatedKill(when)

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "put_mission", dies) if when == "before the outbox" else patch.setattr(
            Store, "save_history", dies
        )
        with pytest.raises(SimulatedKill):
            host.go()
    host.go()
    assert len(host.told()) == 1
    host.deliver()
    host.go()
    assert host.told() == []


@pytest.mark.parametrize("whom", ["a0", "*"])
def test_who_is_suspended_is_left_alone(tmp_path: Path, whom: str) -> None:
    for wanted in ("tell", "reset"):
        host = Host(tmp_path, wanted=wanted, reset_between_tasks=True)
        host.suspended = {whom: Suspension(reason="r", by="ada", until=None)}
        assert host.go() is False
        assert (host.told(), host.resets) == ([], [])


def test_a_run_does_so_much_and_the_next_one_goes_on(tmp_path: Path) -> None:
    host = Host(tmp_path, count=MOST_NOTICES + 5)
    host.go()
    assert len(host.told()) == MOST_NOTICES
    host.go()
    assert len(host.told()) == MOST_NOTICES + 5


def test_another_answer_for_a_class(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.fleet = replace(host.fleet, on_mission={"*": "tell", "coder": "show"})
    host.go()
    assert host.told() == []


def test_a_reset_between_tasks_brings_the_newest(tmp_path: Path) -> None:
    host = Host(tmp_path, wanted="reset", reset_between_tasks=True, kickstart="Begin.")
    assert host.go() is False
    assert host.resets == ["a0"]
    assert host.has_now() == NEW
    assert host.told() == []
    assert [one.kickstart for one in Outbox(host.store).messages()] == ["Begin."]
    (event,) = read_events(host.store)
    assert (event["type"], event["agent"], event["by"]) == ("reset", "a0", "mosaic")
    assert host.world.tally.ended == []


def test_one_that_may_not_be_reset_is_told(tmp_path: Path) -> None:
    host = Host(tmp_path, wanted="reset")
    assert host.go() is False
    assert (host.resets, len(host.told())) == ([], 1)


@pytest.mark.parametrize(
    "busy",
    [
        {"available": False}, {"available": None}, {"readiness": Readiness.WORKING}, {"readiness": Readiness.WAITING},
        {"readiness": Readiness.STUCK}, {"readiness": Readiness.UNKNOWN},
    ],
)  # fmt: skip
def test_nobody_is_reset_who_has_something_to_do(tmp_path: Path, busy: dict[str, Any]) -> None:
    host = Host(tmp_path, wanted="reset", reset_between_tasks=True)
    free = host.views["a0"]
    host.views["a0"] = replace(free, **busy)
    assert host.go() is True, "somebody waits, so that the resident loop hears when it is done"
    host.views["a0"] = free
    assert host.go(look={"a0": replace(free, **busy)}) is True, "it has begun something since the last look"
    assert (host.resets, host.told(), host.known().mission_reset) == ([], [], "")
    assert host.go() is False
    assert host.resets == ["a0"]


def test_a_reset_is_never_made_twice(tmp_path: Path) -> None:
    """Killed before or after the command was typed: nobody knows which, so the agent is told instead."""
    for at, kill in enumerate(("before", "after")):
        host = Host(tmp_path / str(at), wanted="reset", reset_between_tasks=True)
        host.kill = kill
        with pytest.raises(SimulatedKill):
            host.go()
        host.kill, made = "", len(host.resets)
        host.go()
        host.go()
        assert len(host.resets) == made
        assert host.told() == [("a0", NEW)]


def test_a_reset_that_is_refused_is_tried_again_and_one_that_is_not_sure_is_not(tmp_path: Path) -> None:
    host = Host(tmp_path, wanted="reset", reset_between_tasks=True)
    host.answer = Delivery(word="not-delivered", reason="a draft stands in its composer")
    assert host.go() is True
    assert host.go() is True
    assert host.resets == ["a0", "a0"]
    host.answer = Delivery(word="unconfirmed")
    assert host.go() is False
    host.go()
    assert host.resets == ["a0"] * 3
    assert host.told() == [("a0", NEW)]
    assert host.has_now() == OLD


def test_a_program_that_reads_its_contract_only_at_its_start_is_told_after_its_reset(tmp_path: Path) -> None:
    host = Host(tmp_path, wanted="reset", reset_between_tasks=True, runtime="claude", reset_command="/new")
    host.go()
    assert host.resets == ["a0"]
    assert (host.told(), host.has_now()) == ([("a0", NEW)], OLD)


def test_a_run_resets_few(tmp_path: Path) -> None:
    host = Host(tmp_path, count=MOST_RESET + 2, wanted="reset", reset_between_tasks=True)
    assert host.go() is True
    assert len(host.resets) == MOST_RESET
    host.over = True
    assert host.go() is True
    assert len(host.resets) == MOST_RESET


def test_what_is_said(tmp_path: Path) -> None:
    host = Host(tmp_path)
    agent, view = host.fleet.agents[0], host.views["a0"]
    for now, words in (
        ("ccccccbbbbbb", "The mission of this fleet has changed"),
        ("aaaaaadddddd", "Your contract as coder has changed"),
        ("ccccccdddddd", "The mission of this fleet and your contract as coder have changed"),
    ):
        text = what_to_say(agent, replace(view, mission_now=now), host.fleet, "/c.md")
        assert text.startswith(words)
        assert len(text.splitlines()) == 2
    assert changed_in(OLD, OLD) == ()


def test_what_nobody_noted_is_not_called_older(tmp_path: Path) -> None:
    """An agent that was started before anybody wrote that down, or by hand."""
    host = Host(tmp_path)
    view = replace(host.views["a0"], mission="")
    assert not view.behind
    assert due(host.fleet, host.fleet.agents[0], view, AgentHistory()) == ""


def test_the_history_forgets_what_is_over() -> None:
    fleet = make_fleet(make_agent("coder0"))
    behind = make.view(mission=OLD, mission_now=NEW)
    before = History(agents={"coder0": AgentHistory(mission_told="x")})
    later = history_after_look(make.plan(views={"coder0": behind}), before, fleet).agents["coder0"]
    assert (later.mission_since, later.mission_told) == (NOW, "x")
    again = history_after_look(
        make.plan(observed_at=NOW + 9, views={"coder0": behind}), History(agents={"coder0": later}), fleet
    )
    assert again.agents["coder0"].mission_since == NOW
    unseen = replace(behind, session="unknown", mission="")
    kept = history_after_look(make.plan(views={"coder0": unseen}), again, fleet).agents["coder0"]
    assert kept.mission_since == NOW
    current = replace(behind, mission=NEW)
    forgotten = history_after_look(make.plan(views={"coder0": current}), again, fleet).agents["coder0"]
    assert (forgotten.mission_since, forgotten.mission_told) == (0.0, "")
