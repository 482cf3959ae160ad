"""An own contract over a shipped one, and the shipped one of today as its base: as files, without a repository."""

from __future__ import annotations

import pytest

from reconciler.changes.persona_override import accept, base_of, contract_of, customise, find_class, paths
from reconciler.changes.proposal import EditVerb, propose
from reconciler.errors import InvalidConfig, MosaicError, NotFound, Refused, Usage
from specs.personas.files import base_path, role_path
from specs.personas.persona import shipped_names, shipped_one
from specs.types.repository_extras import read_own

ROSTER = {"roster.yaml": b"version: 1\ntransport: tmux\nagents: []\n", "fleet.yaml": b"version: 1\nfloor: none\n"}
NAME = sorted(shipped_names())[0]


def test_a_new_one_changes_nothing_yet() -> None:
    shipped = shipped_one(NAME)
    assert shipped is not None
    heading = shipped.sections[0].heading
    found = propose(ROSTER, customise(NAME, [heading.upper()]))
    assert set(found.files) == set(paths(NAME)) == {role_path(NAME), base_path(NAME)}
    own = read_own(found.files)
    assert own.problems == {}
    assert contract_of(NAME, own).sections == shipped.sections
    assert own.personas[NAME].base == shipped.digest
    assert base_of(own.personas[NAME], shipped, found.files[base_path(NAME)]) == shipped
    assert base_of(own.personas[NAME], shipped, None) == shipped
    assert propose({**ROSTER, **found.files}, accept(NAME)).files == {}


def test_an_older_base_becomes_that_of_today() -> None:
    shipped = shipped_one(NAME)
    assert shipped is not None
    files = {**ROSTER, **propose(ROSTER, customise(NAME, [])).files}
    files[role_path(NAME)] = files[role_path(NAME)].replace(shipped.digest.encode(), b"sha256:" + b"0" * 12)
    outdated = read_own(files).personas[NAME]
    if outdated.base != shipped.digest:
        assert base_of(outdated, shipped, None) is None
    after = {**files, **propose(files, accept(NAME)).files}
    assert read_own(after).personas[NAME].base == shipped.digest


@pytest.mark.parametrize(
    ("verb", "error"),
    [
        (customise("no-such-class", []), NotFound),
        (customise(NAME, ["no such section"]), Usage),
        (accept(NAME), NotFound),
    ],
)
def test_what_is_refused(verb: EditVerb, error: type[MosaicError]) -> None:
    with pytest.raises(error):
        propose(ROSTER, verb)


def test_a_file_that_is_there_stays() -> None:
    files = {**ROSTER, **propose(ROSTER, customise(NAME, [])).files}
    with pytest.raises(Refused):
        propose(files, customise(NAME, []))


def test_a_file_that_is_wrong_is_shown() -> None:
    own = read_own({role_path(NAME): b"---\nbase: [\n---\n"})
    assert find_class(NAME, own) == NAME
    with pytest.raises(InvalidConfig, match=role_path(NAME)):
        contract_of(NAME, own)
    with pytest.raises(NotFound):
        contract_of("no-such-class", read_own({}))
