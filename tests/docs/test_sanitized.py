"""What has no business on a page: places that are nobody else's, addresses, leftovers of the writing."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import PAGES, Page

# Where an absolute path on a page may begin: what every reader has, or what is plainly an example.
PLACES = ("bin", "dev", "etc", "home", "proc", "run", "srv", "sys", "tmp", "usr", "var")
FORBIDDEN = {
    "a URL": r"https?://|ssh://|git@",
    "an e-mail address": r"[\w.]+@[\w-]+\.(?!service|target|timer|scope|path)\w+",
    "a network address": r"\b\d{1,3}(?:\.\d{1,3}){3}\b",
    "something unfinished": r"\b(?:TODO|FIXME|XXX|TBD|lorem ipsum)\b",
    "a commit's full id": r"\b[0-9a-f]{40}\b",
    "a temporary file's name": r"\btmp[a-z0-9_]{8}\b",
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_says_what_it_should_not(page: Page) -> None:
    found = [f"{what}: {match[0]}" for what, pattern in FORBIDDEN.items() for match in re.finditer(pattern, page.text)]
    assert found == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_are_everybodys(page: Page) -> None:
    absolute = re.findall(r"(?<![\w~.}/%@*>-])/([a-z]+)/", page.text)
    assert [root for root in absolute if root not in PLACES] == []
