"""The pages, taken apart: code spans, fenced blocks, links, headings and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.hosts.namespace import CHECKOUT

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(`+)(.+?)\1", re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language and its text."""

    language: str
    text: str


@dataclass(frozen=True)
class Page:
    """One page of the documentation."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(CHECKOUT))

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """Without the fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(Block(found[1], found[2]) for found in _FENCE.finditer(self.text))

    @property
    def spans(self) -> tuple[str, ...]:
        """Code spans of the prose; a line break in one is a space, as for a reader."""
        return tuple(" ".join(found[2].split()) for found in _SPAN.finditer(self.prose))

    @property
    def links(self) -> tuple[str, ...]:
        return tuple(_LINK.findall(_SPAN.sub("", self.prose)))

    @property
    def anchors(self) -> frozenset[str]:
        """What a link to a heading of this page may name."""
        return frozenset(_slug(found[2]) for found in _HEADING.finditer(self.prose))

    def section(self, *titles: str) -> str:
        """The text below a heading, up to the next one of its level or above; with more titles, of one below that."""
        text = self.prose
        for title in titles:
            found = re.search(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
            assert found is not None, f"{self.name} has no section {title!r}"
            rest = text[found.end() :]
            end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
            text = rest[: end.start()] if end else rest
        return text

    def commands(self) -> Iterator[str]:
        """What a reader would type: the lines of console blocks that begin with a prompt."""
        for block in self.blocks:
            if block.language == "console":
                yield from (line[2:] for line in block.text.splitlines() if line.startswith("$ "))


def tables(text: str) -> list[list[list[str]]]:
    """Every table of a text: rows of cells, without the head."""
    found: list[list[list[str]]] = []
    rows: list[list[str]] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
        elif rows:
            found.append(rows[2:])
            rows = []
    return found


def plain(cell: str) -> str:
    """A cell without its backticks."""
    return cell.replace("`", "")


def _slug(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")


def page(name: str) -> Page:
    return Page(CHECKOUT / name)


PAGES = tuple(
    Page(path)
    for path in sorted(
        [
            *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
            *(CHECKOUT / "docs").rglob("*.md"),
        ]
    )
)
