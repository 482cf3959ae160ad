"""The output of a run: its result on stdout, and what belongs to it on stderr."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from providers.base import Json
    from reconciler.cli.output import Format, Output
    from reconciler.loop.result import RunOptions, RunResult
    from reconciler.run.documents import StepsOf

MORE = "--verbose lists them"


def print_run(
    result: RunResult,
    output: Output,
    form: Format = "text",
    *,
    dry_run: bool = False,
    short: bool = False,
    more: str = "",
) -> None:
    """A result on stdout, and what belongs to it on stderr. `short` and `more` as `report_text` has them."""
    _print_asides(result, output)
    if form != "text":
        output.document(run_document(result, dry_run=dry_run), form)
    else:
        from reconciler.render.report_text import report_text

        output.result(report_text(result, short=short, more=more, paint=output.paint))


def preview(result: RunResult, output: Output, *, apply: str, more: str = MORE, verbose: bool = False) -> None:
    """What a run would do, for people. `apply`: the command that does it; `more`: how to see every step."""
    from reconciler.render.plan_text import plan_text
    from reconciler.render.report_text import last_seen

    _print_asides(result, output)
    text = plan_text(
        result.plan,
        _steps_of(result),
        commits=result.intake.commits if result.intake is not None else (),
        known=last_seen(result),
        more="" if verbose else more,
        apply=apply,
        looks=result.install != "none",
        paint=output.paint,
    )
    output.result(text)


def applied_by(options: RunOptions, out: Path | None) -> str:
    """The command that does what the preview of these options shows."""
    from reconciler.git.process import redact
    from reconciler.helpers.words import as_typed

    if out is not None:
        return f"reconcile --plan {as_typed(str(out))}"
    words = ["reconcile", *([as_typed(redact(options.fleet))] if options.fleet else [])]
    for name in options.agents:
        words += ["--agent", as_typed(name)]
    if options.allow_removals is not None:
        words += ["--allow-removals", str(options.allow_removals)]
    words += ["--host", as_typed(options.host)] if options.host else []
    words += ["--allow-rewind"] if options.allow_rewind else []
    words += ["--rebind-host"] if options.rebind_host else []
    words += [] if options.fetch else ["--no-fetch"]
    return " ".join(words)


def next_step(result: RunResult) -> str:
    """What to type after a run that has made the host as git says; "" after any other."""
    if result.outcome != "converged" or not result.outcomes:
        return ""
    spec = result.intake.spec if result.intake is not None else ""
    if result.install != "none" or not spec:
        return "mosaic fleet ps"
    from reconciler.git.process import redact
    from reconciler.helpers.words import as_typed

    return f"mosaic fleet ps; keep it so: mosaic fleet install {as_typed(redact(spec))}"


class ResidentOutput:
    """What a resident loop says: a run that did or found something new, and nothing at all while all is quiet."""

    def __init__(self, output: Output, form: Format) -> None:
        self._output, self._form = output, form
        self._last: object = None

    def report(self, result: RunResult) -> None:
        """One report for each run that differs from the one before; as JSON, on one line."""
        from reconciler.status.conditions import ConditionType

        plan = result.plan
        held = {(held.agent, held.target, held.reason) for held in plan.held}
        source = result.status.condition(ConditionType.SOURCE_READY)
        state = (
            *(result.outcome, plan.revision, held, plan.refused, plan.not_seen, result.warnings, result.intake),
            source and source.reason,
        )
        if not result.outcomes and state == self._last:
            return
        self._last = state
        if self._form == "text":
            print_run(result, self._output)
            return
        _print_asides(result, self._output)
        self._output.document(run_document(result, dry_run=False), self._form, one_line=True)


def _print_asides(result: RunResult, output: Output) -> None:
    """What belongs to stderr: whose fleet it is if nobody named one, what was rejected, what is not committed, what had
    to be set aside."""
    from reconciler.git.process import redact

    intake = result.intake
    if intake is not None:
        if intake.named_by in ("this folder", "this host"):
            output.progress(f"fleet repository: {redact(intake.spec)} (from {intake.named_by})")
        if intake.rejected:
            output.progress(intake.rejected)
        else:
            for problem in intake.problems:
                output.progress(problem)
        if intake.dirty:
            output.warning(f"edits that are not committed are not applied: {', '.join(intake.dirty)}")
    for sentence in result.warnings:
        output.warning(sentence)


def _steps_of(result: RunResult) -> StepsOf:
    from reconciler.run.documents import steps_by

    return steps_by(result.registry or {}, result.facts) if result.facts is not None else lambda _action: ()


def run_document(result: RunResult, *, dry_run: bool = False) -> Mapping[str, Json]:
    """The report of a run, or the plan of a preview."""
    from reconciler.run.documents import plan_document, report_document

    registry, facts = result.registry or {}, result.facts
    if facts is None:
        raise RuntimeError("a run that gave a result has looked at a host")
    if not dry_run:
        return report_document(result, registry, facts)
    return plan_document(result.plan, registry, facts, result.intake.commits if result.intake is not None else ())
