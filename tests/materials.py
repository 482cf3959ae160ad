"""What a test reads of a thing as it should be, and of a document: with the types that it is sure of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.base import Json, Resource
from providers.material import FileMaterial, FolderMaterial


def file_of(resource: Resource) -> FileMaterial:
    """The file that a resource is."""
    found = FileMaterial.of(resource)
    assert found is not None, resource
    return found


def texts_of(resource: Resource) -> Mapping[str, str]:
    """The files that a resource is, by name."""
    found = FolderMaterial.of(resource)
    assert found is not None, resource
    return found.texts


def parsed(value: Json) -> Any:
    """A document, or a part of one, as whoever reads it takes it."""
    return value
