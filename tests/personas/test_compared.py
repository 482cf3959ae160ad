"""An own contract against the shipped one, then and now; and contracts as files."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specs.personas.diff import STATES, Part, compare
from specs.personas.files import base_path, overlay, rebased, role_path, shipped_file, whole
from specs.personas.overrides import read_role
from specs.personas.persona import Persona, Section, merge, read_persona, shipped
from specs.values.problems import Problem

WORDS = st.text("abc# \n", max_size=6).map(str.strip)
HEADINGS = ("Mandate", "Boundaries", "Persona", "Extra")


def contract(**sections: str) -> Persona:
    made = tuple(Section(heading=heading, text=text) for heading, text in sections.items())
    return Persona(name="code", domain="engineering", persistent=False, purpose="Codes.", title="Coder", sections=made)


def own(**sections: str) -> Persona:
    made = tuple(Section(heading=heading, text=text) for heading, text in sections.items())
    return Persona(name="code", sections=made)


def states(parts: tuple[Part, ...]) -> dict[str, str]:
    return {one.name: one.state for one in parts if one.of == "section"}


BASE = contract(Mandate="m", Boundaries="b", Persona="p", Old="o", Gone="g")
NOW = contract(Mandate="m2", Boundaries="b2", Persona="p", Old="o2", New="n")


def test_every_way_in_which_two_sides_can_have_changed() -> None:
    mine = own(Boundaries="mine", Persona="mine", Old="o", New="n", Gone="g", Extra="x", Mandate="m3")
    assert states(compare(NOW, mine, BASE)) == {
        "Mandate": "conflict", "Boundaries": "conflict", "Persona": "overridden", "Old": "kept-old", "New": "same",
        "Gone": "kept-old", "Extra": "added",
    }  # fmt: skip
    assert states(compare(NOW, own(), BASE)) == {
        "Mandate": "shipped-changed", "Boundaries": "shipped-changed", "Persona": "as-shipped",
        "Old": "shipped-changed", "New": "shipped-changed", "Gone": "shipped-changed",
    }  # fmt: skip
    found = {one.state for one in (*compare(NOW, mine, BASE), *compare(NOW, own(), BASE))}
    assert found == set(STATES)


def test_without_a_base_nothing_is_said_of_changes() -> None:
    mine = own(Boundaries="mine", Old="o2", Extra="x")
    assert states(compare(NOW, mine, None)) == {
        "Mandate": "as-shipped", "Boundaries": "overridden", "Persona": "as-shipped", "Old": "same",
        "New": "as-shipped", "Extra": "added",
    }  # fmt: skip


def test_a_section_that_is_left_out_is_a_change_of_ones_own() -> None:
    found = {one.name: one for one in compare(NOW, own(Persona="", Mandate=""), BASE)}
    assert (found["Persona"].state, found["Persona"].own) == ("overridden", "")
    assert found["Mandate"].state == "conflict"
    assert found["Persona"].in_force == ""


def test_headings_are_one_whatever_their_case() -> None:
    found = compare(NOW, own(mandate="mine"), BASE)
    assert [one.name for one in found if one.of == "section"] == [
        "Mandate",
        "Boundaries",
        "Persona",
        "Old",
        "New",
        "Gone",
    ]


def test_front_matter_title_and_introduction_are_pieces_too() -> None:
    now = replace(NOW, purpose="Codes well.", intro="Hello.", persistent=True)
    mine = replace(own(), purpose="Mine.", persistent=True)
    found = {(one.of, one.name): one.state for one in compare(now, mine, BASE)}
    assert found[("front-matter", "purpose")] == "conflict"
    assert found[("front-matter", "persistent_persona")] == "same"
    assert found[("front-matter", "domain")] == "as-shipped"
    assert found[("introduction", "introduction")] == "shipped-changed"


sections = st.dictionaries(st.sampled_from(HEADINGS), WORDS).map(lambda texts: {**texts})


@given(sections, sections, sections)
def test_what_is_in_force_is_what_agents_get(then: dict[str, str], now: dict[str, str], mine: dict[str, str]) -> None:
    shipped_now, over = contract(**now), own(**mine)
    got = {one.heading.casefold(): one.text for one in merge(shipped_now, over).sections}
    for part in compare(shipped_now, over, contract(**then)):
        if part.of == "section":
            assert got.get(part.name.casefold(), "") == part.in_force
        if part.state == "conflict":
            assert part.own is not None
            assert part.own not in (part.shipped or "", part.base or "")


@given(sections, sections)
def test_an_own_contract_of_today_has_no_conflict(now: dict[str, str], mine: dict[str, str]) -> None:
    found = {one.state for one in compare(contract(**now), own(**mine), contract(**now))}
    assert found <= {"as-shipped", "same", "overridden", "added"}


@pytest.mark.parametrize("name", sorted(shipped()))
def test_an_untouched_overlay_changes_nothing(name: str) -> None:
    base = shipped()[name]
    for headings in ([], [one.heading for one in base.sections]):
        problems: list[Problem] = []
        made = read_role(role_path(name), overlay(base, headings).encode(), problems)
        assert made is not None
        assert problems == []
        assert (made.base, [one.heading for one in made.sections]) == (base.digest, headings)
        assert replace(merge(base, made), base="") == base


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_contract_is_the_same_after_it_was_written(name: str) -> None:
    problems: list[Problem] = []
    again = read_persona(role_path(name), whole(shipped()[name]).encode(), problems, whole=True)
    assert (again, problems) == (shipped()[name], [])
    kept = read_persona(base_path(name), shipped_file(name).encode(), problems, whole=True)
    assert (kept, problems) == (shipped()[name], [])


@pytest.mark.parametrize(
    "head",
    [
        b"---\nclass: code\nbase: 0123456789ab\n---\n", b"---\nbase: '0123456789ab'  # then\n---\n",
        b"---\nclass: code\n---\n", b"---\r\nclass: code\r\nbase: \"0123456789ab\"\r\n---\r\n",
        b"---\r\nclass: code\r\n---\r\n", b'---\nbase:    "0123456789ab"\nclass: code\n---\n',
    ],
)  # fmt: skip
def test_another_base_changes_that_line_and_no_other(head: bytes) -> None:
    raw = head + b"## Persona\n\nbase: 0123456789ab\n"
    before = read_role("roles/code.md", raw, [])
    assert before is not None
    made = rebased(raw, before, "ba9876543210")
    after = read_role("roles/code.md", made, [])
    assert after == replace(before, base="ba9876543210")
    old, new = raw.split(b"\n"), made.split(b"\n")
    assert len([line for line in new if line not in old]) == 1
    assert len(new) - len(old) == (0 if before.base else 1)


@pytest.mark.parametrize(
    "raw", [b"---\n{class: code, base: '0123456789ab'}\n---\n", b"---\rclass: code\rbase: '0123456789ab'\r---\r"]
)
def test_a_base_in_an_odd_place_is_not_touched(raw: bytes) -> None:
    before = read_role("roles/code.md", raw, [])
    assert before is not None
    with pytest.raises(ValueError, match="a way of its own"):
        rebased(raw, before, "ba9876543210")
