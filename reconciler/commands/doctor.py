"""`mosaic doctor`: is everything there that a fleet on this host stands on, and if not, what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.commands.options import fleet_option, output_option

if TYPE_CHECKING:
    from reconciler.output import Format, Output


@click.command(name="doctor", epilog="\b\nExample:\n  mosaic doctor\n")
@fleet_option
@output_option
@click.pass_obj
def command(output: Output, *, fleet: str | None, form: Format) -> int:
    """Check every prerequisite of this host, and show what mends what is wrong. Changes nothing.

    Exit code 0 if nothing fails (warnings are allowed), 3 if something does."""
    from reconciler.doctor.examine import examine
    from reconciler.errors import ExitCode

    report = examine(fleet)
    if form != "text":
        from reconciler.doctor.document import doctor_document

        output.document(doctor_document(report), form)
    else:
        from reconciler.render.doctor_text import doctor_text

        output.result(doctor_text(report, paint=output.paint))
    return int(ExitCode.UNHEALTHY if report.count("fail") else ExitCode.OK)
