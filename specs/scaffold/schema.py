"""JSON Schemas of the files that an operator writes, so that editors complete keys and underline mistakes."""

from __future__ import annotations

from typing import Any, Literal

Which = Literal["roster", "fleet", "north-star", "system-type"]
WHICH: tuple[Which, ...] = ("roster", "fleet", "north-star")  # the files at the root
EVERY: tuple[Which, ...] = (*WHICH, "system-type")

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(which: Which) -> dict[str, Any]:
    """The JSON Schema of one file. It is at most as strict as loading: it cannot see across values or files."""
    from specs.models.fleet import FleetSpec
    from specs.models.north_star import NorthStar
    from specs.models.roster import Roster
    from specs.types.system_type import TypeSpec
    from specs.values.fields import Spec

    models: dict[Which, type[Spec]] = {
        "roster": Roster,
        "fleet": FleetSpec,
        "north-star": NorthStar,
        "system-type": TypeSpec,
    }
    document = models[which].model_json_schema()
    definitions = document.get("$defs", {})
    for part in [document, *definitions.values()]:
        part.pop("title", None)
        for info in part.get("properties", {}).values():
            info.pop("title", None)
        if which == "roster":
            _older_spellings(part)
    return {"$schema": _DIALECT, "title": f"Mosaic Fleet: {FILE_NAMES[which]}", **document}


FILE_NAMES: dict[Which, str] = {
    "roster": "roster.yaml",
    "fleet": "fleet.yaml",
    "north-star": "NORTH_STAR.yaml",
    "system-type": "profiles/ID.yaml",
}


def schema_text(which: Which) -> str:
    """The schema as it is kept in a file."""
    import json

    return json.dumps(schema(which), indent=2, sort_keys=True) + "\n"


def _older_spellings(part: dict[str, Any]) -> None:
    """Lets each key be written in camelCase too; a required one must be there in one of the spellings."""
    from specs.values.fields import camel

    properties = part.get("properties", {})
    older = {name: camel(name) for name in properties if "_" in name}
    for name, old in older.items():
        properties[old] = {**properties[name], "deprecated": True}
    required = part.get("required", [])
    part["required"] = [name for name in required if name not in older]
    either = [{"anyOf": [{"required": [n]}, {"required": [older[n]]}]} for n in required if n in older]
    if either:
        part["allOf"] = either
    if not part["required"]:
        del part["required"]
