"""NORTH_STAR.yaml: what the fleet is for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from specs.values.fields import Line, Spec, Text, VersionText


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
    """Something to reach; `depends_on` are goals that come first, `serves` are success criteria."""

    id: Line
    title: Line
    phase: int | None = Field(default=None, ge=0, le=1000)
    priority: Line | None = None
    depends_on: tuple[Line, ...] = ()
    workstream: Line | None = None
    serves: tuple[Line, ...] = ()
    state: Literal["open", "done"] = "open"


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

    version: VersionText
    mission: Text
    substrate: NoteOrText | None = None
    standing_objectives: tuple[Statement, ...] = ()
    success_criteria: tuple[Statement, ...] = ()
    workstreams: tuple[Workstream, ...] = ()
    goals: tuple[Goal, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    spend: Spend | None = None

    def workstream_of(self) -> dict[str, str]:
        """The workstream's id by the id of each goal that belongs to one: the one that it names, or else the longest
        whose id its own id begins with ("A" of "A1", "core" of "core-2")."""
        streams = {stream.id for stream in self.workstreams}
        lengths = sorted({len(stream) for stream in streams}, reverse=True)
        found: dict[str, str] = {}
        for goal in self.goals:
            begins = (goal.id[:length] for length in lengths if length < len(goal.id))
            inferred = next((stream for stream in begins if stream in streams and _within(goal.id, stream)), None)
            stream = goal.workstream or inferred
            if stream is not None:
                found[goal.id] = stream
        return found


def _within(goal: str, stream: str) -> bool:
    """Whether an id that begins with a workstream's goes on with a number or a mark: "Backup" is not of "B"."""
    after = goal[len(stream)]
    return not after.isalpha() and not (after.isdigit() and stream[-1].isdigit())
