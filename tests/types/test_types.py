"""The shipped types, an operator's own, and what is told of one that is wrong."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specs import library
from specs.loading.load import load
from specs.organisation.provision import seat_names
from specs.personas import persona
from specs.types.repository_extras import RepositoryExtras, read_own
from specs.types.system_type import FLOOR, SystemType, read_type, shipped
from specs.values.problems import Problem
from tests.specs.helpers import underlined

IDS = ("business", "marketing", "personal-assistant", "research", "software-delivery")
OWN = """\
id: bakery
title: Bakery
description: Bake bread. Sell it before noon.
lead: baker
floor: [baker]
roster:
  - class: baker
  - class: researcher
    reports_to: baker
    multiplicity: 3
"""
BAKER = b"""\
---
class: baker
domain: operations
persistent_persona: true
purpose: Bakes.
---
# Baker

Who bakes.

## Mandate

Bake.

## Boundaries

- Sells nothing.

## Persona

Warm.
"""


def read(text: str, name: str = "profiles/bakery.yaml", *own: str) -> tuple[SystemType | None, list[Problem]]:
    problems: list[Problem] = []
    return read_type(name, dedent(text).encode(), problems, own=("baker", *own)), problems


def only(text: str, name: str = "profiles/bakery.yaml") -> Problem:
    found, problems = read(text, name)
    assert found is None
    assert len(problems) == 1, [problem.render() for problem in problems]
    return problems[0]


def test_the_five_types() -> None:
    assert tuple(shipped()) == IDS
    assert {one.source for one in shipped().values()} == {"shipped"}


@pytest.mark.parametrize("type_id", IDS)
def test_every_class_resolves_and_all_report_to_the_lead(type_id: str) -> None:
    found = shipped()[type_id]
    assert {one.agent_class for one in found.roster} <= persona.shipped().keys()
    walked = list(found.walk())
    assert [depth for depth, _ in walked].count(0) == 1
    assert walked[0] == (0, found.seat(found.lead))
    assert {seat for _, seat in walked} == set(found.roster)
    assert len(walked) == len(found.roster)


@pytest.mark.parametrize("type_id", IDS)
def test_every_type_keeps_the_floor_of_a_fleet(type_id: str) -> None:
    found = shipped()[type_id]
    assert {found.lead, *FLOOR} == set(found.floor)
    assert found.fleet_floor == "two-agent"
    assert [found.seat(one) is not None for one in FLOOR] == [True, True]


@pytest.mark.parametrize("type_id", IDS)
def test_a_mission_is_one_sentence(type_id: str) -> None:
    assert re.fullmatch(r"[A-Z][^.]+\.", shipped()[type_id].mission)


def test_the_short_names_are_of_shipped_classes_and_differ() -> None:
    names = seat_names()
    assert names.keys() <= persona.shipped().keys()
    everybody = [names.get(one, one) for one in persona.shipped()]
    assert len(set(everybody)) == len(everybody)
    assert not {name for one, name in names.items() if name in persona.shipped() and name != one}


def test_a_type_of_ones_own_needs_no_code() -> None:
    found, problems = read(OWN)
    assert problems == []
    assert found is not None
    assert (found.source, found.lead, found.fleet_floor, found.mission) == ("own", "baker", "none", "Bake bread.")
    assert [(seat.agent_class, seat.reports_to, seat.multiplicity) for seat in found.roster] == [
        ("baker", "", 1),
        ("researcher", "baker", 3),
    ]


def test_a_file_with_the_name_of_a_shipped_type_changes_it_key_by_key() -> None:
    found, problems = read("id: research\ntitle: Our research\n", "profiles/research.yaml")
    assert problems == []
    assert found is not None
    base = shipped()["research"]
    assert (found.title, found.source) == ("Our research", "changed")
    assert (found.roster, found.lead, found.floor, found.notes) == (base.roster, base.lead, base.floor, base.notes)


def test_a_roster_is_replaced_as_a_whole() -> None:
    text = """\
        id: research
        floor: [lead-researcher]
        roster:
          - class: lead-researcher
          - class: analyst
            reports_to: lead-researcher
        """
    found, problems = read(text, "profiles/research.yaml")
    assert problems == []
    assert found is not None
    assert [seat.agent_class for seat in found.roster] == ["lead-researcher", "data-analyst"]
    assert found.description == shipped()["research"].description


@pytest.mark.parametrize(
    ("old", "new", "says", "under", "line"),
    [
        ("id: bakery", "id: backery", 'id is "backery" in a file called bakery.yaml', "backery", 1),
        ("id: bakery\n", "", 'missing key "id"', None, 1),
        ("title: Bakery\n", "", "a whole type also has: title", None, 1),
        ("title: Bakery", "titel: Bakery\ntitle: Bakery", 'unknown key "titel"', "titel", 2),
        ("lead: baker", "lead: researcherr", 'the lead "researcherr" is not in the roster', None, 4),
        ("[baker]", "[baker, review]", '"review" of the floor is not in the roster', "review", 5),
        ("[baker]", "[baker, baker]", '"baker" is in the floor twice', "baker", 5),
        ("[baker]", "[]", '"floor" must have at least one item', "[", 5),
        ("class: researcher", "class: reseracher", 'class "reseracher" is neither shipped nor in roles/', None, 8),
        ("reports_to: baker", "reports_to: bakr", '"researcher" reports to "bakr", which is not in', "bakr", 9),
        ("reports_to: baker\n    ", "", 'class "researcher" reports to nobody', None, 8),
        ("multiplicity: 3", "multiplicity: 65", 'multiplicity" must be at most 64', "65", 10),
        ("multiplicity: 3", "multiplicity: 0", 'multiplicity" must be at least 1', "0", 10),
        ("  - class: baker", "  - class: baker\n    multiplicity: 2", '"baker" is the lead, and there is one', "2", 8),
        ("reports_to: baker", "reports_to: researcher", "in a circle: researcher -> researcher", "researcher", 9),
        (
            "  - class: baker\n",
            "  - class: baker\n    reports_to: researcher\n",
            '"baker" is the lead, and reports to nobody',
            "researcher",
            8,
        ),
        ("  - class: baker\n", "  - class: baker\n  - class: baker\n", 'class "baker" is there twice', "baker", 8),
    ],
)
def test_what_is_wrong_has_its_place(old: str, new: str, says: str, under: str | None, line: int) -> None:
    assert OWN.count(old) == 1 or old == "  - class: baker"
    _, problems = read(OWN.replace(old, new, 1))
    found = next((problem for problem in problems if says in problem.message), None)
    assert found is not None, [problem.render() for problem in problems]
    assert (found.file, found.line) == ("profiles/bakery.yaml", line)
    assert under is None or underlined(found) == under


def test_near_misses() -> None:
    assert only(OWN.replace("class: researcher", "class: reseracher")).suggestion == 'did you mean "researcher"?'
    assert only(OWN.replace("reports_to: baker", "reports_to: bakr")).suggestion == 'did you mean "baker"?'


def test_a_change_that_does_not_fit_what_is_shipped_is_told_at_the_change() -> None:
    problem = only("id: research\nfloor: [lead-researcher, board]\n", "profiles/research.yaml")
    assert (problem.message, problem.line, underlined(problem)) == (
        '"board" of the floor is not in the roster', 2, "board",
    )  # fmt: skip
    _, problems = read("id: research\nlead: review\n", "profiles/research.yaml")
    assert {one.line for one in problems} == {2}


def test_a_fleet_has_one_orchestrator() -> None:
    text = "id: research\nroster:\n  - class: lead-researcher\n" + "".join(
        f"  - {{class: {one}, reports_to: lead-researcher, multiplicity: 2}}\n" for one in FLOOR
    )
    problem = only(text, "profiles/research.yaml")
    assert problem.message == "with this floor there is exactly one orchestrator"


@given(st.binary(max_size=200))
def test_anything_is_read_or_told(raw: bytes) -> None:
    problems: list[Problem] = []
    assert (read_type("profiles/x.yaml", raw, problems) is None) == bool(problems)


@given(st.text(alphabet="abcd: -[]{}\n\"'&*!|>#", max_size=80))
def test_whatever_stands_in_a_file_is_read_or_told(rest: str) -> None:
    problems: list[Problem] = []
    found = read_type("profiles/research.yaml", f"id: research\n{rest}".encode(), problems)
    assert found is not None or problems


def own(**files: bytes) -> RepositoryExtras:
    return read_own({name.replace("__", "/", 1).replace("_", "."): data for name, data in files.items()})


def test_own_contracts_and_types_together() -> None:
    found = own(roles__baker_md=BAKER, profiles__bakery_yaml=OWN.encode())
    assert found.problems == {}
    assert list(found.types) == [*IDS, "bakery"]
    assert found.class_of("baker") == "baker"
    assert found.class_of("implementer") == "code"


def test_a_type_that_cannot_be_read_is_not_the_shipped_one() -> None:
    found = own(profiles__research_yaml=b"id: research\nlead: nobody\n")
    assert "research" not in found.types
    assert list(found.problems) == ["profiles/research.yaml"]


def test_a_contract_that_cannot_be_read_does_not_spoil_the_type() -> None:
    found = own(roles__baker_md=b"not a contract", profiles__bakery_yaml=OWN.encode())
    assert list(found.problems) == ["roles/baker.md"]
    assert "bakery" in found.types


def test_other_files_are_not_looked_at() -> None:
    found = read_own({"profiles/README.yaml": b"x", "profiles/a/b.yaml": b"x", "other/c.yaml": b"x", "x.md": b""})
    assert found.problems == {}


def test_every_shipped_file_is_a_type() -> None:
    assert len(library.names("types", ".yaml")) == len(IDS)


def test_loading_warns_of_types_and_goes_on() -> None:
    roster = b"version: 1\nagents:\n  - {name: a, runtime: pi}\n"
    files = {"roster.yaml": roster, "fleet.yaml": b"floor: none\ntype: reserch\n", "profiles/bakery.yaml": OWN.encode()}
    loaded = load(files)
    assert loaded.ok
    assert [(one.file, one.line, one.severity, one.suggestion) for one in loaded.problems] == [
        ("fleet.yaml", 2, "warning", 'did you mean "research"?'),
        ("profiles/bakery.yaml", 7, "warning", None),
    ]
    assert load({**files, "fleet.yaml": b"floor: none\ntype: bakery\n", "roles/baker.md": BAKER}).problems == ()


def test_a_large_file_is_not_read() -> None:
    assert "the limit is 64 KiB" in only("# " + "x" * 65536 + "\n" + OWN).message
