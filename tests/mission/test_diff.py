"""What has changed in a mission, in words."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.render.fleet_files.mission_diff_text import mission_diff_text, sentence
from specs.mission.diff import differences
from specs.mission.projection import render
from specs.models.north_star import NorthStar
from tests.mission.stars import graphs, star, unhurried
from tests.specs.test_projection import stars


def told(old: NorthStar | None, new: NorthStar | None) -> list[str]:
    return [sentence(one) for one in differences(old, new)]


def goal(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "title": name.upper(), **more}


def test_goals_are_known_by_their_ids() -> None:
    old = star(goals=(goal("a"), goal("b", phase=1, depends_on=("a",)), goal("c", priority="must-have")))
    new = star(
        goals=(
            goal("c", priority="should-have", phase=2, state="done"),
            goal("b", depends_on=("c", "d")),
            goal("d", phase=3, depends_on=("c",)),
        )
    )
    assert told(old, new) == [
        "goal a removed: A (state open)",
        "goal c: done; phase 2; priority must-have -> should-have",
        "goal b: phase was 1; after c, d; no longer after a",
        "goal d added: D (state open; phase 3; after c)",
        "goals: in another order",
    ]


def test_the_order_of_dependencies_means_nothing() -> None:
    old = star(goals=(goal("a"), goal("b"), goal("c", depends_on=("a", "b"))))
    new = star(goals=(goal("a"), goal("b"), goal("c", depends_on=("b", "a"))))
    assert told(old, new) == []


def test_long_texts_are_shown_before_and_after() -> None:
    old = star(success_criteria=({"id": "SC", "text": "It is\n quick."},), spend={"note": "Little."})
    new = NorthStar.model_validate({
        "version": 1, "mission": "One.\n\nTwo.", "success_criteria": ({"id": "SC", "text": "It is slow."},),
        "substrate": "A host.", "assumptions": ({"id": "AS", "text": "It rains.", "vetoable": False},),
    })  # fmt: skip
    assert mission_diff_text(differences(old, new)) == (
        "5 changes\n"
        "\n"
        "mission: text changed\n"
        "  - x\n"
        "  + One.\n"
        "  + Two.\n"
        "substrate added: A host.\n"
        "criterion SC: text changed\n"
        "  - It is quick.\n"
        "  + It is slow.\n"
        "assumption AS added (vetoable no): It rains.\n"
        "spend removed (advisory yes): Little.\n"
    )


def test_a_text_that_is_only_folded_otherwise_is_the_same() -> None:
    assert told(star(mission="One\ntwo.\n\nThree."), star(mission="One two.\n\n Three.")) == []
    assert mission_diff_text(()) == "the mission is the same\n"


def test_a_fleet_that_had_no_mission() -> None:
    made = star(goals=(goal("a"),))
    assert told(None, made) == ["mission added: x", "goal a added: A (state open)"]
    assert told(made, None) == ["mission removed: x", "goal a removed: A (state open)"]
    assert told(None, None) == []


def test_another_workstream_moves_the_goals_that_belong_to_it_by_name() -> None:
    old = star(workstreams=({"id": "A", "title": "x"},), goals=(goal("A1"),))
    new = star(goals=(goal("A1"),))
    assert told(old, new) == ["workstream A removed: x", "goal A1: workstream was A"]


@unhurried
@given(graphs(), graphs())
def test_whatever_is_told_has_changed_and_whatever_has_changed_is_told(old: NorthStar, new: NorthStar) -> None:
    assert differences(old, old) == ()
    assert bool(differences(old, new)) == (render(old) != render(new))
    for one in differences(old, new):
        text = sentence(one)
        assert text
        assert "\n" not in text


@unhurried
@given(stars(), st.data())
def test_any_two_missions_can_be_compared(written: dict[str, Any], data: st.DataObject) -> None:
    other = data.draw(stars())
    found = differences(NorthStar.model_validate(written), NorthStar.model_validate(other))
    text = mission_diff_text(found)
    assert text.endswith("\n")
    assert text.count("\n") >= len(found)
