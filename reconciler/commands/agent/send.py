"""`mosaic agent send`: a message to one agent, now or when it is available."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import click

from reconciler.commands.options import DurationParam, fleet_option, output_option

if TYPE_CHECKING:
    from reconciler.cli.output import Format, Output
    from reconciler.context.fleet import FleetContext
    from reconciler.delivery.signing import Signature
    from specs.compiled import Agent, Fleet, Peer

EXPIRES_S = 86400.0


@click.command(
    "send",
    epilog='\b\nExample:\n  mosaic agent send coder0 -m "status check" --verify\n',
)
@click.argument("name", metavar="AGENT")
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
@fleet_option
@output_option
@click.pass_obj
def command(
    output: Output,
    *,
    name: str,
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
    look before you send it again."""
    from providers.processes.caller import calling_agent
    from reconciler.agents.lookup import in_force, lookup
    from reconciler.context.fleet import fleet_context
    from reconciler.delivery.signing import sign
    from reconciler.delivery.text import clean
    from specs.compiled import Peer

    if message is not None and file is not None:
        raise click.UsageError("give either -m or -f")
    if when == "available" and verify:
        raise click.UsageError("--verify is for --when now; what becomes of a stored message is in the events")
    if when == "now" and expires is not None:
        raise click.UsageError("--expires is for --when available")
    place = fleet_context(fleet)
    declared = in_force(place)
    agent = lookup(declared, name)
    text = clean(message if message is not None else _read(file))
    by = sign(declared, sender, calling_agent())
    if isinstance(agent, Peer):
        options = ["--verify", "--verify-timeout", f"{verify_timeout:g}s"] if verify else []
        if when == "available":
            options = ["--when", "available", "--expires", f"{EXPIRES_S if expires is None else expires:g}s"]
        wait_s = verify_timeout if verify else 0.0
        return _there(output, declared, agent, text, by.sender, options, wait_s, form)
    if when == "available":
        return _keep(output, place, declared, agent, text, by.sender, EXPIRES_S if expires is None else expires, form)
    return _send(output, place, declared, agent, text, by, verify, verify_timeout, form)


def _send(
    output: Output,
    place: FleetContext,
    fleet: Fleet,
    agent: Agent,
    text: str,
    by: Signature,
    verify: bool,
    timeout_s: float,
    form: Format,
) -> int:
    from reconciler.delivery.send import EXIT, send
    from reconciler.render.delivery_text import delivery_document, delivery_text

    found = send(
        fleet, agent, text,
        facts=place.facts, store=place.store,
        sender=by.sender, source=by.source,
        verify=verify, timeout_s=timeout_s,
    )  # fmt: skip
    for sentence in place.store.warnings:
        output.warning(sentence)
    if form != "text":
        size = len(text.encode())
        output.document(delivery_document(fleet, agent.name, found, sender=by.sender, size=size), form)
    else:
        output.result(delivery_text(agent.name, found, paint=output.paint))
        if found.way:
            output.progress(f"help: {found.way}")
    return EXIT[found.word]


def _there(
    output: Output, fleet: Fleet, peer: Peer, text: str, sender: str, options: list[str], wait_s: float, form: Format
) -> int:
    """To another host; what it answers is told as it is."""
    from reconciler.delivery.remote_send import send_elsewhere
    from reconciler.delivery.send import EXIT
    from reconciler.delivery.verdict import Delivery
    from reconciler.helpers.words import data
    from reconciler.render.delivery_text import delivery_document, delivery_text

    found = send_elsewhere(fleet, peer, text, sender=sender, options=options, wait_s=wait_s)
    delivery: Delivery | None
    if isinstance(found, Delivery):  # nobody answered
        delivery, code = found, int(EXIT[found.word])
        document = delivery_document(fleet, peer.name, found, sender=sender, size=len(text.encode()))
    else:
        delivery, code, document = found.delivery, found.code, dict(found.document)
    if form != "text":
        output.document(document, form)
    elif delivery is None:
        output.result(f"stored as {data(document['id'])} on {peer.host}: it is delivered when {peer.name} is available")
    else:
        output.result(delivery_text(peer.name, delivery, paint=output.paint))
        if delivery.way:
            output.progress(f"help: {delivery.way}")
    return code


def _keep(
    output: Output,
    place: FleetContext,
    fleet: Fleet,
    agent: Agent,
    text: str,
    sender: str,
    expires: float,
    form: Format,
) -> int:
    """Into the outbox, and wake the loop up."""
    from reconciler.delivery.outbox import Outbox
    from reconciler.errors import MosaicError
    from reconciler.render.delivery_text import stored_document
    from reconciler.state.pause import read_pause
    from reconciler.state.trigger import request_look

    if agent.state == "absent":
        raise MosaicError(f"agent {agent.name} is declared absent, and gets no messages", help="mosaic agent roster")
    now = time.time()
    until = now + expires
    outbox = Outbox(place.store)
    kept = outbox.put(agent=agent.name, sender=sender, text=text, now=now, expires=until, revision=fleet.revision)
    resident = request_look(place.store)
    if form != "text":
        output.document(stored_document(fleet, kept), form)
        return 0
    who = "the resident reconciler delivers it" if resident else "the next run of the reconciler delivers it"
    output.result(f"stored as {kept.id}: {who} when {agent.name} is available")
    if agent.state != "running":
        output.warning(f"{agent.name} is declared {agent.state}: it waits until that changes, or it expires")
    if read_pause(place.facts) is not None:
        output.warning("the fleet is paused, and nothing is delivered until `mosaic fleet resume`")
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
