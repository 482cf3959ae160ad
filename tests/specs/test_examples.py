"""The example fleets load without a word, compile, and can be turned into stubs."""

from __future__ import annotations

from pathlib import Path

import pytest

from specs.fleet_files import FILES
from specs.loading.load import LoadResult, load
from tests.specs.helpers import compiled

FLEETS = Path(__file__).parents[2] / "examples" / "fleets"
TYPES = [f"type-{one}" for one in ("business", "marketing", "personal-assistant", "research", "software-delivery")]
NAMES = ["coding", "general", "hybrid", "local-canary", "minimal", "research", *TYPES]


def example(name: str) -> LoadResult:
    return load({file: (FLEETS / name / file).read_bytes() for file in FILES})


def test_there_is_one_for_each_preset_and_each_type() -> None:
    assert sorted(path.name for path in FLEETS.iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_without_a_word(name: str) -> None:
    assert example(name).problems == ()


@pytest.mark.parametrize("name", NAMES)
def test_it_compiles_under_its_own_name_on_a_socket_of_its_own(name: str) -> None:
    fleet = compiled(example(name))
    assert fleet.name == name
    assert {fleet.socket, *(one.socket for one in fleet.agents)} == {"mosaic-fleet"}
    assert all(one.argv and one.held is None for one in fleet.agents)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "minimal"])
def test_all_but_the_smallest_keep_the_floor(name: str) -> None:
    assert example(name).floor == "two-agent"


def test_the_local_canary_needs_nothing_but_stubs() -> None:
    fleet = compiled(example("local-canary"))
    assert [(one.name, one.runtime) for one in fleet.agents] == [
        ("coder0", "stub"),
        ("enhancer", "stub"),
        ("lead", "stub"),
        ("reviewer0", "stub"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_command_for_each_agent_makes_a_fleet_of_stubs(name: str) -> None:
    files = {file: (FLEETS / name / file).read_bytes() for file in FILES}
    rows = files["roster.yaml"].decode().splitlines()
    stubbed = [
        row + "\n    command: [python3, -I, -S, stub.py]" if row.startswith("    runtime:") else row for row in rows
    ]
    loaded = load({**files, "roster.yaml": "\n".join(stubbed).encode()})
    assert loaded.ok
    assert {one.argv for one in compiled(loaded).agents} == {("python3", "-I", "-S", "stub.py")}
