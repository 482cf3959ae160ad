"""Which goals are ready, and what comes after what."""

from __future__ import annotations

from hypothesis import given

from specs.mission.goals import ready, standings
from specs.models.north_star import NorthStar
from tests.mission.stars import TEXT, goals, graphs, star, unhurried
from tests.specs.helpers import ONE, read


def test_ready_is_what_waits_for_nothing_the_most_urgent_first() -> None:
    found = read(ONE, star=TEXT).north_star
    assert found is not None
    standing = standings(found)
    assert [one.goal.id for one in ready(standing)] == ["core-2", "core-1", "A2"]
    assert {one.goal.id: (one.state, one.waits_for, one.layer) for one in standing} == {
        "A1": ("done", (), 1),
        "A2": ("ready", (), 2),
        "core-1": ("ready", (), 2),
        "core-2": ("ready", (), 2),
        "core-3": ("waiting", ("A2", "core-1", "core-2"), 3),
    }
    assert [one.workstream for one in standing] == ["A", "A", "core", "A", "core"]


def test_the_longest_workstream_that_fits_is_meant() -> None:
    streams = ("A", "A1", "B", "core")
    names = ("A1", "A1.2", "A12", "A2", "Backup", "B-2", "core2", "cores", "core", "x")
    made = star(
        workstreams=tuple({"id": f"{one}", "title": one} for one in streams),
        goals=tuple({"id": name, "title": name} for name in names),
    )
    # "A12" is the twelfth of A: a number is not cut in two.
    assert made.workstream_of() == {"A1": "A", "A1.2": "A1", "A12": "A", "A2": "A", "B-2": "B", "core2": "core"}


@unhurried
@given(graphs())
def test_every_goal_is_one_of_three(made: NorthStar) -> None:
    by_name = {one.goal.id: one for one in standings(made)}
    assert list(by_name) == [goal.id for goal in made.goals]
    for one in by_name.values():
        before = [by_name[other] for other in one.goal.depends_on]
        assert one.layer == max((other.layer for other in before), default=0) + 1
        open_ = {other.goal.id for other in before if other.state != "done"}
        assert (one.state == "done") == (one.goal.state == "done")
        assert set(one.waits_for) == (set() if one.state == "done" else open_)
        assert (one.state == "ready") == (one.state != "done" and not open_)
    chosen = ready(tuple(by_name.values()))
    assert {one.goal.id for one in chosen} == {one.goal.id for one in by_name.values() if one.state == "ready"}
    phases = [1001 if one.goal.phase is None else one.goal.phase for one in chosen]
    assert phases == sorted(phases)
    # While there is something open, something can be begun: nothing waits for itself.
    assert bool(chosen) == any(one.state != "done" for one in by_name.values())


def test_a_chain_may_be_long() -> None:
    made = goals(**{f"g{at}": [f"g{at - 1}"] if at else [] for at in range(5000)})
    assert [one.layer for one in standings(made)] == list(range(1, 5001))
