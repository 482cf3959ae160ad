"""The programs, listed by hand. A module is imported when its program is asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from providers.programs.base import Plain

if TYPE_CHECKING:
    from providers.programs.base import Program

READERS = frozenset({"claude", "codex", "opencode", "pi"})  # those whose screens can be read
_KNOWN = ("claude", "codex", "opencode", "pi", "stub")


def is_read(runtime: str, title: str) -> bool:
    """Whether the screen of a runtime with this title can be read."""
    if runtime == "stub":
        from providers.programs.stub import shows_something

        return shows_something(title)
    return runtime in READERS


@cache
def program(runtime: str) -> Program:
    """The program of a runtime; Plain if it is not listed here."""
    if runtime not in _KNOWN:
        return Plain(runtime)
    found: Program = import_module(f"providers.programs.{runtime}").PROGRAM
    return found
