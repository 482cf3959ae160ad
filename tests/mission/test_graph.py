"""Goals as text and as a drawing: nothing is left out, everything fits."""

from __future__ import annotations

from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from reconciler.render.charts.graph_svg import MOST, drawable, graph_svg
from reconciler.render.charts.layers import Box, lay_out
from reconciler.render.fleet_files.goals_text import graph_text, next_text
from reconciler.render.fold import columns, folded
from specs.mission.goals import standings
from specs.models.north_star import NorthStar
from tests.mission.stars import TEXT, WORDS, goals, graphs, star, unhurried
from tests.specs.helpers import ONE, read

SVG = "{http://www.w3.org/2000/svg}"


@unhurried
@given(WORDS.map(lambda word: word[:12]), st.lists(WORDS, max_size=12))
def test_folding_loses_nothing_and_fits(first: str, words: list[str]) -> None:
    lines = folded(first, "  ", words, width=30)
    assert all(columns(line) <= 30 for line in lines)
    assert "".join("".join(lines).split()) == "".join((first + "".join(words)).split())


@unhurried
@given(graphs())
def test_the_graph_fits_80_columns_and_has_every_goal(made: NorthStar) -> None:
    standing = standings(made)
    text = graph_text(standing)
    assert all(columns(line) <= 80 for line in text.splitlines())
    packed = "".join(text.split())
    assert all("".join(one.goal.id.split()) in packed for one in standing)
    assert graph_text(standing) == text
    assert next_text(standing).count("\n") >= len([one for one in standing if one.state != "done"])


def test_the_graph_of_some_goals() -> None:
    made = read(ONE, star=TEXT).north_star
    assert made is not None
    assert graph_text(standings(made)) == (
        "5 goals: 1 done, 3 ready, 1 waiting\n"
        "\n"
        "1  [x] A1      Ask\n"
        "2  [>] A2      Ask again (after A1)\n"
        "   [>] core-1  Answer (after A1)\n"
        "   [>] core-2  Check (after A1)\n"
        "3  [ ] core-3  Write it down (after A2, core-1, core-2)\n"
        "\n"
        "[x] done  [>] ready  [ ] waiting\n"
    )
    assert next_text(standings(made)) == (
        "5 goals: 1 done, 3 ready, 1 waiting\n"
        "\n"
        "READY   PHASE  PRIORITY     WORKSTREAM  TITLE\n"
        "core-2  1      must-have    A           Check\n"
        "core-1  1      should have  core        Answer\n"
        "A2      2      -            A           Ask again\n"
        "\n"
        "WAITING  FOR                 TITLE\n"
        "core-3   A2, core-1, core-2  Write it down\n"
    )


def test_no_goals() -> None:
    assert graph_text(()) == next_text(()) == "no goals yet\n"
    assert "no goals yet" in graph_svg(())


def test_what_a_terminal_would_obey_is_not_in_it() -> None:
    made = star(goals=({"id": "a\u200bb", "title": "x\u200dy"},))
    assert graph_text(standings(made)).isascii()


def boxes(made: NorthStar) -> list[Box]:
    return [
        Box(
            name=one.goal.id,
            layer=one.layer - 1,
            width=20 + 7 * len(one.goal.id),
            height=20 + 3 * len(one.goal.title),
            after=one.goal.depends_on,
        )
        for one in standings(made)
    ]


@unhurried
@given(graphs(most=16))
def test_no_box_lies_on_another_and_every_edge_goes_to_the_right(made: NorthStar) -> None:
    laid = boxes(made)
    drawing = lay_out(laid)
    assert drawing == lay_out(laid)
    for one, two in combinations(laid, 2):
        (left, top), (other_left, other_top) = drawing.corners[one.name], drawing.corners[two.name]
        beside = left + one.width < other_left or other_left + two.width < left
        above = top + one.height < other_top or other_top + two.height < top
        assert beside or above, (one, two)
    for box in laid:
        left, top = drawing.corners[box.name]
        assert 0 <= left <= left + box.width <= drawing.width
        assert -1 <= top <= top + box.height <= drawing.height + 1  # rounded to pixels
        for other in box.after:
            way = drawing.ways[other, box.name]
            assert all(one[0] <= two[0] for one, two in pairwise(way))
            assert way[0][0] < way[-1][0] == left
    assert set(drawing.ways) == {(other, box.name) for box in laid for other in box.after}


@unhurried
@given(graphs())
def test_no_edge_lies_behind_a_box(made: NorthStar) -> None:
    """Where an edge is level it passes between boxes; where it bends there are none."""
    laid = boxes(made)
    drawing = lay_out(laid)
    for ends, way in drawing.ways.items():
        for (x, y), (to, down) in pairwise(way):
            for box in laid:
                left, top = drawing.corners[box.name]
                over = x < left + box.width and left < to
                assert not over or box.name in ends or not top < y < top + box.height or y != down, (ends, box.name)


def test_crossings_are_taken_out() -> None:
    made = goals(a=[], b=[], c=["b"], d=["a"])
    corners = lay_out(boxes(made)).corners
    assert (corners["a"][1] < corners["b"][1]) == (corners["d"][1] < corners["c"][1])


@unhurried
@given(graphs())
def test_the_drawing_is_well_formed_and_tells_every_goal(made: NorthStar) -> None:
    standing = standings(made)
    text = graph_svg(standing)
    root = ET.fromstring(text)  # noqa: S314  # our own
    assert len(root.findall(f"{SVG}g")) == len(standing)
    edges = sum(len(set(one.goal.depends_on)) for one in standing)
    assert len(root.findall(f"{SVG}path")) == edges
    told = root.findtext(f"{SVG}desc") or ""
    assert all(one.goal.id in told and one.goal.title in told for one in standing)
    assert graph_svg(standing) == text


def test_what_is_too_much_is_not_drawn() -> None:
    assert drawable(standings(goals(**{f"g{at}": [] for at in range(MOST)})))
    assert not drawable(standings(goals(**{f"g{at}": [] for at in range(MOST + 1)})))
    everyone = {f"g{at}": [f"g{other}" for other in range(at)] for at in range(60)}
    assert not drawable(standings(goals(**everyone)))
