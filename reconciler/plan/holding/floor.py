"""The floor: check the agents that a fleet cannot do without, its orchestrator and one of its enhancers. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from providers.base import Health
from reconciler.model import AgentView
from reconciler.plan.holding.guards import FLOOR_CLASSES
from reconciler.plan_values import Floor
from specs.compiled import Fleet
from specs.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Role:
    word: Literal["stands", "elsewhere", "unknown", "down"]
    message: str = ""
    agents: tuple[str, ...] = ()


def floor_of(fleet: Fleet, views: Mapping[str, AgentView], suspended: Collection[str]) -> Floor:
    """The state of the floor on this host. Agents on other hosts are not seen from here. `suspended`: the names
    suspended on purpose, "*" for all."""
    if fleet.policy.floor == "none":
        return Floor(word="none")
    roles = {role: _role(role, fleet, views) for role in FLOOR_CLASSES}
    downs: tuple[Literal["orchestrator", "enhancer"], ...] = ("orchestrator", "enhancer")
    for name in downs:
        if roles[name].word == "down":
            agents = roles[name].agents
            wanted = bool(agents) and all({one, "*"} & set(suspended) for one in agents)
            return Floor(word=name, message=roles[name].message, on_purpose=wanted)
    found = {role.word for role in roles.values()}
    words: tuple[Literal["unknown", "elsewhere", "stands"], ...] = ("unknown", "elsewhere", "stands")
    word = next(one for one in words if one in found)
    messages = [role.message for role in roles.values() if role.word == word != "stands"]
    return Floor(word=word, message="; ".join(messages))


def is_floor_class(fleet: Fleet, agent_class: str) -> bool:
    """Whether agents of that class are healed before all others."""
    return fleet.policy.floor == "two-agent" and agent_class in FLOOR_CLASSES


def _role(role: str, fleet: Fleet, views: Mapping[str, AgentView]) -> _Role:
    here = [views[agent.name] for agent in fleet.agents if agent.agent_class == role and agent.state != "absent"]
    if any(view.desired_state == "running" and view.health is Health.HEALTHY for view in here):
        return _Role(word="stands")
    unseen = [view.name for view in here if "unknown" in (view.session, view.unit_active)]
    if unseen:
        return _Role(word="unknown", message=f"{', '.join(unseen)} could not be seen")
    away = sorted({peer.host for peer in fleet.peers if peer.agent_class == role and peer.state == "running"})
    if away:
        return _Role(word="elsewhere", message=f"the {role} is on {', '.join(away)}, which is not seen from here")
    if not here:
        return _Role(word="down", message=f"no {role} is declared")
    return _Role(
        word="down",
        message=", ".join(f"{view.name}: {_why(view)}" for view in here),
        agents=tuple(view.name for view in here),
    )


def _why(view: AgentView) -> str:
    return f"declared {view.desired_state}" if view.desired_state != "running" else view.why or str(view.health)
