"""The examples and drawings of the types are what provisioning and drawing make of them."""

from __future__ import annotations

import pytest

from specs.types.system_type import shipped
from tests.types.examples import DRAWINGS, FLEETS, drawing_of, example_of

AGAIN = "write it anew: python -m tests.types.examples"


@pytest.mark.parametrize("type_id", shipped())
def test_the_example_is_fresh(type_id: str) -> None:
    for name, data in example_of(type_id).items():
        assert (FLEETS / f"type-{type_id}" / name).read_bytes() == data, AGAIN


@pytest.mark.parametrize("type_id", shipped())
def test_the_drawing_is_fresh_and_small(type_id: str) -> None:
    drawn = (DRAWINGS / f"{type_id}.svg").read_text(encoding="utf-8")
    assert drawn == drawing_of(type_id), AGAIN
    assert len(drawn) < 8_000


def test_there_are_no_others() -> None:
    assert {path.stem for path in DRAWINGS.iterdir()} == set(shipped())
    assert {path.name for path in FLEETS.glob("type-*")} == {f"type-{one}" for one in shipped()}
