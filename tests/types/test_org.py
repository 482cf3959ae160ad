"""`mosaic fleet org`: the tree as text, as a drawing and as a document."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.render.charts.org_svg import org_svg
from reconciler.render.charts.org_text import org_text
from specs.editing.edit import entries
from specs.fleet_files import ROSTER
from specs.organisation.org import Org, organise
from specs.types.repository_extras import read_own
from specs.types.system_type import shipped
from tests.commands.calling import fleet
from tests.commands.repository import Repository
from tests.documents import read
from tests.hosts.namespace import CHECKOUT
from tests.types.examples import example_of
from tests.types.test_provision import begun
from tests.types.test_types import BAKER, IDS, OWN

EXAMPLES = CHECKOUT / "examples" / "fleets"
SVG = "{http://www.w3.org/2000/svg}"
NOBODY = read_own({})


def org_of(roster: bytes, type_id: str = "research") -> Org:
    return organise(shipped()[type_id], NOBODY, entries(roster), fleet="ours")


def test_the_tree_as_text() -> None:
    said = fleet("org", str(EXAMPLES / "type-research"))
    assert (said.code, said.err) == (0, "")
    assert said.out == (
        "type-research: Research (research): 10 agents\n"
        "\n"
        "lead-researcher: lead-researcher\n"
        "|-- orchestrator: orchestrator\n"
        "|   `-- enhancer: enhancer\n"
        "|-- researcher: researcher0, researcher1\n"
        "|-- data-analyst: data-analyst0\n"
        "|-- data-scientist: data-scientist0\n"
        "|-- market-analyst: market-analyst0\n"
        "|-- documentation: writer0\n"
        "`-- review: reviewer0\n"
    )


def test_open_seats_empty_ones_and_strangers_are_marked() -> None:
    roster = (
        b"version: 1\nagents:\n"
        b"  - {name: boss, runtime: pi, class: lead-researcher}\n"
        b"  - {name: r0, runtime: pi, class: researcher, state: stopped}\n"
        b"  - {name: old, runtime: pi, class: documentation, state: absent}\n"
        b"  - {name: a, runtime: pi, class: analyst}\n"
        b"  - {name: cook, runtime: pi, class: baker}\n"
        b"  - {name: gone, runtime: pi, class: baker, state: absent}\n"
    )
    assert org_text(org_of(roster)) == (
        "ours: Research (research): 3 agents, 6 seats open\n"
        "\n"
        "lead-researcher: boss\n"
        "|-- orchestrator: (open)\n"
        "|   `-- enhancer: (open)\n"
        "|-- researcher: r0 (stopped), (open)\n"
        "|-- data-analyst: a\n"
        "|-- data-scientist: (open)\n"
        "|-- market-analyst: (open)\n"
        "|-- documentation: old (left empty)\n"
        "`-- review: (open)\n"
        "\n"
        "no seat of the type: cook (baker)\n"
    )


@pytest.mark.parametrize("type_id", IDS)
def test_a_type_by_itself(type_id: str) -> None:
    said = fleet("org", "--type", type_id)
    assert said.code == 0
    many = sum(seat.multiplicity for seat in shipped()[type_id].roster)
    assert said.out.splitlines()[0].endswith(f" ({type_id}): {many} seats")
    for seat in shipped()[type_id].roster:
        assert f"{seat.agent_class}: {seat.multiplicity} seat" in said.out


NAME = st.from_regex(r"[a-z][a-z0-9]{0,40}", fullmatch=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(NAME, unique=True, max_size=40), st.data())
def test_text_fits_a_terminal_and_names_everybody(names: list[str], data: st.DataObject) -> None:
    classes = [*(seat.agent_class for seat in shipped()["software-delivery"].roster), "baker"]
    roster = {name: {"class": data.draw(st.sampled_from(classes)), "runtime": "pi"} for name in names}
    org = organise(shipped()["software-delivery"], NOBODY, roster, fleet="ours")
    text = org_text(org)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80
    assert all(name in text for name in names)
    drawn = org_svg(org)
    assert drawn == org_svg(org)
    assert all(f">{name}" in drawn for name in names if roster[name]["class"] != "baker")


@pytest.mark.parametrize("type_id", IDS)
def test_the_drawing_can_be_read_without_seeing_it(type_id: str) -> None:
    said = fleet("org", str(EXAMPLES / f"type-{type_id}"), "-o", "svg")
    assert said.out == (CHECKOUT / "docs" / "org" / f"{type_id}.svg").read_text()
    root = ET.fromstring(said.out)  # noqa: S314  # our own drawing
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert desc is not None
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert title.text == f"Who reports to whom in type-{type_id}"
    assert all(name in str(desc.text) for name in entries(example_of(type_id)[ROSTER]))


def boxes(drawn: str) -> list[tuple[int, int, int, int]]:
    root = ET.fromstring(drawn)  # noqa: S314  # our own drawing
    return [
        (int(one.attrib["x"]), int(one.attrib["y"]), int(one.attrib["width"]), int(one.attrib["height"]))
        for one in root.iter(f"{SVG}rect")
    ]


@pytest.mark.parametrize("type_id", IDS)
@pytest.mark.parametrize("filled", [True, False], ids=["filled", "open"])
def test_no_two_boxes_meet_and_all_are_on_the_page(type_id: str, filled: bool) -> None:
    roster = begun(type_id)[ROSTER] if filled else b"version: 1\nagents:\n  - {name: a, runtime: pi, class: x}\n"
    drawn = org_svg(org_of(roster, type_id))
    root = ET.fromstring(drawn)  # noqa: S314  # our own drawing
    wide, high = int(root.attrib["width"]), int(root.attrib["height"])
    found = boxes(drawn)
    assert len(found) == len(shipped()[type_id].roster)
    assert all(x >= 0 and y >= 0 and x + w <= wide and y + h <= high for x, y, w, h in found)
    for number, (x, y, w, h) in enumerate(found):
        for other_x, other_y, other_w, other_h in found[number + 1 :]:
            assert x + w <= other_x or other_x + other_w <= x or y + h <= other_y or other_y + other_h <= y
    assert drawn.count('class="o"') == (0 if filled else len(found))


def test_what_somebody_wrote_cannot_leave_its_place() -> None:
    odd = {"a": {"class": '<script>&"', "runtime": "pi", "state": "\x1b[31m"}}
    drawn = org_svg(organise(shipped()["research"], NOBODY, odd, fleet="ours"))
    assert "<script>" not in drawn
    assert ET.fromstring(drawn) is not None  # noqa: S314  # our own drawing
    assert "\x1b" not in org_text(organise(shipped()["research"], NOBODY, odd, fleet="ours"))


def test_the_document() -> None:
    said = fleet("org", str(EXAMPLES / "type-software-delivery"), "-o", "json")
    document = read(said.out)
    assert (document["apiVersion"], document["kind"]) == ("mosaic.fleet/v1", "Org")
    assert (document["fleet"], document["type"], document["source"]) == (
        "type-software-delivery", "software-delivery", "shipped",
    )  # fmt: skip
    seats = {one["class"]: one for one in document["seats"]}
    assert seats["code"]["reports_to"] == "decomposition"
    assert (seats["code"]["depth"], seats["code"]["multiplicity"], seats["code"]["open"]) == (2, 2, 0)
    assert [one["name"] for one in seats["code"]["agents"]] == ["coder0", "coder1"]
    assert seats["orchestrator"]["reports_to"] is None
    assert fleet("org", str(EXAMPLES / "type-research"), "-o", "yaml").out.startswith("apiVersion: mosaic.fleet/v1\n")


def test_a_fleet_of_a_type_of_its_own(tmp_path: Path) -> None:
    repo = Repository.make(tmp_path / "fleet", rules="floor: none\ntype: bakery\n")
    for folder, name, text in (("roles", "baker.md", BAKER), ("profiles", "bakery.yaml", OWN.encode())):
        (repo.path / folder).mkdir()
        (repo.path / folder / name).write_bytes(text)
    assert repo.call("org").out.startswith("fleet: Bakery (bakery): 0 agents, 4 seats open\n\nbaker: (open)\n")
    assert repo.call("org", "--type", "research").out.startswith("fleet: Research (research): 2 agents")
    repo.git("add", ".")
    repo.git("commit", "-qm", "A bakery")
    bare = tmp_path / "bare"
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(bare))
    assert fleet("org", "--fleet", str(bare)).out == repo.call("org").out


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        ([], 64, "no fleet was named"),
        (["nowhere"], 4, "nowhere does not exist"),
        (["--type", "reserch"], 4, "did you mean research?"),
        ([str(EXAMPLES / "coding")], 64, "no system type was named"),
        ([str(EXAMPLES / "coding"), "--fleet", "x"], 64, "the fleet is named twice"),
        (["--type", "research", "-o", "png"], 64, "svg"),
    ],
)
def test_what_it_refuses(args: list[str], code: int, told: str) -> None:
    said = fleet("org", *args)
    assert (said.code, said.out) == (code, "")
    assert told in said.err


def test_a_roster_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "roster.yaml").write_text("agents: [\n")
    said = fleet("org", str(tmp_path), "--type", "research")
    assert (said.code, said.out) == (78, "")
    assert "roster.yaml:" in said.err
