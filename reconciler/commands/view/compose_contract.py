"""`mosaic compose-contract`: the text that an agent starts with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_option

if TYPE_CHECKING:
    from providers.host import HostFacts
    from reconciler.cli.output import Output
    from specs.compiled import Fleet


@click.command("compose-contract", epilog="\b\nExample:\n  mosaic compose-contract claude --agent coder0\n")
@click.argument("runtime", metavar="RUNTIME")
@click.option("--agent", metavar="NAME", help="Print it for this agent, with its class, its mission and its peers.")
@fleet_option
@click.pass_obj
def command(output: Output, *, runtime: str, agent: str | None, fleet: str | None) -> int:
    """Print what an agent in RUNTIME (claude, codex, ...) is given at its next start: the constitution, the dispatcher,
    the operator's own texts, the tools, the contract of the runtime, and with --agent the contract of its class, the
    mission and how to reach its peers.

    Each section names its source. It uses the commit in force on this host; without a fleet, it prints what every agent
    is given.
    """
    from providers.launch.contract import compose_without_agent
    from providers.machine.facts import gather
    from providers.machine.overlays import read_overlays
    from specs.dataclass import replace

    facts = gather(os.environ)
    facts = replace(facts, overlays=read_overlays(facts.mosaic_home))
    for one in facts.overlays:
        if one.fault:
            output.progress(f"warning: {facts.mosaic_home}/{one.name}: {one.fault}")
    if agent is not None:
        output.result(_of_agent(output, runtime, agent, fleet, facts))
        return 0
    declared = _declared(output, fleet)
    _must_know(runtime, declared)
    output.result(compose_without_agent(runtime, declared, facts))
    return 0


def _of_agent(output: Output, runtime: str, agent: str, fleet: str | None, facts: HostFacts) -> str:
    from providers.launch.contract import compose
    from reconciler.agents.lookup import in_force, lookup
    from reconciler.context.fleet import fleet_context
    from specs.compiled import Peer
    from specs.dataclass import replace

    place = fleet_context(fleet, read_only=True)
    declared = in_force(place)
    found = lookup(declared, agent)
    if isinstance(found, Peer):
        output.progress(f"agent {found.name} is on {found.host}: the operator's own texts there are not known here")
        declared, facts = in_force(place, host=found.host), replace(facts, overlays=())
        found = next(one for one in declared.agents if one.name == found.name)
    _must_know(runtime, declared)
    if runtime != found.runtime:
        output.progress(f"agent {found.name} runs {found.runtime}; this is as it would be in {runtime}")
    if found.agent_class not in declared.personas:
        way = f"roles/{found.agent_class}.md in the fleet's repository would be one"
        output.progress(f'class "{found.agent_class}" has no contract: {way}')
    return compose(declared, found, facts, runtime="" if runtime == found.runtime else runtime)


def _declared(output: Output, fleet: str | None) -> Fleet | None:
    """None where no fleet has run yet, unless one was named."""
    from reconciler.agents.lookup import in_force
    from reconciler.context.fleet import fleet_context
    from reconciler.errors import NotFound

    try:
        return in_force(fleet_context(fleet, read_only=True))
    except NotFound as error:
        if fleet is not None:
            raise
        output.progress(f"without a mission: {error.message}")
        return None


def _must_know(runtime: str, fleet: Fleet | None) -> None:
    """Raises NotFound, with near misses."""
    from providers.launch.contract import runtimes
    from reconciler.errors import NotFound
    from specs.values.suggest import Suggester

    known = {*runtimes(), *(agent.runtime for agent in (fleet.agents if fleet is not None else ()))}
    if runtime not in known:
        near = Suggester().phrase(runtime, known)
        raise NotFound(f'unknown runtime "{runtime}"', help=near or f"known here: {', '.join(sorted(known))}")
