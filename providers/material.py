"""What the steps of a kind need to make a thing, apart from what is compared: one frozen dataclass for each. `of`
returns that of a resource, None if it has none of that kind."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.base import Material
from specs.dataclass import dataclass, field

if TYPE_CHECKING:
    from providers.base import Action, Json
    from providers.steps import Step
    from specs.compiled import Agent


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FileMaterial(Material):
    """A whole file. `variables`: for a launch environment, the content of its lines, by name."""

    path: str
    content: str
    mode: int
    variables: Mapping[str, Json] = field(default_factory=dict)


def writing(action: Action) -> Step:
    """The step that writes the file of an action. Raises ValueError for an action without one."""
    from providers.steps import WriteFile

    file = FileMaterial.of(action.desired)
    if file is None:
        raise ValueError(f"{action.id}: nothing to write")
    return WriteFile(path=file.path, content=file.content, mode=file.mode)


def digest(content: str) -> str:
    """The compared form of a content: 12 hex digits of its SHA-256."""
    return hashlib.sha256(content.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FolderMaterial(Material):
    """Several files, by their paths in one folder, and the digests of those that are compared often."""

    texts: Mapping[str, str]
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SessionMaterial(Material):
    """The agent as declared: its launch fields and its limits are made of it where a step needs them."""

    agent: Agent


NOTHING = FolderMaterial(texts={})
