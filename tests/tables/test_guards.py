"""Which removals are refused, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from providers.base import HeldReason
from reconciler.model import Inventory, Owned
from reconciler.plan.holding.guards import BY_FLOOR, BY_NUMBER, Refusal, Removal, Removals, refusals, removal_limit
from specs.compiled import Agent, Peer, Policy
from tests.tables.fleets import make_agent, make_fleet
from tests.tables.rows import Examples, check, check_shape, expect, params

LAST = Removal(name="orch", role="orchestrator", floor=True, another=False)
TWO = Removals(host="build-1", names=("a", "b"), declared=True, allowed=None, limit=2)


def _what(refusal: Refusal) -> tuple[HeldReason, list[str]]:
    return refusal.reason, sorted(refusal.agents)


EXAMPLES = (
    Examples("BY_FLOOR", BY_FLOOR, {
        "no floor": expect(False, replace(LAST, floor=False)),
        "class without a floor": expect(False, replace(LAST, role="coder"), replace(LAST, role="")),
        "another one stays": expect(False, replace(LAST, another=True), replace(LAST, role="enhancer", another=True)),
        "last of its class": expect(True, LAST, replace(LAST, role="enhancer")),
    }),
    Examples("BY_NUMBER", BY_NUMBER, {
        "no agent of the roster is here": expect(
            (HeldReason.PRUNE, ["a", "b"]), replace(TWO, declared=False), replace(TWO, declared=False, limit=0)
        ),
        "more than a run may remove": expect(
            (HeldReason.PRUNE, ["a", "b"]),
            replace(TWO, limit=1), replace(TWO, limit=9, allowed=1), replace(TWO, declared=False, allowed=0),
        ),
        "within the limit": expect(
            None,
            TWO, replace(TWO, limit=0, allowed=2), replace(TWO, declared=False, allowed=2),
            replace(TWO, names=(), limit=0), replace(TWO, names=(), declared=False),
        ),
    }, outcome=_what),
)  # fmt: skip


@pytest.mark.parametrize(("one", "name", "decision", "situation"), params(*EXAMPLES))
def test_row(one: Examples, name: str, decision: Any, situation: Any) -> None:
    check(one, name, decision, situation)


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.name)
def test_shape(one: Examples) -> None:
    check_shape(one)


def owned(**roles: str) -> Inventory:
    return Inventory(agents={name: Owned(agent_class=role, socket="s") for name, role in roles.items()})


@pytest.mark.parametrize(
    ("number", "agents", "limit"), [(3, 0, 0), (3, 1, 1), (3, 4, 1), (3, 5, 2), (3, 12, 3), (3, 40, 3), (0, 40, 0)]
)
def test_a_run_removes_at_most_a_quarter_and_what_the_policy_says(number: int, agents: int, limit: int) -> None:
    fleet = make_fleet(policy=Policy(max_removals=number))
    assert removal_limit(fleet, owned(**{f"a{one}": "coder" for one in range(agents)})) == limit


CODERS = {f"c{number}": "coder" for number in range(8)}
FLOOR = Policy(floor="two-agent", max_removals=3)
PEER = Peer(name="far", agent_class="orchestrator", runtime="stub", state="running", host="build-2")


def in_class(name: str, role: str, state: Any = "running") -> Agent:
    return replace(make_agent(name, state=state), agent_class=role)


def test_the_floor_refuses_by_itself_and_the_number_counts_the_rest() -> None:
    fleet = make_fleet(in_class("c9", "coder"), policy=FLOOR)
    known = owned(orch="orchestrator", **CODERS)
    found = refusals(["orch", "c0", "c1", "c2"], fleet, known, None)
    assert [_what(one) for one in found] == [(HeldReason.FLOOR, ["orch"])]
    found = refusals(["orch", "c0", "c1", "c2", "c3"], fleet, known, None)
    assert [_what(one) for one in found] == [
        (HeldReason.FLOOR, ["orch"]),
        (HeldReason.PRUNE, ["c0", "c1", "c2", "c3"]),
    ]
    assert [_what(one) for one in refusals(["orch", "c0"], fleet, known, 9)] == [(HeldReason.FLOOR, ["orch"])]


def test_what_stays_is_counted_here_and_on_other_hosts() -> None:
    known = owned(orch="orchestrator", **CODERS)
    for fleet, refused in (
        (make_fleet(in_class("c9", "coder"), policy=FLOOR), True),
        (make_fleet(in_class("orch2", "orchestrator"), policy=FLOOR), False),
        (make_fleet(in_class("orch2", "orchestrator", "absent"), policy=FLOOR), True),
        (make_fleet(in_class("orch2", "orchestrator", "stopped"), policy=FLOOR), False),
        (make_fleet(in_class("enh", "enhancer"), in_class("zed", "tester"), policy=FLOOR), True),
        (replace(make_fleet(in_class("c9", "coder"), policy=FLOOR), peers=(PEER,)), False),
        (replace(make_fleet(in_class("orch2", "orchestrator"), policy=FLOOR), peers=(PEER,)), False),
        (replace(make_fleet(in_class("c9", "coder"), policy=FLOOR), peers=(replace(PEER, state="absent"),)), True),
    ):
        assert bool(refusals(["orch"], fleet, known, None)) is refused


def test_the_floor_of_the_inventory_outlives_the_commit_that_drops_it() -> None:
    fleet = make_fleet(in_class("c9", "coder"), policy=Policy(floor="none"))
    known = owned(orch="orchestrator", **CODERS)
    assert refusals(["orch"], fleet, known, None) == ()
    assert [_what(one) for one in refusals(["orch"], fleet, replace(known, floor="two-agent"), None)] == [
        (HeldReason.FLOOR, ["orch"])
    ]
    assert refusals(["nobody"], fleet, replace(known, floor="two-agent"), None) == ()


def test_a_roster_without_this_host_removes_nobody() -> None:
    (found,) = refusals(["c0", "c1"], make_fleet(), owned(**CODERS), None)
    assert _what(found) == (HeldReason.PRUNE, ["c0", "c1"])
    assert "--allow-removals 2" in found.message
    assert "no agent of this roster is on host" in found.message
    assert refusals(["c0", "c1"], make_fleet(), owned(**CODERS), 2) == ()


def test_the_message_names_five_agents_and_counts_the_rest() -> None:
    fleet = make_fleet(in_class("c9", "coder"), policy=FLOOR)
    four = refusals([f"c{number}" for number in range(4)], fleet, owned(**CODERS), None)
    six = refusals([f"c{number}" for number in range(6)], fleet, owned(**CODERS), None)
    assert "(c0, c1, c2, c3), and" in four[0].message
    assert "(c0, c1, c2, c3, c4 and 1 more), and" in six[0].message
    many = {f"a{number:02}": "coder" for number in range(12)}
    assert " and 7 more)" in refusals(list(many), fleet, owned(**many), None)[0].message
    for allowed, may in ((None, 2), (1, 1)):
        (found,) = refusals([f"c{number}" for number in range(7)], fleet, owned(**CODERS), allowed)
        assert "7 agents would be removed (c0, c1, c2, c3, c4 and 2 more), and" in found.message
        assert f"may remove {may}:" in found.message
        assert found.short == f"7 removals are due, and this run may make {may}"
    (found,) = refusals([f"c{number}" for number in range(5)], fleet, owned(**CODERS), None)
    assert "(c0, c1, c2, c3, c4), and" in found.message
