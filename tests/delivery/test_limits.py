"""Usage limits: an agent is told once to go on when its limit has ended, and what waits for it comes after that."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from providers.evidence import KeptTrouble
from providers.machine.facts import gather
from reconciler.delivery.outbox import Outbox
from reconciler.delivery.verdict import Delivery
from reconciler.loop.bookkeeping import history_after_look
from reconciler.model import AgentHistory, AgentView, History, Readiness
from reconciler.run.limit_round import LIMIT_SLACK_S, LIMIT_UNKNOWN_S, due, limit_is_over, mark, run_round
from reconciler.run.outbox_round import OutboxRound
from reconciler.run.outbox_round import run_round as outbox_round
from reconciler.state.store import Store
from specs.compiled import Agent, Suspension
from tests import builders as make
from tests.launch.bench import make_agent, make_fleet
from tests.specs.helpers import agent as agent_of
from tests.specs.helpers import agents, compiled, read

END = make.NOW
LATER = END + LIMIT_SLACK_S
CODER = make_agent("coder0", limit_nudge="go on")
FLEET = replace(make_fleet(CODER), name="demo")


def at_limit(**changes: Any) -> AgentView:
    stuck = {"session": "alive", "pid": 7, "life": "7.8", "readiness": Readiness.STUCK, "stuck": "limit"}
    return make.view("coder0", **{**stuck, "until": "3pm", "until_at": END, **changes})


@pytest.fixture
def store(isolated: Path) -> Store:
    del isolated
    return Store.open(gather(os.environ), "demo")


@pytest.mark.parametrize(
    ("rules", "entry", "text"),
    [("", "", "go on"), ("limit_nudge: off", "", ""), ("limit_nudge: off", ", limit_nudge: weiter", "weiter"),
     ("limit_nudge: weiter", "", "weiter"), ("", ", limit_nudge: off", "")],
)  # fmt: skip
def test_the_fleet_says_what_it_is_told_and_an_entry_may_say_otherwise(rules: str, entry: str, text: str) -> None:
    loaded = read(agents(f"name: a, runtime: claude{entry}"), f"name: demo\nfloor: none\n{rules}\n")
    assert agent_of(compiled(loaded), "a").limit_nudge == text


@pytest.mark.parametrize(
    ("view", "now", "over"),
    [
        (at_limit(), LATER, True),
        (at_limit(), LATER - 1, False),
        (at_limit(until_at=0.0), LATER, False),
        (at_limit(stuck="api-error"), LATER, False),
        (at_limit(stuck="", readiness=Readiness.WORKING), LATER, False),
        (at_limit(session="dead"), LATER, False),
    ],
)
def test_when_a_limit_is_over(view: AgentView, now: float, over: bool) -> None:
    assert limit_is_over(view, now) is over
    assert due(CODER, view, AgentHistory(), now) is over


@pytest.mark.parametrize(
    ("agent", "known"),
    [
        (replace(CODER, limit_nudge=""), AgentHistory()),
        (replace(CODER, state="stopped"), AgentHistory()),
        (CODER, AgentHistory(limit_nudged=mark(at_limit()))),
    ],
)
def test_who_is_not_told(agent: Agent, known: AgentHistory) -> None:
    assert not due(agent, at_limit(), known, LATER)


def test_it_is_told_once_for_each_limit_of_each_process(store: Store) -> None:
    def told(view: AgentView, now: float = LATER) -> tuple[str, ...]:
        return run_round(FLEET, {"coder0": view}, store, boot="b", now=now)

    assert told(at_limit(), END) == ()
    assert told(at_limit()) == ("coder0",)
    assert told(at_limit()) == ()
    assert [(one.text, one.sender) for one in Outbox(store).messages()] == [("go on", "private-host:mosaic")]
    assert told(at_limit(until_at=END + 3600), LATER + 3600) == ("coder0",)  # the next limit
    assert told(at_limit(until_at=END + 3600, life="9.9"), LATER + 3600) == ("coder0",)
    assert len(Outbox(store).messages()) == 1  # it takes the place of what still waited


def test_a_trouble_that_is_over_forgets_what_was_told() -> None:
    history = History(agents={"coder0": AgentHistory(limit_nudged=mark(at_limit()))})

    def after(view: AgentView) -> str:
        return history_after_look(make.plan(views={"coder0": view}), history, FLEET).agents["coder0"].limit_nudged

    kept = KeptTrouble("limit", 0.0, "7.8", until="3pm", until_at=END, reported=False)
    assert after(at_limit(trouble=kept)) == mark(at_limit())
    assert after(at_limit(stuck="", readiness=Readiness.WORKING)) == ""


class Sent:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, fleet: object, agent: Agent, text: str, **options: Any) -> Delivery:
        del fleet, agent
        options["before_paste"]()
        self.texts.append(text)
        return Delivery(word="delivered", evidence="hook")


def sent_in(store: Store, view: AgentView, now: float, fleet: Any = FLEET, **changes: Any) -> list[str]:
    """What one round of the outbox sends."""
    sent = Sent()
    by = OutboxRound(
        fleet=fleet, views={"coder0": view}, facts=gather(os.environ), store=store, suspended={}, source="reconcile",
        paused=lambda: None, over=lambda: False, wall=lambda: now, monotonic=lambda: 0.0, send=sent,
    )  # fmt: skip
    outbox_round(replace(by, **changes))
    return sent.texts


def test_what_waits_comes_after_it(store: Store) -> None:
    outbox = Outbox(store)
    outbox.put(agent="coder0", sender="build-1:operator", text="then look at the tests", now=END)
    assert sent_in(store, at_limit(), END) == []
    assert sent_in(store, at_limit(), LATER) == []  # nothing told it to go on yet
    run_round(FLEET, {"coder0": at_limit()}, store, boot="b", now=LATER)
    alone = {"suspended": {"coder0": Suspension(reason="r", by="jo", until=None)}}
    assert sent_in(store, at_limit(), LATER, **alone) == []
    assert sent_in(store, at_limit(), LATER) == ["go on"]
    assert sent_in(store, at_limit(), LATER) == []  # it is still stuck, by all that is known
    free = at_limit(stuck="", readiness=Readiness.AVAILABLE, available=True)
    assert sent_in(store, free, LATER) == ["then look at the tests"]


def test_where_nothing_tells_it_the_first_message_does(store: Store) -> None:
    quiet = replace(FLEET, agents=(replace(CODER, limit_nudge=""),))
    Outbox(store).put(agent="coder0", sender="build-1:operator", text="one", now=END)
    Outbox(store).put(agent="coder0", sender="build-1:operator", text="two", now=END)
    assert sent_in(store, at_limit(), END, quiet) == []
    assert sent_in(store, at_limit(), LATER, quiet) == ["one"]


def test_a_limit_that_is_printed_again_holds_nothing_for_ever(store: Store) -> None:
    Outbox(store).put(agent="coder0", sender="build-1:operator", text="one", now=END)
    told = {"nudged": {"coder0": mark(at_limit())}}
    assert sent_in(store, at_limit(), END + LIMIT_UNKNOWN_S - 1, **told) == []
    assert sent_in(store, at_limit(), END + LIMIT_UNKNOWN_S) == []  # nothing told it to go on yet
    assert sent_in(store, at_limit(), END + LIMIT_UNKNOWN_S, **told) == ["one"]


def test_a_limit_without_an_end_holds_messages_for_an_hour(store: Store) -> None:
    unknown = at_limit(until="", until_at=0.0, trouble=KeptTrouble("limit", END, "7.8"))
    Outbox(store).put(agent="coder0", sender="build-1:operator", text="one", now=END)
    assert sent_in(store, unknown, END + LIMIT_UNKNOWN_S - 1) == []
    assert not due(CODER, unknown, AgentHistory(), END + LIMIT_UNKNOWN_S)
    assert sent_in(store, unknown, END + LIMIT_UNKNOWN_S) == ["one"]


def test_at_a_limit_without_an_end_one_message_an_hour_is_tried(store: Store) -> None:
    unknown = at_limit(until="", until_at=0.0, trouble=KeptTrouble("limit", END, "7.8"))
    outbox, tried = Outbox(store), END + LIMIT_UNKNOWN_S
    for text in ("one", "two"):
        outbox.put(agent="coder0", sender="build-1:operator", text=text, now=END)
    first = next(one for one in outbox.messages() if one.text == "one")
    outbox.end(first, tried, state="unconfirmed", reason="it is at its usage limit")
    assert sent_in(store, unknown, tried + LIMIT_UNKNOWN_S - 1) == []
    assert sent_in(store, unknown, tried + LIMIT_UNKNOWN_S) == ["two"]
