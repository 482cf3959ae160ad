"""`mosaic agent send`: a message to one agent or to several, now or when each is available."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from reconciler.commands.options import DurationParam, fleet_option, output_option

if TYPE_CHECKING:
    from reconciler.cli.output import Format, Output
    from reconciler.commands.agent.sending import Sending, SendOutcome
    from specs.compiled import Agent, Fleet, Peer


@click.command(
    "send",
    epilog='\b\nExample:\n  mosaic agent send coder0 -m "status check" --verify\n',
)
@click.argument("name", metavar="[AGENT]", required=False)
@click.option("--class", "agent_class", metavar="CLASS", help="To every agent of this class, in the place of AGENT.")
@click.option("--group", metavar="NAME", help="To every agent that has this name among its `groups`.")
@click.option("--all", "everyone", is_flag=True, help="To every agent of the fleet.")
@click.option("-m", "--message", metavar="TEXT", help="The message.")
@click.option(
    "-f", "--file", metavar="FILE", help="Read it from a file; - is standard input, the default without -m and -f."
)
@click.option(
    "--source-label",
    "sender",
    metavar="LABEL",
    help="Who the message is from. Default: HOST:operator; an agent signs as itself.",
)
@click.option("--verify", is_flag=True, help="Wait for evidence that the agent's program has taken it up.")
@click.option(
    "--verify-timeout",
    type=DurationParam(),
    default="6s",
    show_default=True,
    metavar="DURATION",
    help="How long to wait.",
)
@click.option(
    "--when",
    type=click.Choice(["now", "available"]),
    default="now",
    show_default=True,
    help="available: keep it on AGENT's host; the reconciler delivers it once, when the agent is free.",
)
@click.option(
    "--expires",
    type=DurationParam(),
    metavar="DURATION",
    help="With --when available: drop it after this time. Default: 1d.",
)
@click.option("--dry-run", is_flag=True, help="Name the receivers, and send nothing.")
@fleet_option
@output_option
@click.pass_obj
def command(
    output: Output,
    *,
    name: str | None,
    agent_class: str | None,
    group: str | None,
    everyone: bool,
    dry_run: bool,
    message: str | None,
    file: str | None,
    sender: str | None,
    verify: bool,
    verify_timeout: float,
    when: Literal["now", "available"],
    expires: float | None,
    fleet: str | None,
    form: Format,
) -> int:
    """Put a message into AGENT's composer and submit it, behind `[from -> to]`.

    With --verify the answer is delivered (exit 0, with the evidence), unconfirmed (3) or not-delivered (1, with the
    reason); without it sent (0) says that it was submitted. Nothing is put into a pane that is in copy mode, asks a
    question, or holds a person's draft, and nothing while the fleet is paused. An unconfirmed message may have arrived:
    look before you send it again.

    With --class, --group or --all it goes to each agent that is to run, on every host, except the one that sends it.
    Each has an answer of its own, and the exit code is that of the worst."""
    from providers.processes.caller import calling_agent
    from reconciler.agents.lookup import in_force, lookup, receivers
    from reconciler.commands.agent.sending import EXPIRES_S, Sending
    from reconciler.context.fleet import fleet_context
    from reconciler.delivery.signing import sign
    from reconciler.delivery.text import clean

    several = agent_class is not None or group is not None or everyone
    if (name is not None) is several:
        raise click.UsageError("name an AGENT, or say --class, --group or --all")
    if everyone and (agent_class is not None or group is not None):
        raise click.UsageError("--all is every agent: it does not go with --class or --group")
    if message is not None and file is not None:
        raise click.UsageError("give either -m or -f")
    if when == "available" and verify:
        raise click.UsageError("--verify is for --when now; what becomes of a stored message is in the events")
    if when == "now" and expires is not None:
        raise click.UsageError("--expires is for --when available")
    place = fleet_context(fleet)
    declared = in_force(place)
    caller = calling_agent()
    chosen: tuple[Agent | Peer, ...]
    if name is not None:
        chosen = (lookup(declared, name),)
    else:
        chosen = receivers(declared, agent_class=agent_class, group=group, caller=caller)
    if dry_run:
        return _preview(output, declared, chosen, form)
    by = sign(declared, sender, caller)
    sending = Sending(
        place=place,
        fleet=declared,
        text=clean(message if message is not None else _read(file)),
        by=by,
        verify=verify_timeout if verify else None,
        expires=(EXPIRES_S if expires is None else expires) if when == "available" else None,
        paint=output.paint,
    )
    code = _several(output, sending, chosen, form) if several else _one(output, sending, chosen[0], form)
    for sentence in dict.fromkeys(place.store.warnings):
        output.warning(sentence)
    return code


def _one(output: Output, sending: Sending, agent: Agent | Peer, form: Format) -> int:
    found = sending.to(agent)
    if form != "text":
        output.document(found.document, form)
    else:
        _say(output, found)
    return found.code


def _say(output: Output, found: SendOutcome) -> None:
    output.result(found.line)
    if found.help:
        output.progress(f"help: {found.help}")
    for sentence in found.warnings:
        output.warning(sentence)


def _several(output: Output, sending: Sending, chosen: tuple[Agent | Peer, ...], form: Format) -> int:
    from reconciler.commands.agent.send_several import send_to_each, worst
    from reconciler.render.delivery_text import deliveries_document

    done: list[SendOutcome] = []
    for found in send_to_each(sending, chosen):
        done.append(found)
        if form == "text":
            _say(output, found)
    if form != "text":
        output.document(
            deliveries_document(sending.fleet, [one.name for one in chosen], [one.document for one in done]), form
        )
    return worst([one.code for one in done])


def _preview(output: Output, fleet: Fleet, chosen: tuple[Agent | Peer, ...], form: Format) -> int:
    from reconciler.helpers.words import count
    from reconciler.render.delivery_text import deliveries_document

    names = [one.name for one in chosen]
    if form != "text":
        output.document(deliveries_document(fleet, names, []), form)
    else:
        output.result(f"would be sent to {count(len(names), 'agent')}: {', '.join(names)}")
    return 0


def _read(file: str | None) -> str:
    """A file, or standard input. Raises NotFound, Usage, MosaicError."""
    import sys

    from reconciler.delivery.text import MAX_BYTES
    from reconciler.errors import MosaicError, NotFound, Usage

    most = 4 * MAX_BYTES  # what is cleaned away counts too, within reason
    try:
        if file in (None, "-"):
            if sys.stdin is None or sys.stdin.isatty():
                raise Usage("there is no message", help="give it with -m TEXT, -f FILE or on standard input")
            data = sys.stdin.buffer.read(most + 1)
        else:
            with open(str(file), "rb") as opened:
                data = opened.read(most + 1)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {file}") from error
    except OSError as error:
        raise MosaicError(f"{file or 'standard input'} cannot be read: {error.strerror or error}") from error
    if len(data) > most:
        raise Usage(
            f"the message is larger than {MAX_BYTES} bytes",
            help="put it into a file that the agent may read, and send it the path",
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Usage(f"{file or 'standard input'} is not UTF-8 text: byte {error.start}") from error
