"""`provision` as a change of files: the type that is meant, what fits it, and what is refused."""

from __future__ import annotations

import pytest

from reconciler.changes.proposal import propose
from reconciler.changes.provision import verb
from reconciler.errors import NotFound, Refused, Usage
from specs.loading.load import load
from specs.organisation.provision import Wanted
from specs.types.system_type import shipped


def test_every_seat_is_filled_once() -> None:
    found = propose({}, verb("research", Wanted()))
    assert load(found.files).fleet.type == "research"
    assert load(found.files).problems == ()
    again = propose(found.files, verb(None, Wanted()))
    assert again.files == {}


@pytest.mark.parametrize(
    ("asked", "error"), [(None, Usage), ("reserch", NotFound)]
)  # fmt: skip
def test_a_type_has_to_be_there(asked: str | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        propose({}, verb(asked, Wanted()))


def test_a_fleet_does_not_become_another_type_by_the_way() -> None:
    files = propose({}, verb("research", Wanted())).files
    with pytest.raises(Refused):
        propose(files, verb(next(one for one in shipped() if one != "research"), Wanted()))


def test_a_runtime_is_for_a_class_that_the_type_has() -> None:
    with pytest.raises((Usage, NotFound)):
        propose({}, verb("research", Wanted(runtimes={"no-such-class": "stub"})))
