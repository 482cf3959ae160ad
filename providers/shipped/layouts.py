"""The possible layouts of an install in `$MOSAIC_HOME`, by number, and how to recognise each. Pure.

From one layout to the next, only files move that the framework itself put there by name. All else of an older install
(its tools, its skills, its launchers) stays in place: nobody can tell any more which of it is the operator's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from providers.shipped import manifest
from providers.shipped.release import LAYOUT

if TYPE_CHECKING:
    from providers.host import FileState
    from providers.shipped.manifest import Manifest

RAILS, TOOLS, CONSTITUTION = 1, 2, 3
OLDER: Mapping[int, str] = {
    RAILS: "a contract in one file, and tools in `rails/`",
    TOOLS: "a contract in one file, without a constitution",
    CONSTITUTION: "a constitution with tools beside it, without a manifest",
}
_TOOLS = ("rails", "tools")


def layout_of(there: Callable[[str], FileState | None], known: Manifest) -> int:
    """`there`: returns the file at a path of `$MOSAIC_HOME`; its errors are passed on. `known`: the manifest as read.
    0: nothing was ever installed."""
    if known.layout:
        return known.layout
    if there(manifest.NAME) is not None:
        return LAYOUT  # damaged, and ours
    if there("AGENTS.md") is None:
        return 0
    rails, tools = (there(name) is not None for name in _TOOLS)
    if rails:
        return RAILS
    if there("CONSTITUTION.md") is None:
        return TOOLS
    return CONSTITUTION if tools else LAYOUT  # only the manifest was lost


def is_older(layout: int) -> bool:
    """Whether `mosaic update` must bring it to the present layout."""
    return 0 < layout < LAYOUT
