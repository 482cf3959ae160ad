"""`docs/personas.md` says what ships, and what it shows can be used."""

from __future__ import annotations

import re
from typing import get_args

from reconciler.commands import mosaic
from specs.loading.load import load
from specs.personas.diff import SectionState
from specs.personas.persona import ALIASES, DOMAINS, shipped
from specs.types.repository_extras import read_own
from tests.docs.pages import page, plain, tables
from tests.personas.page import PAGE, with_index

PERSONAS = page("docs/personas.md")


def test_the_index_is_what_ships() -> None:
    """If this fails: python -m tests.personas.page"""
    assert with_index(PERSONAS.text) == PERSONAS.text
    assert PERSONAS.path == PAGE
    rows = [row for table in tables(PERSONAS.section("The classes")) for row in table]
    assert {plain(row[0]): row[1] for row in rows} == {one.name: one.purpose for one in shipped().values()}
    assert {plain(name) for row in rows for name in row[3].split(", ") if name} == set(ALIASES)


def test_every_domain_has_its_table() -> None:
    assert [one.lower() for one in re.findall(r"^### (.+)$", PERSONAS.section("The classes"), re.MULTILINE)] == [
        domain for domain in DOMAINS if any(one.domain == domain for one in shipped().values())
    ]


def test_every_word_of_a_comparison_is_told() -> None:
    rows = tables(PERSONAS.section("When the shipped one changes"))[0]
    assert [plain(row[0]) for row in rows] == list(get_args(SectionState))


def test_every_command_has_its_row() -> None:
    rows = tables(PERSONAS.prose)[0]
    assert {plain(row[1]).split()[3] for row in rows} == set(mosaic.PERSONA)


def test_the_contracts_that_it_shows_can_be_used() -> None:
    shown = [block.text for block in PERSONAS.blocks if block.text.startswith("---\n")]
    files = {}
    for text in shown:
        found = re.search(r"^class: (\S+)$", text, re.MULTILINE)
        assert found is not None
        files[f"roles/{found[1]}.md"] = text.encode()
    assert len(files) == 2
    assert read_own(files).problems == {}
    assert {name.removeprefix("roles/").removesuffix(".md") for name in files} == load(files).roles.keys()
