"""A document as a program reads it: one, of a kind that is known, and as its JSON Schema says."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema

from reconciler.commands.schema import DOCUMENTS
from reconciler.schemas.registry import schema_of
from tests.materials import parsed


@cache
def _schemas() -> dict[str, Any]:
    found = (parsed(schema_of(which)) for which in DOCUMENTS if which != "event")
    return {schema["properties"]["kind"]["const"]: schema for schema in found}


def read(text: str) -> Any:
    """The document; fails where it is not valid by the schema of its kind."""
    document = json.loads(text)
    jsonschema.Draft202012Validator(_schemas()[document["kind"]]).validate(document)
    return document
