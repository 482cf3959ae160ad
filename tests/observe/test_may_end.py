"""What may end an agent: each row and column of the table, and what no combination of evidence may bring about."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model import CLOSED, OF_A_PERSON, Readiness
from reconciler.observe.may_end import NO, QUIET, TABLE, YES, Doing, EndAnswer, Who, doing, may_end
from reconciler.observe.readiness import BETWEEN_TURNS
from tests import builders as make

# A view of each row; `quiet` is as it comes.
VIEWS: dict[Doing, dict[str, Any]] = {
    Doing.GONE: {"session": "missing", "readiness": Readiness.DEAD},
    Doing.AVAILABLE: {"readiness": Readiness.AVAILABLE},
    Doing.STUCK: {"readiness": Readiness.STUCK, "stuck": "rate-limit"},
    Doing.HUNG: {"readiness": Readiness.STALE, "hung": True, "readiness_why": "last heartbeat 90 s ago"},
    Doing.STALE: {"readiness": Readiness.STALE, "readiness_why": "last heartbeat 90 s ago"},
    Doing.UNKNOWN: {"readiness": Readiness.UNKNOWN, "readiness_why": "no heartbeat file"},
    Doing.BETWEEN_TURNS: {"readiness": Readiness.WAITING, "waiting": "trust"},
    Doing.IN_A_TURN: {"readiness": Readiness.WAITING, "waiting": "permission"},
    Doing.QUEUED: {"readiness": Readiness.AVAILABLE, "queued": 1},
    Doing.WORKING: {"readiness": Readiness.WORKING, "readiness_why": "hook says busy"},
    Doing.UNSEEN: {"session": "unknown"},
    Doing.FOREIGN: {"session": "foreign"},
}
EVERYBODY = [*Who]
UNASKED = [who for who in Who if who is not Who.FORCE]
# The table once more, as people say it: an answer for whoever does not force it, and one for whoever does.
SAID: dict[Doing, tuple[EndAnswer, EndAnswer]] = {
    Doing.GONE: (YES, YES),
    Doing.AVAILABLE: (YES, YES),
    Doing.STUCK: (YES, YES),
    Doing.HUNG: (YES, YES),
    Doing.STALE: (QUIET, YES),
    Doing.UNKNOWN: (QUIET, YES),
    Doing.BETWEEN_TURNS: (QUIET, YES),
    Doing.IN_A_TURN: (NO, YES),
    Doing.QUEUED: (NO, YES),
    Doing.WORKING: (NO, YES),
    Doing.UNSEEN: (NO, YES),
    Doing.FOREIGN: (NO, NO),
}


@pytest.mark.parametrize("row", Doing)
def test_each_row(row: Doing) -> None:
    assert TABLE.keys() == SAID.keys() == set(Doing)
    for quiet in (True, False, None):
        view = make.view(**VIEWS[row], quiet=quiet)
        assert doing(view) is row
        for who in EVERYBODY:
            answer = SAID[row][who is Who.FORCE]
            assert TABLE[row][who] == answer
            ending = may_end(view, who)
            allowed = answer == YES or (answer == QUIET and quiet is True)
            assert bool(ending.allowed) is allowed
            assert bool(ending.why) is not allowed  # a reason exactly where it is refused


@pytest.mark.parametrize("row", Doing)
def test_whoever_asks_gets_the_same_answer_but_for_force(row: Doing) -> None:
    for quiet in (True, False, None):
        view = make.view(**VIEWS[row], quiet=quiet)
        assert len({may_end(view, who) for who in UNASKED}) == 1


@pytest.mark.parametrize(
    ("view", "row"),
    [
        ({"readiness": Readiness.WAITING, "waiting": "question"}, Doing.IN_A_TURN),
        ({"readiness": Readiness.WAITING, "waiting": "draft"}, Doing.IN_A_TURN),
        ({"readiness": Readiness.WAITING, "waiting": "something new"}, Doing.IN_A_TURN),
        ({"readiness": Readiness.WAITING, "waiting": "menu"}, Doing.IN_A_TURN),
        ({"readiness": Readiness.WAITING, "waiting": "trust", "busy": True}, Doing.IN_A_TURN),
        ({"readiness": Readiness.WAITING, "waiting": "trust", "queued": 1}, Doing.IN_A_TURN),
        ({"readiness": Readiness.WAITING, "waiting": "login"}, Doing.BETWEEN_TURNS),
        ({"readiness": Readiness.STUCK, "busy": True}, Doing.WORKING),
        ({"readiness": Readiness.STALE, "busy": True}, Doing.WORKING),  # its hooks say so, and those do not age
        ({"readiness": Readiness.UNKNOWN, "busy": True}, Doing.WORKING),
        ({"readiness": Readiness.DEAD}, Doing.UNKNOWN),  # a pane that lives, and its process could not be found
    ],
)
def test_in_between(view: dict[str, Any], row: Doing) -> None:
    assert doing(make.view(**view)) is row


def test_what_stands_before_the_first_turn_is_closed() -> None:
    assert BETWEEN_TURNS <= CLOSED
    assert CLOSED.isdisjoint(OF_A_PERSON)


VIEW = st.builds(
    make.view,
    session=st.sampled_from(("alive", "dead", "missing", "foreign", "unknown")),
    readiness=st.sampled_from(Readiness),
    waiting=st.sampled_from(("", "permission", "question", "trust", "login", "menu", "draft", "new")),
    busy=st.booleans(),
    quiet=st.sampled_from((True, False, None)),
    hung=st.booleans(),
    queued=st.sampled_from((0, 1)),
)


@settings(deadline=None)  # the machine may be busy
@given(VIEW, st.sampled_from(UNASKED))
def test_nobody_ends_one_that_works_or_is_in_the_middle_of_an_answer(view: Any, who: Who) -> None:
    ending = may_end(view, who)
    if view.session == "alive" and not view.hung:
        if view.busy or view.queued or view.readiness is Readiness.WORKING:
            assert not ending.allowed
        if view.readiness is Readiness.WAITING and view.waiting not in BETWEEN_TURNS:
            assert not ending.allowed
    assert bool(ending.why) is not bool(ending.allowed)
