"""What the installed version ships for `$MOSAIC_HOME`: the framework files, and first drafts of the operator's.

Paths are relative to `$MOSAIC_HOME`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from specs import library
from specs.dataclass import dataclass

VERSION = "0.1.0"  # of the package; a test holds it to pyproject.toml, and reading metadata would cost every run
LAYOUT = 4  # raised when framework files move, with a migration that moves them
_ROOT = "framework"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """`files` are put back whenever they differ; `seeds` are written once, and are the operator's from then on."""

    version: str
    files: Mapping[str, str]
    seeds: Mapping[str, str]


@cache
def release() -> Release:
    """The release of the installed package. Raises OSError if that is damaged."""
    plain = {name.removeprefix(f"{_ROOT}/"): library.text(name) for name in library.names(_ROOT, ".md")}
    guides = {name.removeprefix(f"{_ROOT}/"): library.text(name) for name in library.names(f"{_ROOT}/guides", ".md")}
    runtimes = {
        f"runtime/{name.rpartition('/')[2].removesuffix('.md')}/RUNTIME.md": library.text(name)
        for name in library.names(f"{_ROOT}/runtimes", ".md")
    }
    seeds = {name.rpartition("/")[2]: library.text(name) for name in library.names(f"{_ROOT}/templates", ".md")}
    return Release(version=VERSION, files=plain | guides | runtimes, seeds=seeds)
