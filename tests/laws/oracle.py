"""What git says, held against what is on a simulated host: an independent judge, written without any of the loop."""

from __future__ import annotations

from collections.abc import Collection

from providers.launch.environment import launch_digest, render_env
from providers.shipped.release import release
from specs.compiled import Agent, Fleet
from tests.world import HOLDER_UNIT, World
from tests.world_model import Proc


def unit_of(name: str) -> str:
    return f"mosaic-agent@{name}.service"


def program_of(world: World, name: str) -> Proc | None:
    """The living process that holds the agent's conversation."""
    return next((proc for proc in world.procs.values() if proc.agent == name), None)


def living(world: World) -> dict[str, int]:
    """Agents whose conversation lives, and the process that holds it."""
    return {proc.agent: proc.pid for proc in world.procs.values() if proc.agent}


def wrong(world: World, fleet: Fleet, besides: Collection[str] = ()) -> list[str]:
    """Every way in which the host is not as git says, as sentences; agents in `besides` are not looked at."""
    found: list[str] = []
    for agent in fleet.agents:
        if agent.name not in besides:
            found.extend(_running(world, agent, fleet) if agent.state == "running" else _gone(world, agent.name))
    declared = {agent.name for agent in fleet.agents}
    found.extend(
        f"{name} is not declared and still lives" for name in living(world) if name not in declared | set(besides)
    )
    for name, text in release().files.items():
        shipped = world.files.get(f"{world.facts.mosaic_home}/{name}")
        if shipped is None or shipped.content != text:
            found.append(f"{name} is not as shipped")
    mission = world.files.get(f"{world.facts.mosaic_home}/fleet/NORTH_STAR.md")
    if (mission.content if mission is not None else "") != fleet.mission:
        found.append("its mission is not as git says")
    if any(agent.state == "running" for agent in fleet.agents if agent.name not in besides):
        holder = world.units.get(HOLDER_UNIT)
        if holder is None or holder.active != "active" or HOLDER_UNIT not in world.enabled:
            found.append("the holder is not active and enabled")
        if not world.linger:
            found.append("linger is off")
    return found


def _running(world: World, agent: Agent, fleet: Fleet) -> list[str]:
    name, found = agent.name, []
    unit = world.units.get(unit_of(name))
    if unit is None or unit.active != "active":
        found.append(f"{name}: its unit is {unit.active if unit else 'not there'}")
    if unit_of(name) not in world.enabled:
        found.append(f"{name}: its unit is not enabled")
    env = world.files.get(f"{world.facts.agents_dir}/{name}.env")
    if env is None or env.content != render_env(agent, fleet, world.facts) or env.mode != 0o600:
        found.append(f"{name}: its launch environment is not as git says")
    here = world.find(name)
    if here is None:
        return [*found, f"{name}: it has no session"]
    server, session = here
    if server.socket != agent.socket or session.name != agent.session:
        found.append(f"{name}: its session is {session.name} on {server.socket}")
    if session.dead or session.pid not in world.procs or world.procs[session.pid].agent != name:
        found.append(f"{name}: its program does not run in its pane")
    if session.launch != launch_digest(agent):
        found.append(f"{name}: it runs with another launch environment")
    return found


def _gone(world: World, name: str) -> list[str]:
    found = []
    unit = world.units.get(unit_of(name))
    if unit is not None and unit.active not in ("inactive", "failed"):
        found.append(f"{name}: its unit is {unit.active}")
    if unit_of(name) in world.enabled:
        found.append(f"{name}: its unit is still enabled")
    if world.find(name) is not None or program_of(world, name) is not None:
        found.append(f"{name}: it is still here")
    return found


def twice(world: World) -> dict[str, int]:
    """Agents that ever had more than one living conversation at once."""
    return {name: most for name, most in world.tally.most_at_once.items() if most > 1}


def dependants(fleet: Fleet, names: Collection[str]) -> set[str]:
    """These agents, and all that depend on them, directly or not."""
    found = set(names)
    while more := {a.name for a in fleet.agents if not found.isdisjoint(a.depends_on)} - found:
        found |= more
    return found
