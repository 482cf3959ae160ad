"""The schemas of what doctor tells are files, too, and its page knows every check."""

from __future__ import annotations

import json
import re

import pytest

from reconciler.doctor.programs import NEEDS
from reconciler.schemas.registry import schema_of
from tests.docs.pages import page, plain, tables
from tests.hosts.namespace import CHECKOUT

PAGE = page("docs/doctor.md")


@pytest.mark.parametrize("which", ["doctor", "contract"])
def test_the_schema_is_a_file_too(which: str) -> None:
    """If this fails: mosaic fleet schema WHICH > docs/schemas/WHICH.schema.json"""
    file = CHECKOUT / "docs/schemas" / f"{which}.schema.json"
    assert json.loads(file.read_text(encoding="utf-8")) == schema_of(which)


def test_every_check_is_on_the_page() -> None:
    """Names stand in the code as they are printed; those of several things end where the name of the thing begins."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "reconciler/doctor").glob("*.py"))
    names = set(re.findall(r'\bname="([a-z][a-z-]+)"', code)) | set(
        re.findall(r'\bname(?:, \w+)* = f?"([a-z-]+)', code)
    )
    names |= {name for name in re.findall(r'f"([a-z-]+-)\{', code) if not name.startswith("mosaic")}
    known = " ".join(PAGE.spans)
    assert len(names) > 25
    assert [name for name in sorted(names - set(NEEDS)) if name not in known] == []


def test_the_versions_on_the_page_are_those_of_the_code() -> None:
    rows = [[plain(cell) for cell in row] for row in tables(PAGE.section("Programs"))[1]]
    dots = {name: [".".join(map(str, one)) for one in (need.minimum, need.known)] for name, need in NEEDS.items()}
    assert {row[0]: row[1:] for row in rows} == dots
