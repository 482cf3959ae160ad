"""`mosaic agent answer`: answer the dialog that an agent shows, from afar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from reconciler.commands.options import fleet_option, output_option

if TYPE_CHECKING:
    from reconciler.answering.verdict import WantedAnswer
    from reconciler.cli.output import Format, Output


@click.command(
    "answer",
    epilog="\b\nExample:\n  mosaic agent answer coder0 --case 1a2b3c4d --allow\n",
)
@click.argument("agent", metavar="NAME")
@click.option("--allow", "means", flag_value="allow", help="Choose what allows it, this once.")
@click.option("--deny", "means", flag_value="deny", help="Choose what denies it.")
@click.option("--choose", type=click.IntRange(min=1), metavar="N", help="Choose number N; the first is 1.")
@click.option("--text", metavar="TEXT", help="Type TEXT into its field, and send it; - is standard input.")
@click.option("--case", metavar="ID", help="Only the dialog of this id, as `mosaic fleet attention` lists it.")
@click.option("--source-label", "label", metavar="LABEL", help="Who answers. Default: HOST:operator.")
@fleet_option
@output_option
@click.pass_obj
def command(
    output: Output,
    *,
    agent: str,
    means: Literal["allow", "deny"] | None,
    choose: int | None,
    text: str | None,
    case: str | None,
    label: str | None,
    fleet: str | None,
    form: Format,
) -> int:
    """Answer the dialog that the program of the agent NAME shows: read it again, press the keys of the answer once, and
    report what its screen shows then. Without --case, that is the dialog that is shown now.

    Nothing is pressed if another dialog is shown than the listed one, if it is not known which keys give the answer, if
    its pane is in copy mode, or while the fleet is paused. A program's permission is a person's to give: an agent
    cannot answer.

    \b
    Reports the outcome, and ends with
      0  answered: the dialog is gone; with what the agent does now, or asks next
      1  not-answered: a dialog is shown, and nothing was pressed
      3  unconfirmed: the keys may have been pressed; look before you answer again
      4  no-dialog: it shows none; or there is no such agent
      5  changed: it shows another dialog than the one of --case, and nothing was pressed
    """
    from providers.processes.caller import calling_agent
    from reconciler.agents.lookup import in_force, lookup
    from reconciler.answering.answer import answer
    from reconciler.answering.record import record_answer
    from reconciler.answering.remote import RemoteAnswered, answer_elsewhere
    from reconciler.answering.verdict import EXIT
    from reconciler.context.fleet import fleet_context
    from reconciler.delivery.deliver import delivery_io
    from reconciler.delivery.signing import sign
    from reconciler.errors import Refused
    from reconciler.render.answer_text import answer_document, answer_text
    from reconciler.state.trigger import request_look
    from specs.compiled import Peer

    wanted = _wanted(means, choose, text)
    place = fleet_context(fleet)
    declared = in_force(place)
    found = lookup(declared, agent)
    caller = calling_agent()
    if caller:
        raise Refused(
            f"this is called by agent {caller}, and a dialog is a person's to answer",
            help="mosaic fleet attention shows the person what waits",
        )
    by = sign(declared, label, "").sender
    if isinstance(found, Peer):
        there = answer_elsewhere(declared, found, wanted, case=case or "", by=by)
        here = there.answer if isinstance(there, RemoteAnswered) else there
        document = dict(there.document) if isinstance(there, RemoteAnswered) else None
    else:
        here = answer(
            found, wanted, delivery_io(place.facts, place.store, declared.heartbeats), case=case or "",
        )  # fmt: skip
        record_answer(declared, place.store, found.name, here, how=wanted.how, by=by, source="operator")
        request_look(place.store)
        document = None
    if form != "text":
        output.document(document or answer_document(declared, found.name, here), form)
    else:
        output.result(answer_text(found.name, here, paint=output.paint))
        if here.way:
            output.progress(f"help: {here.way}")
    for sentence in place.store.warnings:
        output.warning(sentence)
    return int(EXIT[here.word])


def _wanted(means: Literal["allow", "deny"] | None, choose: int | None, text: str | None) -> WantedAnswer:
    from reconciler.answering.verdict import WantedAnswer
    from reconciler.delivery.text import clean

    if sum(one is not None for one in (means, choose, text)) != 1:
        raise click.UsageError("say one of --allow, --deny, --choose N and --text TEXT")
    if text is not None:
        return WantedAnswer(how="text", text=clean(_standard_input() if text == "-" else text))
    if choose is not None:
        return WantedAnswer(how="choose", number=choose)
    return WantedAnswer(how=means or "deny")


def _standard_input() -> str:
    import sys

    from reconciler.delivery.text import MAX_BYTES
    from reconciler.errors import Usage

    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Usage(f"standard input is not UTF-8 text: byte {error.start}") from error
