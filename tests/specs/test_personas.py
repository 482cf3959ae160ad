"""Contracts of classes: read, laid over each other, found by the names that rosters use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specs.personas.persona import ALIASES, DOMAINS, SECTIONS, Persona, Section, merge, read_persona, resolve, shipped
from specs.values.problems import Problem

WHOLE = b"""\
---
class: tester
domain: engineering
persistent_persona: semi
purpose: Tries things.
---
# Tester

Who it is.

## Mandate

Try it.

```sh
## not a heading
```

## Boundaries

- None.

## Persona

Patient.
"""


def read(raw: bytes, name: str = "roles/tester.md", *, whole: bool = False) -> tuple[Persona | None, list[Problem]]:
    problems: list[Problem] = []
    return read_persona(name, raw, problems, whole=whole), problems


def good(raw: bytes) -> Persona:
    persona, problems = read(raw)
    assert persona is not None, [problem.render() for problem in problems]
    return persona


def test_a_whole_contract() -> None:
    persona, problems = read(WHOLE, whole=True)
    assert problems == []
    assert persona is not None
    assert (persona.name, persona.domain, persona.persistent, persona.purpose) == (
        "tester", "engineering", "semi", "Tries things.",
    )  # fmt: skip
    assert [section.heading for section in persona.sections] == list(SECTIONS)
    assert persona.sections[0].text.endswith("## not a heading\n```")
    assert persona.text == WHOLE.decode().split("---\n", 2)[2]


@pytest.mark.parametrize(
    ("old", "new", "says", "place"),
    [
        (b"class: tester", b"clas: tester", 'unknown key "clas"', (2, 1)),
        (b"class: tester", b"class: other", 'class is "other" in a file called tester.md', (2, 8)),
        (b"class: tester", b"class: ../x", "must not contain a path separator", (2, 8)),
        (b": semi", b": perhaps", "must be true, false or semi", (4, 21)),
        (b"purpose: Tries things.", b"purpose: [1]", "purpose must be text", (5, 10)),
        (b"---\nclass", b"class", "it must begin with front matter", (1, 1)),
        (b"## Boundaries", b"## Bounds", "a whole contract also has: Boundaries", (1, 1)),
        (b"# Tester\n", b"", "a whole contract also has: title", (1, 1)),
        (b"class: tester", b"class: tester\nclass: tester", 'duplicate key "class"', (3, 1)),
    ],
)
def test_what_is_wrong_is_told_with_its_place(old: bytes, new: bytes, says: str, place: tuple[int, int]) -> None:
    persona, problems = read(WHOLE.replace(old, new, 1), whole=True)
    assert persona is None
    assert any(says in problem.message for problem in problems), [problem.message for problem in problems]
    told = next(problem for problem in problems if says in problem.message)
    assert (told.line, told.column) == place


@given(st.binary(max_size=300))
def test_nothing_makes_it_fall_over(noise: bytes) -> None:
    for raw in (noise, b"---\n" + noise, b"---\nclass: tester\n---\n" + noise):
        persona, problems = read(raw)
        assert (persona is None) == bool([one for one in problems if one.severity == "error"]) or problems == []


@pytest.mark.parametrize("ending", [b"\r\n", b"\r"])
def test_how_its_lines_end_changes_nothing(ending: bytes) -> None:
    """Or a section would be another one than the shipped section of that name, and stand beside it."""
    assert good(WHOLE.replace(b"\n", ending)) == good(WHOLE)
    assert "\r" not in good(WHOLE + b"a\rb\n").text


def test_a_byte_order_mark_is_warned_of_and_the_contract_used() -> None:
    found, problems = read(b"\xef\xbb\xbf" + WHOLE)
    assert found == good(WHOLE)
    assert [(one.severity, one.message) for one in problems] == [("warning", "the file begins with a byte order mark")]


def test_an_overlay_wins_section_by_section() -> None:
    over = good(
        b"---\npurpose: Breaks things.\nbase: 0123456789ab\n---\n## boundaries\n\n- Some.\n\n## Extra\n\nMore.\n"
    )
    merged = merge(good(WHOLE), over)
    assert (merged.purpose, merged.domain, merged.title, merged.persistent) == (
        "Breaks things.", "engineering", "Tester", "semi",
    )  # fmt: skip
    assert [(section.heading, section.text[:7]) for section in merged.sections] == [
        ("Mandate", "Try it."), ("boundaries", "- Some."), ("Persona", "Patient"), ("Extra", "More."),
    ]  # fmt: skip


def test_a_section_that_the_overlay_empties_is_gone() -> None:
    merged = merge(good(WHOLE), good(b"---\npurpose: x\n---\n## Persona\n"))
    assert [section.heading for section in merged.sections] == ["Mandate", "Boundaries"]


def test_an_empty_overlay_changes_nothing() -> None:
    base = good(WHOLE)
    assert merge(base, Persona(name="tester")).text == base.text


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)


@given(st.lists(st.tuples(st.sampled_from(["Mandate", "Boundaries", "Persona", "A", "B"]), words), max_size=5))
def test_laying_the_same_over_it_twice_is_laying_it_once(pairs: list[tuple[str, str]]) -> None:
    sections = {heading.casefold(): Section(heading=heading, text=text) for heading, text in pairs}
    over = Persona(name="tester", sections=tuple(sections.values()))
    once = merge(good(WHOLE), over)
    assert merge(once, over).text == once.text
    assert {section.text for section in over.sections} <= {section.text for section in once.sections}


@pytest.mark.parametrize("alias", ALIASES)
def test_older_names_lead_somewhere(alias: str) -> None:
    assert alias not in shipped()
    assert ALIASES[alias] not in ALIASES


def test_a_class_of_ones_own_is_as_good_as_a_shipped_one() -> None:
    mine = good(WHOLE)
    assert resolve("tester", {"tester": mine}) is mine
    assert resolve("tester", {}) is None
    canary = Persona(name="canary", title="Mine")
    assert resolve("canary", {"canary": canary}) is canary


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_shipped_contract_is_whole_and_short(name: str) -> None:
    persona = shipped()[name]
    assert persona.domain in DOMAINS
    assert [section.heading for section in persona.sections] == list(SECTIONS)
    assert len(persona.text.splitlines()) <= 60
    assert max(map(len, persona.text.splitlines())) <= 120
    assert len(persona.purpose) <= 100
