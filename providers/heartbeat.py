"""Heartbeats: observed only. What an agent says of itself, credited to the process that wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.base import Action, Health, Kind, Present, Resource, ResourceKey
from providers.steps import Step

if TYPE_CHECKING:
    from providers.host import HostFacts, Look
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
        for name, beat in look.heartbeats().items():
            key = ResourceKey(self.kind, name)
            evidence = {
                "ts": beat.ts,
                "pid": beat.pid,
                "status": beat.status,
                "words": dict(beat.words),
                "error": beat.error,
            }
            found[key] = Present(key=key, agent=name, ours=True, fields={}, evidence=evidence)
        return found

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        _ = action, facts
        return ()

    def health(self, seen: Present) -> Health:
        return Health.UNKNOWN if seen.evidence.get("error") else Health.HEALTHY
