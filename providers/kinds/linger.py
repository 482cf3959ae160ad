"""Linger: the user's systemd manager runs from boot, without a login."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.base import Action, Health, Kind, Present, Resource, ResourceKey

if TYPE_CHECKING:
    from providers.host import HostFacts, Look
    from providers.steps import Step
    from specs.compiled import Fleet


class LingerProvider:
    """One resource, named after the user. We switch it on while any agent should run, and never off: other things of
    the user may rely on it."""

    kind = Kind.LINGER

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        if not any(agent.state == "running" for agent in fleet.agents):
            return ()
        return (Resource(key=ResourceKey(self.kind, facts.user), agent=None, fields={"linger": True}),)

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        _ = fleet
        if not look.linger():
            return {}
        key = ResourceKey(self.kind, facts.user)
        return {key: Present(key=key, agent=None, ours=True, fields={"linger": True})}

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        from providers.steps import SetLinger

        _ = action
        return (SetLinger(user=facts.user),)

    def health(self, seen: Present) -> Health:
        _ = seen
        return Health.HEALTHY
