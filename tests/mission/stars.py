"""Missions for these tests: a small one by hand, and any by Hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from specs.models.north_star import NorthStar

# The machine may be busy: how long an example takes says nothing.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

TEXT = """\
version: 1
mission: Find out | what is missing.
success_criteria:
  - {id: SC-1, text: A stranger can check it.}
  - {id: SC-2, text: It is found within a week.}
workstreams:
  - {id: A, title: Asking}
  - {id: core, title: The core of it}
goals:
  - {id: A1, title: Ask, phase: 1, priority: must-have, serves: [SC-1], state: done}
  - {id: A2, title: Ask again, phase: 2, depends_on: [A1], serves: [SC-2]}
  - {id: core-1, title: Answer, phase: 1, priority: should have, depends_on: [A1]}
  - {id: core-2, title: Check, phase: 1, priority: must-have, depends_on: [A1], workstream: A}
  - {id: core-3, title: Write it down, depends_on: [A2, core-1, core-2]}
"""
# As older files are written: goals belong to workstreams by their ids alone, and one belongs to none.
OLDER = """\
version: 1
mission: >-
  Keep the lights on: plan, do, check, and
  begin again.
substrate:
  note: >-
    One host.
standing_objectives:
  - id: NS-1
    text: >-
      One file is the source.
success_criteria:
  - id: AC-NS-1
    text: >-
      It holds through a reboot.
workstreams:
  - id: A
    title: Ground
  - id: H
    title: Walls
goals:
  - id: A1
    title: Dig
    phase: 1
    priority: must-have
    depends_on: []
  - id: A3a
    title: Fill
    phase: 1
    priority: must-have
    depends_on: [A1]
  - id: G1
    title: Look
    phase: 2
    priority: should-have
    depends_on: [A3a]
assumptions:
  - id: ASM-1
    vetoable: true
    text: 'The ground holds.'
spend:
  advisory: true
  note: Nobody counts yet.
"""


def star(**more: Any) -> NorthStar:
    return NorthStar.model_validate({"version": 1, "mission": "x", **more})


def goals(**after: Sequence[str]) -> NorthStar:
    """Goals by id, each with those that come before it."""
    return star(goals=tuple({"id": name, "title": name, "depends_on": tuple(on)} for name, on in after.items()))


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=30)
TITLES = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)


@st.composite
def graphs(draw: st.DrawFn, most: int = 12) -> NorthStar:
    """Goals without a circle, in an order that is not the one in which they can be reached."""
    number = draw(st.integers(0, most))
    names = draw(st.lists(WORDS, min_size=number, max_size=number, unique=True))
    made = []
    for at, name in enumerate(names):
        before = draw(st.sets(st.sampled_from(names[:at]), max_size=3)) if at else set()
        goal: dict[str, Any] = {"id": name, "title": draw(TITLES), "depends_on": tuple(sorted(before))}
        goal["state"] = draw(st.sampled_from(("open", "done")))
        goal["phase"] = draw(st.one_of(st.none(), st.integers(0, 3)))
        goal["priority"] = draw(st.sampled_from((None, "must-have", "Should have", "some day")))
        made.append(goal)
    return star(goals=tuple(draw(st.permutations(made))))
