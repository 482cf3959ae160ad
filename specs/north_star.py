"""NORTH_STAR.yaml: what the fleet is for."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from specs.fields import Line, Spec, Text, Version


class Note(Spec):
    """A remark, for what is decided but has no structure."""

    note: Text


def _note(value: object) -> object:
    return {"note": value} if isinstance(value, str) else value


NoteOrText = Annotated[
    Note,
    BeforeValidator(_note),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"note": {"type": "string"}},
                    "required": ["note"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


class Statement(Spec):
    """An objective or a criterion."""

    id: Line
    text: Text


class Workstream(Spec):
    """A line of work that goals belong to."""

    id: Line
    title: Line


class Goal(Spec):
    """Something to reach; `depends_on` are goals that come first."""

    id: Line
    title: Line
    phase: int | None = Field(default=None, ge=0, le=1000)
    priority: Line | None = None
    depends_on: tuple[Line, ...] = ()


class Assumption(Spec):
    """Something taken for granted; a vetoable one waits for nobody but may be overruled."""

    id: Line
    vetoable: bool = True
    text: Text


class Spend(Spec):
    """What is known about cost."""

    advisory: bool = True
    note: Text | None = None


class NorthStar(Spec):
    """NORTH_STAR.yaml."""

    version: Version
    mission: Text
    substrate: NoteOrText | None = None
    standing_objectives: tuple[Statement, ...] = ()
    success_criteria: tuple[Statement, ...] = ()
    workstreams: tuple[Workstream, ...] = ()
    goals: tuple[Goal, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    spend: Spend | None = None
