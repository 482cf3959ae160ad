"""`mosaic doctor`: check everything that a fleet on this host needs, and show how to fix it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_option, output_option

if TYPE_CHECKING:
    from reconciler.cli.output import Format, Output


@click.command(name="doctor", epilog="\b\nExamples:\n  mosaic doctor\n  mosaic doctor --contract claude codex\n")
@click.argument("runtimes", nargs=-1, metavar="[RUNTIME]...")
@click.option("--contract", is_flag=True, help="Try the program of each RUNTIME (default: of all that are known).")
@click.option("--all", "everything", is_flag=True, help="List also the checks that are as they should be.")
@fleet_option
@output_option
@click.pass_obj
def command(
    output: Output, *, runtimes: tuple[str, ...], contract: bool, everything: bool, fleet: str | None, form: Format
) -> int:
    """Check every prerequisite of this host, and show how to fix each problem; what is well is counted. Changes
    nothing.

    With --contract: start each installed program in an empty home, on a tmux server of its own, against a model API on
    loopback, and prove launch, identification, delivery, heartbeat and reset. No token is spent.

    Exit code 0 if nothing fails (warnings are allowed), 3 if something does."""
    if contract:
        return _contract(output, runtimes, form)
    if runtimes:
        from reconciler.errors import Usage

        raise Usage("a RUNTIME is only tried with --contract", help=f"mosaic doctor --contract {' '.join(runtimes)}")
    from reconciler.doctor.probes.examine import examine
    from reconciler.errors import ExitCode

    with output.activity() as doing:
        doing("checking this host")
        report = examine(fleet)
    if form != "text":
        from reconciler.doctor.document import doctor_document

        output.document(doctor_document(report), form)
    else:
        from reconciler.render.doctor_text import doctor_text

        output.result(doctor_text(report, everything=everything, paint=output.paint))
    return int(ExitCode.UNHEALTHY if report.count("fail") else ExitCode.OK)


def _contract(output: Output, runtimes: tuple[str, ...], form: Format) -> int:
    from reconciler.conformance.run import contract
    from reconciler.errors import ExitCode

    report = contract(runtimes, output.progress)
    if form != "text":
        from reconciler.conformance.document import contract_document

        output.document(contract_document(report), form)
    else:
        from reconciler.render.fleet_files.contract_text import contract_text

        output.result(contract_text(report, paint=output.paint))
    return int(ExitCode.OK if report.passed else ExitCode.UNHEALTHY)
