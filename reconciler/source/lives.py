"""Lives: decide whether a name in the fleet has been the same agent since a commit.

A life of a name begins with the commit that adds it to the roster and ends with the commit that removes it, or declares
it absent. Restarts, a stop, another class, runtime or host are events within a life. A name that was removed and added
again is another agent, even if no run ever saw the commit in between: the history of the branch counts, in the commits
that could have been in force.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from reconciler.errors import InvalidConfig, MosaicError, Refused

if TYPE_CHECKING:
    from reconciler.git.mirror import Checkout

MOST = 200  # versions of the roster to read between two commits
_WORDS = re.compile(rb"[A-Za-z0-9_.-]+")
_ABSENT = b"absent"


def ended(checkout: Checkout, names: Collection[str], old: str, new: str) -> frozenset[str] | None:
    """Which of the names, declared at both commits, were not declared all the way between them. None if that is
    unknown: the history between them is not here, or too long. Never raises."""
    if old == new or not names:
        return frozenset()
    try:
        base = checkout.merge_base(old, new)
        if base is None:
            return None if checkout.is_shallow() else frozenset(names)  # the two have no common history
        found = [*checkout.versions(base, new), *checkout.versions(base, old)]
        if len(found) > MOST:
            return None
        if base not in (old, new):
            found.append(base)
        return frozenset(_missing(checkout, names, found))
    except MosaicError:
        return None


def _missing(checkout: Checkout, names: Collection[str], commits: Iterable[str]) -> Iterable[str]:
    for commit in commits:
        try:
            files = checkout.files(checkout.peel(commit)[1])
        except (Refused, InvalidConfig):
            continue  # no host would take this commit
        words = set(_WORDS.findall(files.get("roster.yaml", b"")))
        doubtful = [name for name in names if name.encode() not in words]
        if doubtful or _ABSENT in words:
            yield from _not_declared(files, names if _ABSENT in words else doubtful)


def _not_declared(files: dict[str, bytes], names: Iterable[str]) -> Iterable[str]:
    """The names that the commit's own files do not declare; none for a commit that was never in force."""
    from specs.loading.load import load

    loaded = load(files)
    if loaded.roster is None:
        return
    states = {spec.name: spec.state for spec in (*loaded.roster.agents, *loaded.held_specs.values())}
    states |= {name: "running" for name in loaded.held if name not in states}
    yield from (name for name in names if states.get(name, "absent") == "absent")
