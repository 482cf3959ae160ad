"""The JSON Schemas are fresh, and agree with what loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from specs.scaffold.schema import EVERY, FILE_NAMES, WHICH, Which, schema, schema_text
from specs.values.problems import SourceFile
from specs.yaml_text.parser import parse
from tests.specs.test_compile import FLEET, FULL
from tests.specs.test_older_rosters import CAMEL, SNAKE

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples" / "fleets").iterdir())


def parsed(text: str) -> Any:
    """What an editor sees: YAML 1.2, where a time is text."""
    tree = parse(text, SourceFile("any"), [])
    assert tree is not None
    return json.loads(json.dumps(tree.data()))


@pytest.mark.parametrize("which", EVERY)
def test_the_published_schemas_are_fresh(which: Which) -> None:
    published = ROOT / "docs" / "schemas" / f"{which}.schema.json"
    assert published.read_text(encoding="utf-8") == schema_text(which), f"write schema_text({which!r}) to {published}"


@pytest.mark.parametrize("which", EVERY)
def test_they_are_schemas(which: Which) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(which))


@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_valid_and_names_its_schema(example: Path, which: Which) -> None:
    path = example / FILE_NAMES[which]
    text = path.read_text(encoding="utf-8")
    jsonschema.validate(parsed(text), schema(which), cls=jsonschema.Draft202012Validator)
    first = text.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    named = (example / first.split("=", 1)[1]).resolve()
    assert named == ROOT / "docs" / "schemas" / f"{which}.schema.json"
    assert json.loads(named.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("which", "text"), [("roster", SNAKE), ("roster", CAMEL), ("roster", FULL), ("fleet", FLEET)])
def test_what_loads_is_valid(which: Which, text: str) -> None:
    jsonschema.validate(parsed(text), schema(which), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "text",
    [
        "agents: [{name: a, runtime: pi}]",
        "{version: 1, agents: []}",
        "{version: 1, agents: [{name: a}]}",
        "{version: 1, agents: [{name: a/b, runtime: pi}]}",
        "{version: 1, agents: [{name: a, runtime: pi, nmae: x}]}",
        "{version: 1, agents: [{name: a, runtime: pi, state: off}]}",
        "{version: 1, agents: [{name: a, runtime: pi, env: {A: {}}}]}",
        "{version: 1, agents: [{name: a, runtime: pi}], connector: {kind: matrix, matrix: {user_id: x, room_id: y}}}",
    ],
)
def test_what_does_not_load_is_not_valid(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(parsed(text), schema("roster"), cls=jsonschema.Draft202012Validator)
