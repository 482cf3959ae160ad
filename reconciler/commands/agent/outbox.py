"""`mosaic agent outbox`: the messages that wait on this host."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_option, output_option

if TYPE_CHECKING:
    from reconciler.cli.output import Format, Output


@click.command("outbox", epilog="\b\nExample:\n  mosaic agent outbox coder0\n")
@click.argument("name", metavar="[AGENT]", required=False)
@click.option("--cancel", metavar="ID", help="Drop this message; the beginning of its id is enough.")
@click.option("--show", metavar="ID", help="Print the whole text of this message.")
@click.option("--all-hosts", is_flag=True, help="Also list what waits on the fleet's other hosts, over ssh.")
@fleet_option
@output_option
@click.pass_obj
def command(
    output: Output,
    *,
    name: str | None,
    cancel: str | None,
    show: str | None,
    all_hosts: bool,
    fleet: str | None,
    form: Format,
) -> int:
    """List the messages that wait for their agent to be available, those that are unconfirmed, and those that were put
    away because their agent was removed. The last two are kept for a week, and never sent again by themselves.

    A message waits on its agent's host: for an agent of another host, that host is asked. Exit code 69 means that a
    host did not answer.
    """
    from reconciler.agents.lookup import in_force, lookup
    from reconciler.context.fleet import fleet_context
    from reconciler.delivery.outbox import Outbox
    from reconciler.errors import ExitCode
    from reconciler.remote.outbox import Elsewhere, outboxes_of
    from reconciler.remote.run_there import run_on_host
    from reconciler.render.delivery_text import outbox_document, outbox_rows, outbox_text
    from specs.compiled import Peer

    place = fleet_context(fleet, read_only=cancel is None)
    declared = in_force(place)
    outbox = Outbox(place.store)
    messages = outbox.messages()
    peer: Peer | None = None
    if name is not None:
        known = {one.agent for one in messages}
        found = next((one for one in declared.peers if one.name == name), None) if name in known else None
        if name not in known:  # one that is declared no more may have some
            agent = lookup(declared, name)
            name, found = agent.name, agent if isinstance(agent, Peer) else None
        peer = found
    wanted = cancel or show
    if peer is not None and wanted and not any(one.id.startswith(wanted) for one in messages):
        run_on_host(declared, peer, "outbox", *(["--cancel", wanted] if cancel else ["--show", wanted]))
    if show is not None:
        one = outbox.find(show)
        output.result(one.text or one.kickstart)
        return 0
    if cancel is not None:
        gone = outbox.cancel(cancel, time.time())
        output.progress(f"cancelled {gone.id}" + (f" for {gone.agent}" if gone.agent else ""))
        messages = outbox.messages()
    rows = outbox_rows(declared, tuple(one for one in messages if name is None or one.agent == name))
    there = Elsewhere()
    if all_hosts or peer is not None:
        there = outboxes_of(declared, declared.peers if peer is None else [peer], name)
        rows += there.messages
    silent = there.silent or {}
    if form != "text":
        output.document(outbox_document(declared, rows, silent), form)
    else:
        if rows or not silent:
            output.result(outbox_text(rows, now=time.time(), paint=output.paint))
        for host, why in silent.items():
            output.warning(f"cannot list the messages waiting on {host}: {why}")
        if name is None and not all_hosts and any(one.state != "absent" for one in declared.peers):
            output.progress("messages for agents of other hosts wait on those hosts: mosaic agent outbox --all-hosts")
    return ExitCode.UNAVAILABLE if silent else 0
