"""What is wrong with a mission, and what may have been forgotten in it."""

from __future__ import annotations

import pytest

from tests.mission.stars import OLDER, TEXT
from tests.specs.helpers import ONE, only, read, underlined

STREAMS = "version: 1\nmission: x\nworkstreams:\n- {id: build, title: x}\ngoals:\n"
CRITERIA = "version: 1\nmission: x\nsuccess_criteria:\n- {id: SC-1, text: x}\n- {id: SC-2, text: x}\ngoals:\n"


def test_a_file_that_says_all_of_it_has_no_problems() -> None:
    assert read(ONE, star=TEXT).problems == ()


def test_an_older_file_loads_with_a_warning_about_the_goal_that_belongs_nowhere() -> None:
    loaded = read(ONE, star=OLDER)
    assert loaded.ok
    (problem,) = loaded.problems
    assert (problem.severity, problem.message) == ("warning", 'goal "G1" belongs to no workstream')
    assert (problem.line, underlined(problem)) == (32, "G1")
    assert loaded.north_star is not None
    assert loaded.north_star.workstream_of() == {"A1": "A", "A3a": "A"}


@pytest.mark.parametrize(
    ("text", "words", "place", "suggestion"),
    [
        (STREAMS + "- {id: G, title: x, workstream: biuld}\n", "which is not a workstream", (6, 33), '"build"?'),
        (CRITERIA + "- {id: G, title: x, serves: [SC-1, SC-3]}\n", "not a success criterion", (7, 36), '"SC-2"?'),
        (CRITERIA + "- {id: G, title: x, state: finished}\n", "must be open or done", (7, 28), None),
        (CRITERIA + "- {id: SC-1, title: x}\n", 'duplicate id "SC-1"', (7, 8), "first used on line 4"),
        (STREAMS + "- {id: G, title: x, depends_on: [build]}\n", "which is not a goal", (6, 34), None),
        (STREAMS + "- {id: G, title: x, depends_on: [G]}\n", "in a circle: G -> G", (6, 34), None),
    ],
)
def test_errors(text: str, words: str, place: tuple[int, int], suggestion: str | None) -> None:
    loaded = read(ONE, star=text)
    problem = only(loaded, words)
    assert (problem.severity, problem.line, problem.column) == ("error", *place)
    assert (problem.suggestion is None) if suggestion is None else (suggestion in (problem.suggestion or ""))
    assert loaded.roster is None


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        (STREAMS + "- {id: build-1, title: x}\n- {id: other, title: x}\n", '"other" belongs to no workstream', 7),
        (CRITERIA + "- {id: G, title: x, serves: [SC-1]}\n", 'no goal serves the success criterion "SC-2"', 5),
        (
            "version: 1\nmission: x\ngoals:\n- {id: a, title: x}\n- {id: b, title: x, state: done, depends_on: [a]}\n",
            'goal "b" is done, and "a", which comes first, is not',
            5,
        ),
    ],
)
def test_warnings(text: str, words: str, line: int) -> None:
    loaded = read(ONE, star=text)
    problem = only(loaded, words)
    assert (problem.severity, problem.line, loaded.ok) == ("warning", line, True)


def test_a_file_that_says_none_of_it_has_no_warnings() -> None:
    """Neither of goals without workstreams, nor of criteria without goals: it does not keep such books."""
    assert read(ONE, star=STREAMS + "- {id: G, title: x}\n").problems == ()
    assert read(ONE, star=CRITERIA + "- {id: G, title: x}\n").problems == ()


def test_aliases_do_not_make_a_mission_without_end() -> None:
    long = "version: 1\nmission: &a '" + "x" * 100_000 + "'\nassumptions:\n"
    many = "".join(f"- {{id: A{at}, text: *a}}\n" for at in range(20))
    loaded = read(ONE, star=long + many)
    assert "expands to more than 1,048,576 bytes" in only(loaded, "expands to more").message
    assert read(ONE, star=long + "- {id: A, text: *a}\n").problems == ()
