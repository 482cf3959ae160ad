"""The holder: the unit that owns the fleet's tmux server, and that server itself.

Restarting it ends every agent in it, so `RESTART` is planned only when no server is there to lose, or when an operator
let the change through.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.base import Action, Health, Kind, ObserveError, Present, Resource, ResourceKey, Verb
from providers.launch import holder_env, holder_env_path, parse_holder_env
from providers.names import HOLDER_UNIT
from providers.steps import (
    CreateHolderSession,
    RecreateSocket,
    SetEnabled,
    Step,
    UnitJob,
    WriteFile,
)

if TYPE_CHECKING:
    from providers.host import HostFacts, Look, TmuxServer
    from specs.compiled import Fleet

KEY = ResourceKey(Kind.HOLDER, HOLDER_UNIT)
HOLDER_FIELDS = ("socket", "session", "enabled", "unit", "server", "holder_session")


class HolderProvider:
    """One resource for the fleet's tmux server."""

    kind = Kind.HOLDER

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        _ = facts
        if not any(agent.state == "running" for agent in fleet.agents):
            return ()
        fields = {
            "socket": fleet.socket,
            "session": fleet.holder_session,
            "enabled": True,
            "unit": "active",
            "server": "up",
            "holder_session": True,
        }
        return (Resource(key=KEY, agent=None, fields=fields),)

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        seen = look.file(holder_env_path(facts))
        if seen is not None and seen.odd:
            raise ObserveError(f"{holder_env_path(facts)} is {seen.odd}, not a file")
        configured = parse_holder_env(seen.content) if seen is not None else None
        unit = look.units().get(HOLDER_UNIT)
        enabled = HOLDER_UNIT in look.enabled()
        active = unit.active if unit is not None else "inactive"
        if configured is None and active == "inactive" and not enabled:
            return {}
        socket, session = configured if configured is not None else (fleet.socket, fleet.holder_session)
        server = look.tmux(socket)
        fields = {
            "socket": socket,
            "session": session,
            "enabled": enabled,
            "unit": active,
            "server": server.state,
            "holder_session": _has_session(server, session),
        }
        evidence = {
            "job": unit.job if unit is not None else "",
            "configured": configured is not None,
            "server_pid": server.pid,
            "server_start_ticks": server.start_ticks,
            "sessions": len(server.panes),
        }
        return {KEY: Present(key=KEY, agent=None, ours=True, fields=fields, evidence=evidence)}

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        if action.verb is Verb.ENABLE or action.verb is Verb.DISABLE:
            return (SetEnabled(unit=HOLDER_UNIT, enabled=action.verb is Verb.ENABLE),)
        if action.verb is Verb.STOP:
            return (UnitJob(verb="stop", unit=HOLDER_UNIT),)
        if action.verb is Verb.RECOVER and action.present is not None:
            return _recover(action.present)
        if action.desired is None:
            return ()
        fields = action.desired.fields
        write = WriteFile(
            path=holder_env_path(facts), content=holder_env(str(fields["socket"]), str(fields["session"])), mode=0o600
        )
        job = UnitJob(verb="restart" if action.verb is Verb.RESTART else "start", unit=HOLDER_UNIT)
        return (write, job)

    def health(self, seen: Present) -> Health:
        if seen.fields["server"] == "up" and seen.fields["unit"] == "active":
            return Health.HEALTHY
        return Health.SETTLING if seen.evidence.get("job") else Health.UNHEALTHY


def _has_session(server: TmuxServer, session: str) -> bool:
    return any(pane.session == session for pane in server.panes)


def _recover(present: Present) -> tuple[Step, ...]:
    """What mends a live server without touching a pane: its socket file, or its holder session."""
    if present.fields["server"] == "lost":
        pid, ticks = int(present.evidence["server_pid"]), int(present.evidence["server_start_ticks"])
        return (RecreateSocket(pid=pid, start_ticks=ticks),)
    return (CreateHolderSession(socket=str(present.fields["socket"]), session=str(present.fields["session"])),)
