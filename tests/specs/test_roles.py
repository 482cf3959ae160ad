"""The operator's own contracts, `roles/CLASS.md`: read with the other files, resolved, and held against their agents
only."""

from __future__ import annotations

import pytest

from specs.compiled import fleet_from_json, fleet_to_json, mission_digest
from specs.fleet_files import LARGEST, spec_path
from specs.loading.load import load
from specs.personas.persona import shipped_one
from tests.specs.helpers import agent, agents, compiled, only, read

OVERRIDE = b"---\nclass: code\n---\n## Persona\n\nCalm.\n"
OWN = b"""\
---
class: gardener
domain: operations
persistent_persona: semi
purpose: Waters what grows.
---
# Gardener

## Mandate

Water it.

## Boundaries

No saw.

## Persona

Patient.
"""
ROSTER = agents(
    "name: a, runtime: claude, class: code",
    "name: b, runtime: claude, class: implementer",
    "name: c, runtime: claude, class: gardener",
    "name: d, runtime: claude, class: review",
).encode()


def files(**roles: bytes) -> dict[str, bytes]:
    return {"roster.yaml": ROSTER, **{f"roles/{name}.md": raw for name, raw in roles.items()}}


def test_contracts_are_resolved_for_the_classes_that_are_here() -> None:
    loaded = load(files(code=OVERRIDE, gardener=OWN))
    assert loaded.problems == ()
    fleet = compiled(loaded)
    assert fleet.personas.keys() == {"code", "implementer", "gardener", "review"}
    code, review, shipped = fleet.personas["code"], fleet.personas["review"], shipped_one("code")
    assert shipped is not None
    assert code == fleet.personas["implementer"], "an older name has the same contract"
    assert "Calm." in code.text
    assert "## Mandate" in code.text, "what the override does not say is as shipped"
    assert code.purpose == shipped.purpose
    assert (fleet.personas["gardener"].purpose, fleet.personas["gardener"].persistent) == ("Waters what grows.", "semi")
    assert review.text == getattr(shipped_one("review"), "text", None)
    assert fleet_from_json(fleet_to_json(fleet)) == fleet


def test_a_class_of_another_host_is_not_carried_along() -> None:
    roster = agents("name: a, runtime: pi, class: code", "name: b, runtime: pi, class: review, host: there")
    assert compiled(load({"roster.yaml": roster.encode()})).personas.keys() == {"code"}


def test_the_digest_says_which_of_the_two_has_changed() -> None:
    star = b"version: 1\nmission: Grow things.\n"
    before, persona, mission = (
        compiled(load(given)) for given in (files(), files(code=OVERRIDE), {**files(), "NORTH_STAR.yaml": star})
    )
    digests = [mission_digest(fleet, agent(fleet, "a")) for fleet in (before, persona, mission)]
    assert {len(digest) for digest in digests} == {12}
    assert digests[0][:6] == digests[1][:6] != digests[2][:6]
    assert digests[0][6:] == digests[2][6:] != digests[1][6:]
    nobody, other = (mission_digest(before, agent(before, name)) for name in ("c", "d"))
    assert len({digests[0], nobody, other}) == 3
    assert nobody == mission_digest(persona, agent(persona, "c")), "a class without a contract has a digest, too"


@pytest.mark.parametrize(
    ("raw", "says", "line"),
    [
        (OVERRIDE.replace(b"class:", b"clas:"), 'unknown key "clas"', 2),
        (b"# Coder\n", "must begin with front matter", 1),
        (b"\xff\xfe", "UTF-16", 1),
        (OVERRIDE + b"x" * LARGEST, "the limit is 64 KiB", 1),
        (OVERRIDE + b"\nghp_" + b"0123456789abcdefABCDEF0123456789abcdef"[:36] + b"\n", "in plain sight", 8),
    ],
)
def test_a_bad_contract_holds_the_agents_of_its_class_and_nobody_else(raw: bytes, says: str, line: int) -> None:
    loaded = load(files(code=raw))
    assert loaded.errors_fatal == ()
    assert loaded.held.keys() == {"a", "b"}
    problem = only(loaded, says)
    assert (problem.file, problem.line, problem.severity) == ("roles/code.md", line, "error")
    fleet = compiled(loaded)
    held = {one.name: one.held for one in fleet.agents}
    assert held["c"] is held["d"] is None
    assert held["a"] == held["b"]
    assert str(held["a"]).startswith(f"roles/code.md:{line}: ")


def test_a_bad_contract_that_nobody_has_is_a_warning() -> None:
    loaded = load(files(editor=b"nothing"))
    assert loaded.ok
    assert only(loaded, "must begin with front matter").severity == "warning"


def test_a_contract_of_ones_own_must_be_whole() -> None:
    loaded = load(files(gardener=OWN.replace(b"## Boundaries", b"## Limits")))
    assert loaded.held.keys() == {"c"}
    assert only(loaded, "a whole contract also has: Boundaries").file == "roles/gardener.md"


def test_an_older_name_with_a_contract_of_its_own_is_a_class_of_its_own() -> None:
    own = OWN.replace(b"gardener", b"implementer")
    fleet = compiled(load(files(implementer=own)))
    assert "Water it." in fleet.personas["implementer"].text
    assert fleet.personas["code"].text == getattr(shipped_one("code"), "text", None)
    assert load(files(implementer=b"bad")).held.keys() == {"b"}


def test_a_misspelt_class_is_told_once_with_what_was_meant() -> None:
    entries = [f"name: r{at}, runtime: pi, class: resercher" for at in range(20)]
    found = only(read(agents(*entries, "name: x, runtime: pi, class: florist")), "is not a known one")
    assert (found.severity, found.line, found.agent) == ("warning", 4, "r0")
    assert found.suggestion == 'did you mean "researcher"?'
    assert "roles/resercher.md" in str(found.help)


def test_a_class_with_a_contract_is_known() -> None:
    roster = agents("name: a, runtime: pi, class: coder").encode()
    own = OWN.replace(b"gardener", b"coder")
    assert only(load({"roster.yaml": roster}), "is not a known one").suggestion == 'did you mean "code"?'
    assert load({"roster.yaml": roster, "roles/coder.md": own}).problems == ()


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("roster.yaml", True), ("roles/code.md", True), ("profiles/research.yaml", True), ("other.yaml", False),
        ("roles/README.md", False), ("roles/.code.md", False), ("roles/code.yaml", False), ("roles/a/b.md", False),
        ("profiles/research.md", False), ("roles/", False), ("roles", False), ("src/roles/code.md", False),
    ],
)  # fmt: skip
def test_which_files_a_fleet_is_made_of(path: str, is_one: bool) -> None:
    assert spec_path(path) is is_one


def test_an_answer_for_a_class_that_nobody_has_is_a_warning() -> None:
    roster = agents("name: a, runtime: pi, class: code")
    loaded = read(roster, fleet="floor: none\nmission: {on_change: tell, classes: {cod: reset, code: show}}\n")
    problem = only(loaded, 'no agent has the class "cod"')
    assert (problem.severity, problem.suggestion, problem.line) == ("warning", 'did you mean "code"?', 2)
    assert compiled(loaded).on_mission == {"*": "tell", "cod": "reset", "code": "show"}
    (wrong,) = read(roster, fleet="floor: none\nmission: {on_change: restart}\n").errors_fatal
    assert (wrong.file, wrong.line) == ("fleet.yaml", 2)
