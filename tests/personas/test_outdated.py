"""A shipped contract that has changed under an operator's own is a warning, and never applied over it."""

from __future__ import annotations

import pytest

from specs import library, personas
from specs.load import load, spec_path
from specs.own import read_own
from specs.persona_files import base_path
from specs.personas import outdated, shipped_one
from tests.specs.helpers import agents, only

ROSTER = agents("name: a, runtime: claude, class: code", "name: b, runtime: claude, class: implementer").encode()


def override(base: str, body: str = "## Persona\n\nCalm.\n") -> bytes:
    return f'---\nclass: code\nbase: "{base}"\n---\n{body}'.encode()


def digest() -> str:
    found = shipped_one("code")
    assert found is not None
    return found.digest


def test_an_older_base_is_a_warning_with_its_place() -> None:
    loaded = load({"roster.yaml": ROSTER, "roles/code.md": override("0123456789ab")})
    problem = only(loaded, 'the shipped contract of "code" has changed')
    assert (problem.file, problem.line, problem.column, problem.severity) == ("roles/code.md", 3, 7, "warning")
    assert problem.source == 'base: "0123456789ab"'
    assert "mosaic fleet persona diff code" in str(problem.help)
    assert loaded.ok
    assert loaded.held == {}
    assert "Calm." in loaded.roles["code"].text


@pytest.mark.parametrize("raw", [override("0123456789ab").replace(b'base: "0123456789ab"\n', b""), None])
def test_nothing_is_said_without_a_base_or_with_the_present_one(raw: bytes | None) -> None:
    loaded = load({"roster.yaml": ROSTER, "roles/code.md": override(digest()) if raw is None else raw})
    assert loaded.problems == ()
    assert not outdated(loaded.roles["code"])


def test_an_upgrade_is_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"roster.yaml": ROSTER, "roles/code.md": override(digest())}
    assert load(files).problems == ()
    text = library.text("personas/code.md").replace("## Persona\n", "## Persona\n\nNew in this version.\n")
    real = library.text
    monkeypatch.setattr(library, "text", lambda name: text if name == "personas/code.md" else real(name))
    for cached in (personas.shipped_one, personas.shipped):
        cached.cache_clear()
    try:
        loaded = load(files)
        assert only(loaded, "has changed since").line == 3
        resolved = read_own(files).resolve("implementer")
        assert resolved is not None
        assert "Calm." in resolved.text
        assert "New in this version." not in resolved.text, "the shipped one is never applied over an own one"
    finally:
        for cached in (personas.shipped_one, personas.shipped):
            cached.cache_clear()


def test_what_is_kept_of_the_shipped_one_is_no_contract() -> None:
    assert not spec_path(base_path("code"))
    files = {"roster.yaml": ROSTER, base_path("code"): b"anything", "roles/.base/x.yaml": b"\xff"}
    assert load(files).problems == ()
    assert load(files).roles == {}
    assert read_own(files).personas == {}
