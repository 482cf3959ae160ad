"""The text of `mosaic fleet uninstall --purge`: what it is about to remove."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from reconciler.helpers.words import data

if TYPE_CHECKING:
    from reconciler.update.purge import Purge


def purge_text(found: Purge) -> str:
    """Units, files by folder, whole folders; then what stays, each with what it is."""
    lines = ["to be stopped:", *_indented(data(unit) for unit in (*found.units, *found.slices))]
    lines += ["to be removed:", *_indented(_files((*found.links, *found.files)))]
    lines += _indented(f"{data(folder)}/ and everything in it" for folder in found.folders)
    if found.left:
        lines += ["yours, and left as it is:", *_indented(f"{data(path)} ({what})" for path, what in found.left)]
    return "\n".join(lines)


def _files(paths: Iterable[str]) -> Iterator[str]:
    parts = sorted((folder, name) for folder, _, name in (path.rpartition("/") for path in paths))
    for folder, rows in groupby(parts, key=itemgetter(0)):
        yield f"{data(folder)}/: {', '.join(data(name) for _, name in rows)}"


def _indented(rows: Iterable[str]) -> list[str]:
    return [f"  {row}" for row in rows]
