"""The agent's systemd unit: enabled for the next boot, and started. Its session, not its unit, shows whether it
lives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.base import Action, Health, Kind, ObserveError, Present, Resource, ResourceKey, Verb, unclear
from providers.evidence import NO_SESSION, NO_UNIT, SessionEvidence, UnitEvidence
from providers.fields import ACTIVE, CONVERSATION, ENABLED
from providers.kinds.env import of_another_fleet
from providers.launch.agent_pane import end_pane
from providers.names import agent_of_unit, agent_unit

if TYPE_CHECKING:
    from providers.base import Json
    from providers.host import HostFacts, Look
    from providers.steps import Step
    from specs.compiled import Fleet

START_TIMEOUT_S = 60.0  # a start is one tmux call; a machine that swaps gets a minute for it
WANTS = "default.target.wants"  # not an agent's name: the folder that says what a boot starts
STOP_TIMEOUT_S = 45.0  # above the scope's own TimeoutStopSec, after which systemd kills


class UnitProvider:
    """One resource for each running agent. Its actions also carry what the session needs: see `steps`."""

    kind = Kind.UNIT

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        _ = facts
        return tuple(
            Resource(
                key=ResourceKey(self.kind, agent.name),
                agent=agent.name,
                fields=compared(UnitEvidence(enabled=True, active="active")),
            )
            for agent in fleet.agents
            if agent.state == "running" and agent.held is None
        )

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        units = look.units()
        found: dict[ResourceKey, Present] = {}
        wanted = {agent.name for agent in fleet.agents if agent.state == "running"}
        enabled, hidden = enabled_or_why(look)
        if hidden:
            # We do not know whether it comes back at a boot, and do nothing about that; the rest is known.
            enabled = frozenset(map(agent_unit, wanted))
            key = ResourceKey(self.kind, WANTS)
            found[key] = unclear(key, None, hidden)
        names = {name for unit in (*units, *enabled) if (name := agent_of_unit(unit)) is not None}
        for name in sorted(names):
            unit = agent_unit(name)
            state = units.get(unit)
            active = state.active if state is not None else "inactive"
            job = state.job if state is not None else ""
            if active == "inactive" and not job and unit not in enabled:
                continue  # only still in systemd's memory
            key = ResourceKey(self.kind, name)
            try:
                ours = not of_another_fleet(name, fleet, look, facts)
            except ObserveError as error:
                found[key] = unclear(key, name, str(error))
                continue
            evidence = UnitEvidence(enabled=unit in enabled, active=active, job=job)
            found[key] = Present(key=key, agent=name, ours=ours, fields=compared(evidence), evidence=evidence)
        return found

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        """Start, stop and restart carry the session's observation in `action.present`: leftover scopes are ended first,
        a dead pane's last lines are kept, and a session whose unit is not active is ended by name, because systemd runs
        no ExecStop for a unit that is not active."""
        from providers.steps import CaptureDead, SetEnabled, UnitJob

        agent = str(action.agent)
        unit = agent_unit(agent)
        seen = SessionEvidence.of(action.present) or NO_SESSION
        if action.verb in (Verb.ENABLE, Verb.DISABLE):
            return (SetEnabled(unit=unit, enabled=action.verb is Verb.ENABLE),)
        steps: list[Step] = []
        if seen.pane.dead:
            steps.append(CaptureDead(socket=seen.socket, pane=seen.pane.id, agent=agent))
        if action.verb is Verb.START:
            steps.extend(_end_scopes(seen))
            steps.append(UnitJob(verb="start", unit=unit, timeout_s=START_TIMEOUT_S))
        elif action.verb is Verb.RESTART and not action.disrupts and not seen.scopes:
            # Nothing is left of it to stop: a reload makes the session again, and sooner.
            steps.append(UnitJob(verb="reload", unit=unit, timeout_s=START_TIMEOUT_S))
        elif action.verb is Verb.RESTART:
            if asked := _new_conversation(action, seen, facts, "locked"):
                steps.append(UnitJob(verb="stop", unit=unit, timeout_s=STOP_TIMEOUT_S))
                steps.extend([*asked, UnitJob(verb="start", unit=unit, timeout_s=START_TIMEOUT_S)])
            else:
                steps.append(UnitJob(verb="restart", unit=unit, timeout_s=START_TIMEOUT_S + STOP_TIMEOUT_S))
            steps.extend(_end_others(action, seen))
        elif action.verb is Verb.STOP:
            steps.append(UnitJob(verb="stop", unit=unit, timeout_s=STOP_TIMEOUT_S))
            if not seen.pane.moved:
                steps.extend(end_pane(agent, seen))
            steps.extend(_end_scopes(seen))
            steps.extend(_end_others(action, seen))
            steps.extend(_new_conversation(action, seen, facts, "stopped"))
            # An agent without a session has its unit in `action.present`.
            if seen.unit_failed or _unit(action.present).active == "failed":
                steps.append(UnitJob(verb="reset-failed", unit=unit))
        return tuple(steps)

    def health(self, seen: Present) -> Health:
        unit = _unit(seen)
        if unit.active == "active":
            return Health.HEALTHY
        if unit.active in ("activating", "reloading", "deactivating") or unit.job:
            return Health.SETTLING
        return Health.UNHEALTHY


def compared(unit: UnitEvidence) -> dict[str, Json]:
    """The fields of a unit."""
    return {ENABLED: unit.enabled, ACTIVE: unit.active}


def _unit(seen: Present | None) -> UnitEvidence:
    return UnitEvidence.of(seen) or NO_UNIT


def enabled_or_why(look: Look) -> tuple[frozenset[str], str]:
    """The units that a boot starts, or why they could not be listed."""
    try:
        return look.enabled(), ""
    except ObserveError as error:
        return frozenset(), str(error)


def _new_conversation(action: Action, seen: SessionEvidence, facts: HostFacts, why: str) -> list[Step]:
    """Ask for a new conversation at the start after the life that has been ended, nothing if none is asked for. The
    process is the nonce: asked twice, it counts once. To be done after the end: one that was asked for and does not
    come would hold for whatever ends that life later."""
    from providers.launch.conversations import StartRequest, once_path
    from providers.steps import WriteFile

    if all(one.path != CONVERSATION for one in action.changes):
        return []
    nonce = f"{why}-{seen.pane.pid}-{seen.started:.0f}"
    request = StartRequest(nonce=nonce, reason=why, life=seen.pane.life)
    path = once_path(str(action.agent), facts)
    return [WriteFile(path=path, content=f"{request.render()}\n", mode=0o600)]


def _end_others(action: Action, seen: SessionEvidence) -> list[Step]:
    """Ends the panes of other people that an operator released by name, and no others."""
    from providers.steps import KillPane

    if not action.losses:
        return []
    return [KillPane(socket=seen.socket, pane=one.id, agent="", pid=one.pid) for one in seen.others]


def _end_scopes(seen: SessionEvidence) -> list[Step]:
    from providers.steps import UnitJob

    return [UnitJob(verb="stop", unit=scope, timeout_s=STOP_TIMEOUT_S) for scope in seen.scopes]
