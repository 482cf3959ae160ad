"""`mosaic fleet release`: let through what is held: an agent, what others lose by its end, a change of the holder."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_option
from specs.dataclass import replace

if TYPE_CHECKING:
    from providers.base import Resource
    from reconciler.cli.output import Output
    from reconciler.context.fleet import FleetContext
    from reconciler.model import History
    from reconciler.status.status import FleetStatus

LOCK_WAIT_S = 15.0  # a run that is under way is waited for


@click.command(epilog="\b\nExample:\n  mosaic fleet release coder0\n")
@click.argument("agent", required=False)
@click.option(
    "--holder", is_flag=True, help="Let the held change of the tmux server through: that ends every agent in it."
)
@fleet_option
@click.pass_obj
def command(output: Output, *, agent: str | None, holder: bool, fleet: str | None) -> int:
    """Forget AGENT's crashes, so that the next run starts it. If its end is held because other people have panes in its
    session, let that end through. If it moves here from another host, do not wait for that host's answer."""
    from reconciler.context.fleet import fleet_context, require_known_agent
    from reconciler.state.lock import run_lock
    from reconciler.state.trigger import request_look

    if (agent is None) == (not holder):
        raise click.UsageError("give either an agent or --holder")
    place = fleet_context(fleet)
    if agent is not None:
        require_known_agent(agent, place.store)
    now = time.time()
    with run_lock(place.store, now=now, wait_s=LOCK_WAIT_S):
        history = place.store.load_history(now=now)
        lost = _losses(agent, place)
        if agent is not None:
            from reconciler.source.old_host import release

            release(place.store, agent)
        place.store.save_history(_cleared(history, agent, lost) if agent is not None else _let_through(history, place))
    _record_event(place, agent, now)
    for one in lost:
        output.progress(f"will be lost: {one}")
    asked = request_look(place.store)
    what = agent or "the held change of the tmux holder"
    output.result(f"released {what}; " + ("the reconciler looks now" if asked else "the next run acts on it"))
    return 0


def _losses(agent: str | None, place: FleetContext) -> tuple[str, ...]:
    """What other people lose by the end of the agent, as the last run has named it."""
    status = place.store.load_status() if agent is not None else None
    held = status.held if status is not None else ()
    return next((one.losses for one in held if one.agent == agent and one.losses), ())


def _cleared(history: History, agent: str, lost: tuple[str, ...]) -> History:
    """The release names the very panes: what comes later is held again."""
    from reconciler.model import AgentHistory
    from reconciler.plan.holding.backoff import released
    from reconciler.plan.holding.losses import losses_digest

    known = released(history.agents.get(agent, AgentHistory()))
    if lost:
        known = replace(known, losses_let=losses_digest(lost))
    return replace(history, agents={**history.agents, agent: known})


def _let_through(history: History, place: FleetContext) -> History:
    """The release names the very change: a later one is held again. Raises NotFound if none is held."""
    from providers.names import HOLDER_UNIT
    from reconciler.errors import NotFound
    from reconciler.model import Change, Verdict
    from reconciler.plan.shared import release_digest

    status = place.store.load_status()
    wanted = _holder_wanted(place, status)
    if status is None or wanted is None or not any(held.target == HOLDER_UNIT for held in status.held):
        raise NotFound("no change of the tmux holder is held", help="mosaic fleet status; reconcile --dry-run")
    change = Change(verdict=Verdict.UPDATE, key=wanted.key, agent=None, desired=wanted, present=None, fields=())
    return replace(history, holder_release=release_digest(change))


def _holder_wanted(place: FleetContext, status: FleetStatus | None) -> Resource | None:
    """The holder as the commit in force declares it; None if that was never compiled here."""
    from providers.base import Kind
    from providers.kinds.registry import registry
    from reconciler.plan.desired import inputs_digest

    if status is None:
        return None
    fleet = place.store.load_desired(
        revision=status.applied_revision, host=status.host, inputs=inputs_digest(place.facts, place.settings.path)
    )
    return next(iter(registry()[Kind.HOLDER].desired(fleet, place.facts)), None) if fleet is not None else None


def _record_event(place: FleetContext, agent: str | None, now: float) -> None:
    from reconciler.delivery.signing import who
    from reconciler.state.event_log import EventLog
    from reconciler.status.events import Event, EventType

    by = who(place.facts.user)
    status = place.store.load_status()
    log = EventLog(
        store=place.store,
        source="operator" if by == place.facts.user else "agent",
        fleet=place.store.state.name,
        tenant_id=place.facts.user,
        host=status.host if status else place.facts.hostname,
    )
    someone = "an operator" if by == place.facts.user else f"agent {by}"
    message = f"{someone} let it go" if agent else f"{someone} let the holder's change through"
    event = Event(type=EventType.RELEASED, message=message, agent=agent, fields={"by": by})
    log.write([event], now=now, revision=status.applied_revision if status else "")
