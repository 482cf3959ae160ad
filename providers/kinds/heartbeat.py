"""Heartbeats: observed only. What an agent reports of itself, attributed to the process that wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.base import Action, Health, Kind, Present, Resource, ResourceKey
from providers.evidence import NO_HEARTBEAT, HeartbeatRecords

if TYPE_CHECKING:
    from providers.host import HeartbeatFile, HostFacts, Look
    from providers.steps import Step
    from specs.compiled import Fleet


class HeartbeatProvider:
    """Nothing is desired and nothing is done: a missing or stale heartbeat is evidence about a session."""

    kind = Kind.HEARTBEAT

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        _ = fleet, facts
        return ()

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        _ = fleet, facts
        found: dict[ResourceKey, Present] = {}
        heartbeats, turns = look.heartbeats(), look.turns()
        for name in heartbeats.keys() | turns.keys():
            key = ResourceKey(self.kind, name)
            evidence = as_evidence(heartbeats.get(name), turns.get(name))
            found[key] = Present(key=key, agent=name, ours=True, fields={}, evidence=evidence)
        return found

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        _ = action, facts
        return ()

    def health(self, seen: Present) -> Health:
        records = HeartbeatRecords.of(seen)
        return Health.UNKNOWN if records is not None and records.heartbeat.error else Health.HEALTHY


def as_evidence(heartbeat: HeartbeatFile | None, turn: HeartbeatFile | None) -> HeartbeatRecords | None:
    """The evidence of one agent; None if neither file exists."""
    if heartbeat is None and turn is None:
        return None
    return HeartbeatRecords(heartbeat=heartbeat or NO_HEARTBEAT, turn=turn)
