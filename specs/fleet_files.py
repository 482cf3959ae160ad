"""The names of a fleet's files. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


ROSTER, FLEET, NORTH_STAR = "roster.yaml", "fleet.yaml", "NORTH_STAR.yaml"


FILES = (ROSTER, FLEET, NORTH_STAR)


ROLES, PROFILES = "roles", "profiles"


FOLDERS: Mapping[str, str] = {ROLES: ".md", PROFILES: ".yaml"}  # and how what is read of each is called


GUIDES = frozenset({"readme", "library", "index"})  # what people put beside contracts


MOST, LARGEST = 200, 64 * 1024  # files that are read of a folder, and bytes of one


def spec_path(name: str) -> bool:
    """Whether a file is one that a fleet is made of, by its path in the repository. What is hidden is none, and neither
    is a folder's README or index."""
    folder, slash, file = name.partition("/")
    if not slash:
        return name in FILES
    suffix = FOLDERS.get(folder, "/")
    guide = file.removesuffix(suffix).casefold() in GUIDES
    return file.endswith(suffix) and file[0] != "." and "/" not in file and not guide
