"""`mosaic agent status`: everything known of one agent, and what happens to it next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_option, output_option

if TYPE_CHECKING:
    from reconciler.cli.output import Format, Output
    from reconciler.inspection.fleet import FleetLook
    from reconciler.listing.row import Row

EVENTS = 12
CRASH_LINES = 20


@click.command("status", epilog="\b\nExample:\n  mosaic agent status coder0\n")
@click.argument("agent", metavar="NAME")
@fleet_option
@output_option
@click.pass_obj
def command(output: Output, *, agent: str, fleet: str | None, form: Format) -> int:
    """Describe the agent NAME as it is right now: its conditions, every observation with its source and age, its last
    events, what happens to it next and when, and the last lines of a crashed pane. Also describes what only the host
    knows, such as an agent that git no longer declares. Changes nothing."""
    from reconciler.inspection.describe import describe
    from reconciler.inspection.fleet import see
    from reconciler.model import AgentHistory
    from reconciler.state.event_log import read_events
    from specs.dataclass import replace

    seen = see(fleet)
    for sentence in seen.warnings:
        output.warning(sentence)
    row = _row(seen, agent, form)
    described = describe(
        seen.listing,
        row,
        seen.seen.plan,
        seen.history.agents.get(row.name, AgentHistory()),
        seen.status,
        seen.suspended,
        install=seen.settings.install,
        interval=seen.fleet.policy.interval,
    )
    crash, now = _crash(seen, row.name, dead=row.session == "dead")
    described = replace(
        described, events=read_events(seen.store, limit=EVENTS, agent=row.name), crash=crash, crash_now=now
    )
    if form != "text":
        from reconciler.inspection.describe import description_document

        output.document(description_document(described), form)
    else:
        from reconciler.render.describe_text import describe_text

        output.result(describe_text(described, paint=output.paint))
    return 0


def _row(seen: FleetLook, name: str, form: Format) -> Row:
    """What is called so here, on the host or in git; for an agent of another host, this becomes the same command there.
    Raises NotFound, with near misses."""
    from reconciler.agents.lookup import lookup
    from reconciler.errors import NotFound, unknown_agent
    from specs.compiled import Peer

    here = {row.name: row for row in seen.listing.rows}
    if name in here:
        return here[name]
    try:
        found = lookup(seen.fleet, name)  # an alias, or an agent of another host
    except NotFound as error:
        if name in {*(one.alias for one in seen.fleet.agents), *(one.alias for one in seen.fleet.peers)}:
            raise  # of several
        raise unknown_agent(name, {*here, *(peer.name for peer in seen.fleet.peers)}) from error
    if isinstance(found, Peer):
        from reconciler.remote.run_there import run_on_host

        run_on_host(seen.fleet, found, "status", *(["-o", form] if form != "text" else []))
    return here[found.name]


def _crash(seen: FleetLook, name: str, *, dead: bool) -> tuple[tuple[str, ...] | None, bool]:
    """The last lines of the dead pane that is there; else those that were kept when it last ended."""
    from reconciler.errors import MosaicError
    from reconciler.state.logs import load_crash

    declared = next((one for one in seen.fleet.agents if one.name == name), None)
    if dead and declared is not None:
        from reconciler.agents.pane import AgentPane, text_of

        try:
            text = text_of(AgentPane(seen.fleet, declared).snapshot(back=3 * CRASH_LINES, joined=True), CRASH_LINES)
            return _dense(text.splitlines()), True
        except MosaicError:
            pass  # it has been healed in the meantime, and what it said was kept
    try:
        kept = load_crash(seen.store, name)
    except MosaicError:  # a session's name that no agent can have
        return None, False
    return (_dense(kept.splitlines()[-CRASH_LINES:]) if kept else None), False


def _dense(lines: list[str]) -> tuple[str, ...]:
    """Of a screen that was hardly written on: what is on it."""
    kept = [line for index, line in enumerate(lines) if line.strip() or (index and lines[index - 1].strip())]
    return tuple(kept)
