"""What `mosaic fleet north-star ...` says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.commands.calling import fleet
from tests.golden.book import Text
from tests.golden.files import folder, shown
from tests.mission.stars import OLDER, TEXT

STAR = "NORTH_STAR.yaml"
WRONG = TEXT.replace("depends_on: [A2, core-1, core-2]", "depends_on: [A2, core-9]")


def said(home: Path, text: str | None, *words: str) -> str:
    """Of the folder ~/fleet, which has this mission, or none."""
    place = home / "fleet"
    place.mkdir(exist_ok=True)
    if text is not None:
        (place / STAR).write_text(text)
    return shown(fleet("north-star", *words, str(place)), home)


def validate() -> Iterator[Text]:
    with folder() as home:
        yield Text("no mission", said(home, None, "validate"))
        yield Text("valid", said(home, TEXT, "validate"))
        yield Text("a goal that is not there", said(home, WRONG, "validate"))
        yield Text("an older one", said(home, OLDER, "validate"))


def next_goals() -> Iterator[Text]:
    with folder() as home:
        yield Text("goals of every kind", said(home, TEXT, "next"))
        yield Text("no goals", said(home, "version: 1\nmission: Grow things.\n", "next"))


def graph() -> Iterator[Text]:
    with folder() as home:
        yield Text("goals of every kind", said(home, TEXT, "graph"))


def render() -> Iterator[Text]:
    with folder() as home:
        page = home / "fleet" / "NORTH_STAR.md"
        yield Text("--check: it is not there", said(home, "version: 1\nmission: Grow things.\n", "render", "--check"))
        yield Text("it is written", said(home, None, "render"))
        yield Text("it is up to date", said(home, None, "render"))
        yield Text("--check: the mission is another", said(home, "version: 1\nmission: Bake.\n", "render", "--check"))
        said(home, None, "render")
        page.write_text(page.read_text() + "\nMine.\n")
        yield Text("--check: it was edited by hand", said(home, None, "render", "--check"))
        yield Text("it had been edited by hand", said(home, None, "render"))
        page.write_text("# Ours\n")
        yield Text("it was not generated", said(home, None, "render"))
