"""`mosaic fleet attention`: what needs a person, and what answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_argument, output_option

if TYPE_CHECKING:
    from reconciler.cli.output import Format, Output

EPILOG = """\b
Example:
  mosaic fleet attention                        what needs a person, and the commands that answer it
  mosaic fleet attention --check || page-me     for a script: exit code 3 if anything does
"""


@click.command("attention", epilog=EPILOG)
@fleet_argument
@click.option("--agent", "agents", multiple=True, metavar="NAME", help="Only this agent; may be given several times.")
@click.option("--check", is_flag=True, help="Exit code 3 if anything needs a person.")
@click.option("--all-hosts", is_flag=True, help="Also the fleet's other hosts, over ssh, each as it sees itself.")
@output_option
@click.pass_obj
def command(
    output: Output, *, fleet: str | None, agents: tuple[str, ...], check: bool, all_hosts: bool, form: Format
) -> int:
    """Look at this host now, and list what needs a person: dialogs that wait for an answer, what keeps a program from
    working, agents that keep ending, messages that may not have arrived. Each has the commands that answer it. Changes
    nothing.

    Exit code 69 means that a host did not answer.
    """
    from reconciler.errors import ExitCode, unknown_agent
    from reconciler.helpers.times import parse_rfc3339
    from reconciler.inspection.fleet import see
    from reconciler.notify.failures import failing
    from reconciler.remote.attention import AttentionElsewhere, attention_of
    from reconciler.render.attention_text import FailingRow, attention_document, attention_text, case_rows

    with output.activity() as doing:
        doing("looking at this host")
        seen = see(fleet)
        there = AttentionElsewhere()
        if all_hosts:
            doing("asking the other hosts")
            there = attention_of(seen.fleet)
    for sentence in seen.warnings:
        output.warning(sentence)
    known = {row.name for row in seen.listing.rows} | {peer.name for peer in seen.fleet.peers}
    for name in agents:
        if name not in known:
            raise unknown_agent(name, known)
    now, here = seen.listing.observed_at, seen.fleet.host
    rows = [*case_rows(seen.cases, here, now), *there.cases]
    rows = sorted((row for row in rows if not agents or row["agent"] in agents), key=lambda row: str(row["since"]))
    fails = [
        FailingRow(notifier=one.notifier, host=here, since=one.since, error=one.error)
        for one in failing(seen.store).values()
    ]
    fails += [
        FailingRow(
            notifier=str(one["notifier"]),
            host=str(one["host"]),
            since=parse_rfc3339(str(one["since"])),
            error=str(one["error"]),
        )
        for one in there.failing
    ]
    if form != "text":
        output.document(attention_document(seen.fleet, rows, fails, there.silent, now), form)
    else:
        output.result(attention_text(rows, fails, now=now, paint=output.paint))
        for host, why in there.silent.items():
            output.warning(f"cannot list what needs a person on {host}: {why}")
        if not all_hosts and any(one.state != "absent" for one in seen.fleet.peers):
            output.progress("the fleet's other hosts have lists of their own: mosaic fleet attention --all-hosts")
    if check and rows:
        return 3
    return ExitCode.UNAVAILABLE if there.silent else 0
