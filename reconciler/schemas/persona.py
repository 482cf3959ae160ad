"""JSON Schemas of the documents of `mosaic fleet persona`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_args

from reconciler.schemas.pieces import BOOL, TEXT, TEXTS, Schema, items, of_files, or_null, record, words
from specs.organisation.classes import SOURCES
from specs.personas.diff import STATES, Of

_PERSISTENT: Schema = {"enum": [True, False, "semi"]}


def _class(**properties: Schema) -> dict[str, Schema]:
    named = {"class": TEXT, "domain": TEXT, "persistent": _PERSISTENT, "purpose": TEXT}
    return {**named, "source": words(SOURCES), "outdated": BOOL, "aliases": TEXTS, "agents": TEXTS, **properties}


def _personas() -> Schema:
    """`domain` and the next two are null for a class that is only in a file that cannot be read."""
    unread = {name: or_null(schema) for name, schema in _class().items() if name in ("domain", "persistent", "purpose")}
    without = record(**{"class": TEXT}, agents=TEXTS)
    return of_files("Personas", classes=items(record(**_class(**unread))), without_contract=items(without))


def _persona() -> Schema:
    """`text` is the contract as agents read it."""
    return of_files("Persona", **_class(digest=TEXT, base=or_null(TEXT), text=TEXT))


def _diff() -> Schema:
    """`own` is null where the override says nothing of a part, and empty where it leaves it out."""
    part = record(
        name=TEXT,
        of=words(get_args(Of)),
        state=words(STATES),
        base=or_null(TEXT),
        shipped=or_null(TEXT),
        own=or_null(TEXT),
    )
    return of_files(
        "PersonaDiff",
        **{"class": TEXT},
        outdated=BOOL,
        base=record(digest=or_null(TEXT), known=BOOL),
        shipped=record(digest=TEXT),
        conflicts=TEXTS,
        parts=items(part),
    )


PERSONA: Mapping[str, Callable[[], Schema]] = {
    "personas": _personas,
    "persona": _persona,
    "persona-diff": _diff,
}
