"""The limit round: tell agents to go on once their usage limit has ended, at the time that their screen had shown.

Each is told once for each limit, through the outbox: what waits there for the agent comes after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.delivery.outbox import Outbox
from reconciler.model import AgentHistory
from reconciler.status.lives import process_of
from specs.dataclass import replace

if TYPE_CHECKING:
    from reconciler.model import AgentView
    from reconciler.state.store import Store
    from specs.compiled import Agent, Fleet

LIMIT_SLACK_S = 60.0  # programs round the time down to minutes, and clocks differ
LIMIT_UNKNOWN_S = 3600.0  # a limit of which no coming end is known is believed that long: most are over by then


def mark(view: AgentView) -> str:
    """The limit that an agent is at: its process, and when the limit ends."""
    return f"{view.life} {view.until_at:.0f}"


def limit_is_over(view: AgentView, now: float) -> bool:
    """Whether an agent is stuck at a limit whose end, as its screen had said it, has come; without one, an hour after
    the limit was first seen. `now`: Unix seconds."""
    if view.session != "alive" or view.stuck != "limit":
        return False
    if view.until_at:
        return view.until_at <= now - LIMIT_SLACK_S
    return view.trouble is not None and view.trouble.since + LIMIT_UNKNOWN_S <= now


def due(agent: Agent, view: AgentView | None, known: AgentHistory, now: float) -> bool:
    """Whether the agent is to be told now. `now`: Unix seconds."""
    if view is None or not view.until_at or agent.state != "running" or not agent.limit_nudge:
        return False
    return limit_is_over(view, now) and known.limit_nudged != mark(view)


def run_round(fleet: Fleet, views: Mapping[str, AgentView], store: Store, *, boot: str, now: float) -> tuple[str, ...]:
    """Put what tells them into the outbox first, then into the history: if we are killed in between, the next run puts
    it there again, in the place of what still waits. The caller holds the fleet's lock. Returns the agents. Raises
    StateError and MosaicError."""
    history = store.load_history(now=now)
    agents = dict(history.agents)
    nudged = []
    for agent in fleet.agents:
        view, known = views.get(agent.name), agents.get(agent.name, AgentHistory())
        if view is None or not due(agent, view, known, now):
            continue
        Outbox(store).put_nudge(
            agent=agent.name,
            sender=f"{fleet.host}:mosaic",
            text=agent.limit_nudge,
            life=process_of(view, boot),
            now=now,
        )
        agents[agent.name] = replace(known, limit_nudged=mark(view))
        nudged.append(agent.name)
    if nudged:
        store.save_history(replace(history, agents=agents))
    return tuple(nudged)
