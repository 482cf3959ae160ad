"""Which entries of a table count for which version of a program. Pure."""

from __future__ import annotations

import re
from typing import TypeVar

from specs.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranged:
    """An entry of a table. `since`: the first version that shows it; `before`: the first one that no longer does."""

    since: str = ""
    before: str = ""


Entry = TypeVar("Entry", bound=Ranged)


def numbers(version: str) -> tuple[int, ...]:
    """The three numbers of a version, also with words around it ("2.1.332 (Claude Code)"); empty if it has none."""
    found = re.search(r"\d+(?:\.\d+){1,2}", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def in_force(entries: tuple[Entry, ...], version: str) -> tuple[Entry, ...]:
    """The entries for a version, in their order; all of them where the version is not known."""
    own = numbers(version)
    if not own:
        return entries
    return tuple(
        entry
        for entry in entries
        if (not entry.since or numbers(entry.since) <= own) and (not entry.before or own < numbers(entry.before))
    )
