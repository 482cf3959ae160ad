"""The small pieces of every JSON Schema here. Pure.

Objects are open: additions are allowed, and what is listed is always there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from providers.base import Json
from reconciler.status.document import API_VERSION

Schema = dict[str, Json]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TEXT: Schema = {"type": "string"}
BOOL: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SECONDS: Schema = {"type": "number", "minimum": 0}
TIME: Schema = {"type": "string", "format": "date-time", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$"}
TEXTS: Schema = {"type": "array", "items": TEXT}
ANY: Schema = {}


def or_null(schema: Schema) -> Schema:
    """This, or nothing."""
    return {"anyOf": [schema, {"type": "null"}]}


def words(closed: type[StrEnum] | Iterable[str]) -> Schema:
    """One word of a closed list."""
    return {"enum": [str(word) for word in closed]}


def record(**properties: Schema) -> Schema:
    """An object with all of these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def record_or(optional: Mapping[str, Schema], **properties: Schema) -> Schema:
    """An object with all of these, and some of the optional ones."""
    return {"type": "object", "properties": {**properties, **optional}, "required": list(properties)}


def items(schema: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": schema}


def document(kind: str, **properties: Schema) -> Schema:
    """A whole document, with what every one about a host begins with."""
    return of_files(kind, fleet=TEXT, tenant_id=TEXT, host=TEXT, **properties)


def of_files(kind: str, **properties: Schema) -> Schema:
    """A document about files, wherever they are: it names no host and no tenant."""
    head: dict[str, Schema] = {"apiVersion": {"const": API_VERSION}, "kind": {"const": kind}}
    return {"$schema": DIALECT, "title": f"Mosaic Fleet: {kind}", **record(**head, **properties)}


def problem(**properties: Schema) -> Schema:
    """One thing that is wrong with a file, and where."""
    return record(
        severity=words(("error", "warning")),
        file=TEXT,
        line=COUNT,
        column=COUNT,
        message=TEXT,
        suggestion=or_null(TEXT),
        help=or_null(TEXT),
        **properties,
    )
