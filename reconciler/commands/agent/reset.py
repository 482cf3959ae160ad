"""`mosaic agent reset`: a new conversation for an agent."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_option

if TYPE_CHECKING:
    from reconciler.agents.observer import AgentObserver
    from reconciler.agents.reset_verdict import How
    from reconciler.cli.output import Output
    from reconciler.context.fleet import FleetContext
    from reconciler.model import AgentView
    from specs.compiled import Agent, Fleet


@click.command("reset", epilog="\b\nExample:\n  mosaic agent reset coder0\n")
@click.argument("agent", metavar="NAME")
@click.option("--new", "how", flag_value="new", help="Use the program's command for a new conversation.")
@click.option("--clear", "how", flag_value="clear", help="Use the program's command that empties this one.")
@click.option("--restart", "how", flag_value="restart", help="End the program and start it again.")
@click.option("--force", is_flag=True, help="Also reset it while it works, waits for somebody, or is suspended.")
@fleet_option
@click.pass_obj
def command(output: Output, *, agent: str, how: How | None, force: bool, fleet: str | None) -> int:
    """End the conversation of the agent NAME and begin a new one, by its runtime's own reset command or by the way that
    you choose. What it knew is lost. An agent that works, or waits for an answer, is not reset without --force.

    \b
    Reports the outcome, and ends with
      0  delivered: there is evidence of a new conversation
      1  not-delivered: nothing was done
      3  unconfirmed: the command was given, or it was restarted, and there is no evidence of a new conversation
      5  refused: the agent works, waits or is suspended, or the fleet is paused
    """
    from reconciler.agents.lookup import in_force, lookup
    from reconciler.agents.observer import AgentObserver
    from reconciler.agents.reset import must_not_be_held
    from reconciler.agents.reset_verdict import objection, would_not_start
    from reconciler.context.fleet import fleet_context
    from reconciler.errors import MosaicError, Refused
    from reconciler.remote.run_there import run_on_host
    from reconciler.status.phrases import loss
    from specs.compiled import Peer

    place = fleet_context(fleet)
    declared = in_force(place)
    found = lookup(declared, agent)
    if isinstance(found, Peer):
        run_on_host(declared, found, "reset", *([f"--{how}"] if how else []), *(["--force"] if force else []))
    if found.state != "running" or found.held:
        why = found.held or f"it is declared {found.state}"
        raise MosaicError(f"agent {found.name} has no conversation to reset: {why}", help=f"mosaic fleet start {agent}")
    must_not_be_held(place, declared, found, force=force)
    observer = AgentObserver(place, declared)
    view = observer.view(found.name)
    against = objection(view, restart=how == "restart")
    never = objection(view, restart=True, forced=True) or (would_not_start(view) if how == "restart" else "")
    if never or (against and not force):
        lost = loss(view, time.time())
        against = never or against
        if never:
            way = f"mosaic agent status {found.name} says what is there"
        elif view.session == "alive":
            way = f"--force does it all the same; mosaic agent watch {found.name} shows what it does"
        else:  # force cannot type into what is not there
            way = f"mosaic agent reset {found.name} --restart"
        who = f"agent {found.name}"
        said = f"{who} {against[3:]}" if against.startswith("it ") else f"{who}: {against}"
        raise Refused(f"{said}; a reset {lost}" if lost else said, help=way)
    if how == "restart":
        return _restart(output, place, found, observer, view, against)
    return _command(output, place, declared, found, view, how or "", against)


def _restart(
    output: Output, place: FleetContext, agent: Agent, observer: AgentObserver, view: AgentView, against: str
) -> int:
    """`against`: what spoke against it, where somebody has forced it."""
    from providers.machine.local_host import LocalHost
    from reconciler.agents.reset import record_event, restart
    from reconciler.errors import ExitCode
    from reconciler.state.trigger import request_look
    from reconciler.status.phrases import loss

    lost = loss(view, time.time())
    if lost:
        output.progress(f"restarting agent {agent.name}: {lost}")
    result = restart(place, agent, observer, LocalHost(os.environ))
    said = f"an operator restarted it for a new conversation: {result.word}"
    record_event(place, agent.name, said, "restart", forced=against)
    request_look(place.store)
    if result.word != "delivered":
        output.result(f"unconfirmed: agent {agent.name}: {result.reason}")
        output.progress(f"help: {_way(agent)}")
        return ExitCode.UNHEALTHY
    output.result(
        f"delivered: agent {agent.name} was restarted and has a new conversation (evidence: {result.evidence})"
    )
    return 0


def _way(agent: Agent) -> str:
    """What to do about a restart that brought no new conversation for certain."""
    from providers.programs.registry import program
    from reconciler.agents.reset_verdict import reset_text

    look = f"look: mosaic agent tail {agent.name}"
    known = reset_text(agent, program(agent.runtime), "")
    return f"{look}; its own command may begin one: mosaic agent reset {agent.name}" if known else look


def _command(
    output: Output, place: FleetContext, fleet: Fleet, agent: Agent, view: AgentView, how: How, against: str
) -> int:
    from providers.programs.registry import program
    from reconciler.agents.reset import by_command, record_event
    from reconciler.agents.reset_verdict import reset_text
    from reconciler.delivery.kickstart import kickstart
    from reconciler.errors import ExitCode, MosaicError
    from reconciler.state.trigger import request_look
    from reconciler.status.phrases import loss

    known = program(agent.runtime)
    text = reset_text(agent, known, how) if how != "restart" else None
    if text is None:
        raise MosaicError(
            f"the runtime {agent.runtime} has no command for that", help=f"mosaic agent reset {agent.name} --restart"
        )
    output.progress(f"resetting agent {agent.name} with {text}: {loss(view, time.time())}")
    answer = by_command(place, fleet, agent, known, text)
    if answer.word == "not-delivered":
        raise MosaicError(f"not-delivered: {answer.reason}", help=answer.way)
    record_event(place, agent.name, f"an operator reset it: {answer.word}", how or "runtime", forced=against)
    if answer.word != "delivered":
        output.result(f"{answer.word}: {answer.reason}")
        output.progress(f"help: {answer.way}")
        return ExitCode.UNHEALTHY
    if view.behind and known.reads != "start":  # what it begins with now is the newest
        from providers.machine.local_host import LocalHost
        from reconciler.run.mission_round import note_mission

        note_mission(agent, view, view.mission_now, LocalHost(os.environ))
    again = kickstart(agent, fleet.host, place.store, now=time.time())
    request_look(place.store)
    first = "; its first words wait in the outbox" if again else ""
    output.result(f"delivered: agent {agent.name} has a new conversation (evidence: {answer.evidence}){first}")
    return 0
