"""What a page names is there: files, links, headings, modules, decision records."""

from __future__ import annotations

import re

import pytest

from tests.docs import flow
from tests.docs.pages import PAGES, Page, page
from tests.hosts.namespace import CHECKOUT

FOLDERS = ("reconciler", "providers", "specs", "tests", "docs", "examples")
FILES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "pyproject.toml")
RECORDS = [one for one in PAGES if one.path.parent.name == "decisions" and one.path.name != "README.md"]
INDEX = page("docs/decisions/README.md")


def named_files(one: Page) -> set[str]:
    """Spans that name a file or a folder of this repository. A page in capitals (`NORTH_STAR.md`) is of a fleet or a
    host, unless it is one of ours."""
    found = {span for span in one.spans if re.fullmatch(rf"(?:{'|'.join(FOLDERS)})/[\w./@-]*", span)}
    found |= {span for span in one.spans if re.fullmatch(r"(?![A-Z_]+\.md)[A-Za-z_-]+\.md", span)}
    return found | {span for span in one.spans if span in FILES}


@pytest.mark.parametrize("one", PAGES, ids=lambda one: one.name)
def test_every_file_that_is_named_exists(one: Page) -> None:
    missing = [name for name in sorted(named_files(one)) if not (CHECKOUT / name).exists()]
    assert missing == []


@pytest.mark.parametrize("one", PAGES, ids=lambda one: one.name)
def test_every_link_leads_somewhere(one: Page) -> None:
    broken = []
    for link in one.links:
        target, _, anchor = link.partition("#")
        path = (one.path.parent / target).resolve() if target else one.path
        if not path.exists() or (anchor and anchor not in Page(path).anchors):
            broken.append(link)
    assert broken == []


def test_every_page_can_be_reached() -> None:
    """From the README, or from the list of decisions."""
    linked = {
        (start.path.parent / link.partition("#")[0]).resolve()
        for start in (page("README.md"), INDEX)
        for link in start.links
    }
    assert {one.path for one in PAGES} - linked == {page("README.md").path}


def test_the_flow_is_what_the_code_says() -> None:
    """If this fails: python -m tests.docs.flow > docs/flow.md"""
    assert page("docs/flow.md").text == flow.page()


def test_records_are_numbered_without_a_gap() -> None:
    assert [int(one.path.name[:4]) for one in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("one", RECORDS, ids=lambda one: one.path.stem)
def test_a_record_has_its_sections(one: Page) -> None:
    title = re.match(r"# (\d{4})\. (\S.+)\n", one.text)
    assert title is not None
    assert title[1] == one.path.name[:4]
    assert re.findall(r"^## (.+)$", one.text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert all(one.section(name).strip() for name in ("Context", "Decision", "Consequences"))
    assert f"[{title[1]}. {title[2]}]({one.path.name})" in INDEX.text


def test_recover_has_three_parts_in_each_section() -> None:
    recover = page("docs/recover.md")
    sections = re.findall(r"^## (.+)$", recover.prose, re.MULTILINE)
    assert len(sections) > 20
    for title in sections:
        text = recover.section(title)
        assert [part for part in ("**You see**", "**It means**", "**Do**") if part not in text] == [], title
        assert any(link.partition("#")[2] in recover.anchors for link in recover.links)
    listed = {link.removeprefix("#") for link in recover.links if link.startswith("#")}
    assert listed == recover.anchors - {"recover"}
