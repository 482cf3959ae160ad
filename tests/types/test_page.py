"""`docs/system-types.md` says what the data say."""

from __future__ import annotations

from specs.types.repository_extras import read_own
from specs.types.system_type import TypeSpec, shipped
from tests.commands.calling import fleet
from tests.docs.pages import page, plain, tables
from tests.hosts.namespace import CHECKOUT

PAGE = page("docs/system-types.md")


def test_the_five_types() -> None:
    rows = {plain(row[0]): [plain(cell) for cell in row[1:]] for row in tables(PAGE.prose)[0]}
    assert rows == {
        one.id: [one.lead, str(sum(seat.multiplicity for seat in one.roster)), one.mission]
        for one in shipped().values()
    }


def test_every_type_has_its_drawing() -> None:
    for one in shipped():
        assert f"](org/{one}.svg)" in PAGE.section("Who reports to whom", one)


def test_the_keys() -> None:
    rows = tables(PAGE.section("A type of your own"))[0]
    assert [plain(row[0]) for row in rows] == list(TypeSpec.model_fields)


def test_the_type_that_it_shows_can_be_used() -> None:
    (text,) = (block.text for block in PAGE.blocks if block.language == "yaml")
    name = text.split("\n", 1)[0].removeprefix("# ")
    own = read_own({name: text.encode()})
    assert own.problems == {}
    assert own.types["newsroom"].source == "own"


def test_the_tree_that_it_shows_is_the_one_that_is_drawn() -> None:
    (shown,) = (block.text for block in PAGE.blocks if "|-- " in block.text)
    command, _, tree = shown.partition("\n")
    path = command.rpartition(" ")[2]
    assert fleet("org", str(CHECKOUT / path)).out == tree
