"""The page of what holds a rule is made of the data that ships, and that fits the constitution and the programs."""

from __future__ import annotations

import re

import pytest

from specs import library
from specs.models.runtimes import KNOWN
from specs.personas import enforcement_matrix
from tests.hosts.namespace import CHECKOUT


def test_the_page_is_generated() -> None:
    """If this fails, write it anew:
    python -c 'from specs.personas.enforcement_matrix import page; print(page(), end="")' > docs/matrix.md"""
    assert (CHECKOUT / "docs/matrix.md").read_text(encoding="utf-8") == enforcement_matrix.page()


def test_it_has_every_rule_and_every_program() -> None:
    made = enforcement_matrix.matrix()
    text = library.text(enforcement_matrix.CONSTITUTION)
    assert list(made.rules) == [f"C{number}" for number in range(1, len(re.findall(r"\*\*C\d+\.", text)) + 1)]
    assert len(made.rules) == 13
    assert {name for name in made.carried if name in KNOWN} == set(KNOWN) - {"stub"}
    assert {made.held(rule, "another command") for rule in made.rules} == {"absent"}
    assert {made.held(rule, "pi") for rule in made.rules} == {"resident"}
    assert made.held("C1", "claude") == "enforced"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("C1:", "C99:"),
        ("in: [claude, codex]", "in: [claude, another command]"),
        ("  pi: with", "  pie: with"),
        ("enforced:", "enforced: ["),
    ],
)
def test_data_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    real = library.text

    def text(name: str) -> str:
        return real(name).replace(old, new) if name == enforcement_matrix.DATA else real(name)

    monkeypatch.setattr(library, "text", text)
    with pytest.raises(ValueError, match="matrix"):
        enforcement_matrix.matrix()
