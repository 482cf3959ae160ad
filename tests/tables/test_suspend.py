"""What a suspension and the kill switch hold, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from providers.base import HeldReason, Kind, Reason, ResourceKey, Verb
from reconciler.plan.draft import Draft
from reconciler.plan.holding.suspensions import (
    BY_DEPENDENCY,
    BY_SUSPENSION,
    Dependant,
    Suspended,
    hold_all,
    hold_suspended,
    in_force,
)
from specs.compiled import Suspension
from tests import builders as make
from tests.tables.rows import Examples, check, check_shape, expect, params

FOR_ALL = Suspension(reason="upgrade", by="ada", until=None)
FOR_ONE = Suspension(reason="demo", by="bob", until=make.NOW + 60)
START = make.action(Verb.START, "b", depends_on=("start:unit:a",))


def on(action: Any, start: str = "start:unit:a") -> Dependant:
    return Dependant(action=action, start=start)


EXAMPLES = (
    Examples("BY_SUSPENSION", BY_SUSPENSION, {
        "the whole fleet": expect(
            FOR_ALL,
            Suspended(agent="a", entries={"*": FOR_ALL}), Suspended(agent=None, entries={"*": FOR_ALL}),
            Suspended(agent="a", entries={"*": FOR_ALL, "a": FOR_ONE}),
        ),
        "its agent": expect(FOR_ONE, Suspended(agent="a", entries={"a": FOR_ONE})),
        "not suspended": expect(
            None, Suspended(agent="a", entries={}), Suspended(agent="b", entries={"a": FOR_ONE}),
            Suspended(agent=None, entries={"a": FOR_ONE}),
        ),
    }),
    Examples("BY_DEPENDENCY", BY_DEPENDENCY, {
        "does not depend on it": expect(False, on(START, "start:unit:c"), on(make.action(Verb.START, "b"))),
        "starts nothing": expect(
            False, *(on(make.action(verb, "b", depends_on=START.depends_on)) for verb in (Verb.STOP, Verb.WRITE))
        ),
        "lives already": expect(
            False, on(make.action(Verb.RESTART, "b", depends_on=START.depends_on, disrupts=True))
        ),
        "needs it to start": expect(True, on(START), on(make.action(Verb.RESTART, "b", depends_on=START.depends_on))),
    }),
)  # fmt: skip


@pytest.mark.parametrize(("one", "name", "decision", "situation"), params(*EXAMPLES))
def test_row(one: Examples, name: str, decision: Any, situation: Any) -> None:
    check(one, name, decision, situation)


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.name)
def test_shape(one: Examples) -> None:
    check_shape(one)


@pytest.mark.parametrize(("until", "counts"), [(None, True), (100.5, True), (100.0, False), (99.0, False)])
def test_a_suspension_counts_until_its_end(until: float | None, counts: bool) -> None:
    entry = Suspension(reason="", by="", until=until)
    assert in_force({"a": entry}, 100.0) == ({"a": entry} if counts else {})


def draft() -> Draft:
    """a, b and c start one after the other; d is written and started by itself."""
    made = Draft(now=make.NOW)
    before: tuple[str, ...] = ()
    for name in "abc":
        key = ResourceKey(Kind.UNIT, name)
        before = (made.add(Verb.START, key, f"{name}.service", Reason.NEW, agent=name, depends_on=before),)
    made.add(Verb.WRITE, ResourceKey(Kind.ENV, "d"), "d.env", Reason.NEW, agent="d")
    made.add(Verb.START, ResourceKey(Kind.UNIT, "d"), "d.service", Reason.NEW, agent="d")
    return made


def test_whoever_depends_on_one_that_is_suspended_is_not_started() -> None:
    made = draft()
    hold_suspended(made, {"a": FOR_ONE}, make.NOW)
    assert list(made.actions) == ["write:env:d", f"start:{Kind.UNIT}:d"]
    assert [(one.agent, one.reason, one.until) for one in made.held] == [
        ("a", HeldReason.SUSPENDED, FOR_ONE.until),
        ("b", HeldReason.DEPENDENCY, None),
        ("c", HeldReason.DEPENDENCY, None),
    ]
    assert made.held[0].message == "suspended by bob: demo"
    assert '"a"' in made.held[1].message
    assert '"b"' in made.held[2].message


@pytest.mark.parametrize("verb", [Verb.STOP, Verb.ENABLE])
def test_only_a_start_that_is_not_made_holds_others(verb: Verb) -> None:
    made = Draft(now=make.NOW)
    first = made.add(verb, ResourceKey(Kind.UNIT, "a"), "a", Reason.SPEC, agent="a")
    made.add(Verb.START, ResourceKey(Kind.UNIT, "b"), "b", Reason.NEW, agent="b", depends_on=(first,))
    hold_suspended(made, {"a": FOR_ALL}, make.NOW)
    assert [(one.agent, one.reason) for one in made.held] == [("a", HeldReason.SUSPENDED)]


@pytest.mark.parametrize("kind", [Kind.SESSION, Kind.ENV])
def test_only_a_unit_that_is_not_started_holds_others(kind: Kind) -> None:
    made = Draft(now=make.NOW)
    first = made.add(Verb.START, ResourceKey(kind, "a"), "a", Reason.SPEC, agent="a")
    made.add(Verb.START, ResourceKey(Kind.UNIT, "b"), "b", Reason.NEW, agent="b", depends_on=(first,))
    hold_suspended(made, {"a": FOR_ALL}, make.NOW)
    assert [(one.agent, one.reason) for one in made.held] == [("a", HeldReason.SUSPENDED)]


def test_the_whole_fleet_is_held_once_and_for_the_same_reason() -> None:
    made = draft()
    hold_suspended(made, {"*": FOR_ALL}, make.NOW)
    assert not made.actions
    assert [one.reason for one in made.held] == [HeldReason.SUSPENDED] * 5


def test_one_that_is_not_suspended_goes_on_and_the_next_one_is_held() -> None:
    made = draft()
    hold_suspended(made, {"d": FOR_ONE}, make.NOW)
    assert [one.agent for one in made.held] == ["d", "d"]


def test_what_is_over_holds_nothing() -> None:
    made = draft()
    hold_suspended(made, {"*": Suspension(reason="", by="", until=make.NOW)}, make.NOW)
    assert (len(made.actions), made.held) == (5, [])


def test_the_kill_switch_holds_everything() -> None:
    made = draft()
    hold_all(made, HeldReason.PAUSED, "why")
    assert not made.actions
    assert [(one.reason, one.message) for one in made.held] == [(HeldReason.PAUSED, "why")] * 5
