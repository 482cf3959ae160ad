"""The text of `mosaic doctor --contract`: a table of what each program has proved, and the evidence below it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from reconciler.conformance.model import PROOFS
from reconciler.doctor.programs import parse_version
from reconciler.helpers.words import Paint, Tint, data, no_paint
from reconciler.render.table import table

if TYPE_CHECKING:
    from reconciler.conformance.model import ContractReport, Trial

WIDTH = 80
_TINTS: dict[str, Tint] = {"pass": "green", "fail": "red", "skipped": "yellow"}
_INDENT = " " * 4


def contract_text(report: ContractReport, *, paint: Paint = no_paint) -> str:
    """A row for each runtime; prose is wrapped at 80 columns."""
    head = ("RUNTIME", "VERSION", "PASSED", "FAILED", "SECONDS")
    rows = [_row(trial) for trial in report.trials]
    lines = table(head, rows, [None if trial.passed else "red" for trial in report.trials], paint)
    for trial in report.trials:
        if not trial.installed:
            continue
        lines += ["", paint(trial.runtime, "bold")]
        for proof in trial.proofs:
            label = f"  {paint(proof.outcome, _TINTS[proof.outcome])} {proof.name}: "
            plain = f"  {proof.outcome} {proof.name}: "
            wrapped = textwrap.wrap(
                plain + data(proof.evidence),
                WIDTH,
                subsequent_indent=_INDENT,
                break_long_words=False,
                break_on_hyphens=False,
            )
            lines += [label + wrapped[0][len(plain) :], *wrapped[1:]]
    return "\n".join(lines) + "\n"


def _row(trial: Trial) -> tuple[str, ...]:
    if not trial.installed:
        return (trial.runtime, "not installed", "-", "-", "-")
    passed = sum(proof.outcome == "pass" for proof in trial.proofs)
    failed = ", ".join(proof.name for proof in trial.proofs if proof.outcome == "fail") or "-"
    number = ".".join(map(str, parse_version(trial.version)))
    return (trial.runtime, number or data(trial.version), f"{passed} of {len(PROOFS)}", failed, f"{trial.seconds:.1f}")
