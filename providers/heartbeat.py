"""Heartbeats: observed only. What an agent says of itself, credited to the process that wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.base import Action, Health, Json, Kind, Present, Resource, ResourceKey
from providers.host import HeartbeatFile

if TYPE_CHECKING:
    from providers.host import HostFacts, Look
    from providers.steps import Step
    from specs.compiled import Fleet


NONE = HeartbeatFile(error="no heartbeat file")  # of an agent of which only a turn record is there


class HeartbeatProvider:
    """Nothing is desired and nothing is done: a missing or stale heartbeat is evidence about a session. `evidence` is
    the heartbeat, and under `turn` the record of its turns, None where there is none."""

    kind = Kind.HEARTBEAT

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        _ = fleet, facts
        return ()

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        _ = fleet, facts
        found: dict[ResourceKey, Present] = {}
        beats, turns = look.heartbeats(), look.turns()
        for name in beats.keys() | turns.keys():
            key = ResourceKey(self.kind, name)
            evidence = as_evidence(beats.get(name), turns.get(name))
            found[key] = Present(key=key, agent=name, ours=True, fields={}, evidence=evidence)
        return found

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        _ = action, facts
        return ()

    def health(self, seen: Present) -> Health:
        return Health.UNKNOWN if seen.evidence.get("error") else Health.HEALTHY


def as_evidence(beat: HeartbeatFile | None, turn: HeartbeatFile | None) -> dict[str, Json]:
    """The evidence of one agent; empty where neither file is there."""
    if beat is None and turn is None:
        return {}
    return {**_evidence(beat or NONE), "turn": None if turn is None else _evidence(turn)}


def _evidence(record: HeartbeatFile) -> dict[str, Json]:
    return {
        "ts": record.ts,
        "pid": record.pid,
        "status": record.status,
        "words": dict(record.words),
        "error": record.error,
    }
