"""An agent's pane: whether it belongs to the agent, which others are beside it, and the step that ends it alone.
Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.programs.identity import Identity

if TYPE_CHECKING:
    from providers.evidence import SessionEvidence
    from providers.host import Look, Pane, TmuxServer
    from providers.steps import Step
    from specs.compiled import Agent

SLACK_S = 2.0  # a heartbeat gives its time to 1 s, and a process its start to 10 ms


def answers(name: str, identity: Identity, pane: Pane, look: Look) -> bool:
    """Whether a process of the pane writes this agent's heartbeat or turn record: only the agent was given those files.
    Read only if neither its start nor its name identifies the process."""
    if pane.mark != name or identity.launching or not identity.pids:
        return False
    try:
        said = (look.heartbeats().get(name), look.turns().get(name))
    except ObserveError:
        return False
    return any(
        word is not None
        and word.error is None
        and word.own
        and word.pid in identity.pids
        and word.ts >= identity.started - SLACK_S
        for word in said
    )


def end_pane(agent: str, seen: SessionEvidence) -> Iterable[Step]:
    """The step that ends the pane that was seen, and no other."""
    from providers.steps import KillPane

    if seen.pane.id:
        yield KillPane(socket=seen.socket, pane=seen.pane.id, agent=agent, pid=seen.pane.pid)


def named_as(pane: Pane, socket: str, server: TmuxServer, by_session: Mapping[str, Agent]) -> str:
    """The agent whose session name another agent's session has, after somebody renamed it: a start would find the name
    taken. "" for none."""
    agent = by_session.get(pane.session)
    if agent is None or pane.mark in ("", agent.name) or agent.socket != socket:
        return ""
    here = any(one.mark == agent.name for one in server.panes if one.session == pane.session)
    return "" if here else agent.name
