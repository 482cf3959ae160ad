"""What may end an agent: the row of each agent, and what is said where it may not be ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.model import AgentView, Readiness
from reconciler.observe.may_end import DOINGS, NO, OBJECTION, QUIET, TABLE, YES, Doing, Ending, Who, doing, may_end
from tests import builders as make
from tests.tables.rows import Examples, check, check_shape, expect, params


def view(word: Readiness = Readiness.AVAILABLE, **more: Any) -> AgentView:
    return make.view(readiness=word, **more)


EXAMPLES = Examples("DOINGS", DOINGS, {
    "unseen": expect(Doing.UNSEEN, view(session="unknown"), view(session="unknown", hung=True, busy=True)),
    "foreign": expect(Doing.FOREIGN, view(session="foreign"), view(session="foreign", hung=True)),
    "gone": expect(Doing.GONE, view(session="dead", hung=True), view(session="missing"),
                   view(Readiness.WORKING, session="dead", busy=True)),
    "hung": expect(Doing.HUNG, view(Readiness.STALE, hung=True), view(Readiness.WAITING, hung=True, waiting="login"),
                   view(Readiness.STALE, hung=True, busy=True)),
    "asks before a turn": expect(
        Doing.BETWEEN_TURNS,
        *(view(Readiness.WAITING, waiting=word) for word in ("trust", "bypass", "first-run", "login", "resume")),
    ),
    "asks within a turn": expect(
        Doing.IN_A_TURN, view(Readiness.WAITING, waiting="permission"), view(Readiness.WAITING, waiting="draft"),
        view(Readiness.WAITING, waiting="menu"), view(Readiness.WAITING, waiting="trust", busy=True),
        view(Readiness.WAITING, waiting="unknown", queued=1), view(Readiness.WAITING, waiting="anything"),
    ),
    "has messages": expect(
        Doing.QUEUED, *(view(word, queued=1) for word in Readiness if word is not Readiness.WAITING),
        view(Readiness.WORKING, queued=2, busy=True),
    ),
    "says busy": expect(
        Doing.WORKING, *(view(word, busy=True) for word in Readiness if word is not Readiness.WAITING)
    ),
    "works": expect(Doing.WORKING, view(Readiness.WORKING)),
    "available": expect(Doing.AVAILABLE, view(Readiness.AVAILABLE, waiting="login")),
    "stuck": expect(Doing.STUCK, view(Readiness.STUCK)),
    "stale": expect(Doing.STALE, view(Readiness.STALE)),
    "unknown": expect(Doing.UNKNOWN, view(Readiness.UNKNOWN), view(Readiness.DEAD)),
})  # fmt: skip


@pytest.mark.parametrize(("one", "name", "decision", "situation"), params(EXAMPLES))
def test_row(one: Examples, name: str, decision: Any, situation: Any) -> None:
    check(one, name, decision, situation)
    assert doing(situation) is decision


def test_shape() -> None:
    check_shape(EXAMPLES)


A_VIEW = {
    Doing.GONE: view(session="dead"),
    Doing.AVAILABLE: view(),
    Doing.STUCK: view(Readiness.STUCK),
    Doing.HUNG: view(Readiness.STALE, hung=True),
    Doing.STALE: view(Readiness.STALE),
    Doing.UNKNOWN: view(Readiness.UNKNOWN),
    Doing.BETWEEN_TURNS: view(Readiness.WAITING, waiting="login"),
    Doing.IN_A_TURN: view(Readiness.WAITING, waiting="permission"),
    Doing.QUEUED: view(queued=1),
    Doing.WORKING: view(Readiness.WORKING),
    Doing.UNSEEN: view(session="unknown"),
    Doing.FOREIGN: view(session="foreign"),
}
# As people say it: for whoever does not force it, and for whoever does.
SAID = {
    **dict.fromkeys((Doing.GONE, Doing.AVAILABLE, Doing.STUCK, Doing.HUNG), (YES, YES)),
    **dict.fromkeys((Doing.STALE, Doing.UNKNOWN, Doing.BETWEEN_TURNS), (QUIET, YES)),
    **dict.fromkeys((Doing.IN_A_TURN, Doing.QUEUED, Doing.WORKING, Doing.UNSEEN), (NO, YES)),
    Doing.FOREIGN: (NO, NO),
}


@pytest.mark.parametrize("row", Doing)
@pytest.mark.parametrize("who", Who)
def test_each_cell(row: Doing, who: Who) -> None:
    assert TABLE.keys() == SAID.keys() == A_VIEW.keys() == OBJECTION.keys() == set(Doing)
    answer = SAID[row][who is Who.FORCE]
    assert TABLE[row][who] == answer
    for quiet in (True, False, None):
        ending = may_end(replace(A_VIEW[row], quiet=quiet), who)
        assert (ending.allowed is True) is (answer == YES or (answer == QUIET and quiet is True))
        nothing_tells = row in (Doing.UNSEEN, Doing.FOREIGN) or (answer == QUIET and quiet is None)
        if ending.allowed is not True:
            assert ending.allowed is (None if nothing_tells else False)
        assert bool(ending.why) is (ending.allowed is not True)


@pytest.mark.parametrize(
    ("one", "ending"),
    [
        (view(session="unknown"), Ending(None, "it could not be seen")),
        (view(session="foreign"), Ending(None, "its session is not this fleet's")),
        (view(Readiness.WORKING, readiness_why="hook says busy"), Ending(False, "it works: hook says busy")),
        (view(Readiness.WORKING), Ending(False, "it works")),
        (view(Readiness.STALE, busy=True, readiness_why="x"), Ending(False, "it works: its program says busy")),
        (view(Readiness.WAITING, waiting="question"), Ending(False, "it waits for a person (question)")),
        (view(Readiness.WAITING, waiting="login"),
         Ending(None, "it waits for a person (login), and whether it is idle is not known")),
        (view(Readiness.WAITING, waiting="login", quiet=False),
         Ending(False, "it waits for a person (login), and it was active a moment ago")),
        (view(Readiness.STALE, readiness_why="old", quiet=False), Ending(False, "old, and it was active a moment ago")),
        (view(queued=1), Ending(False, "messages that it has yet to take up are in its queue")),
        (view(Readiness.UNKNOWN), Ending(None, "whether it is idle is not known")),
        (view(Readiness.UNKNOWN, quiet=True), Ending(True)),
        (view(Readiness.WAITING, busy=True, waiting="login"), Ending(False, "it waits for a person (login)")),
    ],
)  # fmt: skip
def test_what_is_said(one: AgentView, ending: Ending) -> None:
    assert may_end(one, Who.COMMIT) == ending


def test_a_word_that_is_not_known_is_taken_for_no_other() -> None:
    words: list[Any] = ["a-word-unknown", "zzz-unknown"]
    assert [doing(view(session=word)) for word in words] == [Doing.AVAILABLE] * 2
    assert [doing(view(word)) for word in words] == [Doing.UNKNOWN] * 2
    assert may_end(view(words[1], busy=True), Who.COMMIT).why == "it works: its program says busy"
