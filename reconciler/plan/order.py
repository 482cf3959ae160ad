"""The order of agents: those that others depend on are started before them, and stopped after them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model import Inventory
from reconciler.plan.need import Need
from specs.compiled import Agent


def relies_of(agents: Mapping[str, Agent], inventory: Inventory) -> dict[str, tuple[str, ...]]:
    """What each agent depends on, as declared, or for an agent that is no longer declared, as last remembered."""
    relies = {name: owned.depends_on for name, owned in sorted(inventory.agents.items())}
    return {**relies, **{name: agent.depends_on for name, agent in agents.items()}}


def dependants_of(relies: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Who depends on each agent."""
    found: dict[str, list[str]] = {}
    for name, others in relies.items():
        for other in dict.fromkeys(others):
            found.setdefault(other, []).append(name)
    return found


def in_order(
    needs: Mapping[str, Need], agents: Mapping[str, Agent], relies: Mapping[str, tuple[str, ...]]
) -> list[str]:
    """Dependencies before dependants; then the floor's classes first, then by name. The roster's check refuses cycles;
    if one is here all the same, it is cut where it closes."""
    done: dict[str, None] = {}
    entered: set[str] = set()

    def visit(name: str) -> None:
        if name in entered or name not in needs:
            return
        entered.add(name)
        for other in sorted(relies.get(name, ())):
            visit(other)
        done[name] = None

    def rank(name: str) -> tuple[int, str]:
        role = agents[name].agent_class if name in agents else ""
        return (0 if role == "orchestrator" else 1 if role == "enhancer" else 2, name)

    for name in sorted(needs, key=rank):
        visit(name)
    return list(done)
