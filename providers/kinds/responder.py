"""The responder: the unit of the host's one program that writes heartbeats for agents whose programs write none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.base import Action, Health, Kind, Present, Resource, ResourceKey, Verb
from providers.evidence import NO_UNIT, UnitEvidence
from providers.kinds.unit import compared, enabled_or_why
from providers.launch import additions, environment
from providers.names import RESPONDER_UNIT

if TYPE_CHECKING:
    from providers.host import HostFacts, Look
    from providers.steps import Step
    from specs.compiled import Fleet

KEY = ResourceKey(Kind.RESPONDER, RESPONDER_UNIT)
BETWEEN = ("activating", "deactivating", "reloading")


class ResponderProvider:
    """One resource while an agent runs that has no heartbeat of its own; otherwise the unit rests.

    Its program follows the agents by itself, and restarts itself after a change of its unit or its code, so we never
    need to restart it.
    """

    kind = Kind.RESPONDER

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        _ = facts
        if all(agent.state != "running" or additions.heartbeat_source(agent) == "native" for agent in fleet.agents):
            return ()
        return (Resource(key=KEY, agent=None, fields=compared(UnitEvidence(enabled=True, active="active"))),)

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        unit = look.units().get(RESPONDER_UNIT)
        active = unit.active if unit is not None else "inactive"
        names, hidden = enabled_or_why(look)
        enabled = bool(self.desired(fleet, facts)) if hidden else RESPONDER_UNIT in names
        job = unit.job if unit is not None else ""
        if active == "inactive" and not enabled and not job:
            return {}
        holder = look.file(environment.holder_path(facts))
        owner = environment.generated_for(holder.content) if holder is not None else None
        ours = owner in (None, fleet.name)
        evidence = UnitEvidence(enabled=enabled, active=active, job=job)
        return {KEY: Present(key=KEY, agent=None, ours=ours, fields=compared(evidence), evidence=evidence)}

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        from providers.steps import SetEnabled, UnitJob

        _ = facts
        if action.verb in (Verb.ENABLE, Verb.DISABLE):
            return (SetEnabled(unit=RESPONDER_UNIT, enabled=action.verb is Verb.ENABLE),)
        # A unit that systemd has given up on refuses a start, and stays listed after its end.
        forget: tuple[Step, ...] = ()
        if (seen := UnitEvidence.of(action.present)) is not None and seen.active == "failed":
            forget = (UnitJob(verb="reset-failed", unit=RESPONDER_UNIT),)
        if action.verb is Verb.STOP:
            return (UnitJob(verb="stop", unit=RESPONDER_UNIT), *forget)
        return (*forget, UnitJob(verb="start", unit=RESPONDER_UNIT))

    def health(self, seen: Present) -> Health:
        unit = UnitEvidence.of(seen) or NO_UNIT
        if unit.active == "active":
            return Health.HEALTHY
        return Health.SETTLING if unit.active in BETWEEN or unit.job else Health.UNHEALTHY
