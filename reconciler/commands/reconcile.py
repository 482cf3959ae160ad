"""`reconcile`: compare a commit with this host, and make the host agree."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from reconciler.commands.options import DurationParam, either, output_option
from reconciler.commands.version import version_option

if TYPE_CHECKING:
    from providers.base import Json
    from reconciler.cli.output import Format, Output
    from reconciler.loop.result import RunOptions, RunResult

EPILOG = """\b
Examples:
  reconcile --dry-run ~/fleet        what would be done, and why
  reconcile ~/fleet                  do it
  reconcile --dry-run --out p.json && reconcile --plan p.json
"""
MAX_PLAN_BYTES = 64 * 1024 * 1024


@version_option
@click.command(name="reconcile", epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@either
@click.option("--dry-run", is_flag=True, help="Show the plan; write nothing, anywhere.")
@click.option("--watch", is_flag=True, help="Keep running, and reconcile whenever something changes.")
@click.option("--agent", "agents", multiple=True, metavar="NAME", help="Only this agent; may be given several times.")
@output_option
@click.option("--verbose", is_flag=True, help="Every action; with --dry-run every step and field.")
@click.option("--detailed-exitcode", is_flag=True, help="With --dry-run: exit code 2 if changes are pending.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PLAN.json",
    help="With --dry-run: write the plan to a file.",
)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PLAN.json",
    help="Apply exactly this plan; refused if the commit or the host has changed since.",
)
@click.option("--allow-removals", type=click.IntRange(min=0), metavar="N", help="Remove up to N agents in this run.")
@click.option("--allow-rewind", is_flag=True, help="Apply a commit that does not descend from the last one.")
@click.option(
    "--timeout",
    "timeout_s",
    type=DurationParam(),
    default="5m",
    show_default=True,
    help="How long the run may take, converged or not.",
)
@click.option("--host", metavar="NAME", help="This host's name in the roster, if it is not the machine's.")
@click.option("--rebind-host", is_flag=True, help="Accept this host's current name, machine-id and folders.")
@click.option("--no-fetch", is_flag=True, help="Use the commit that was fetched last.")
@click.pass_obj
def command(
    output: Output,
    *,
    fleet: str | None,
    dry_run: bool,
    watch: bool,
    agents: tuple[str, ...],
    form: Format,
    verbose: bool,
    detailed_exitcode: bool,
    out: Path | None,
    plan_file: Path | None,
    allow_removals: int | None,
    allow_rewind: bool,
    timeout_s: float,
    host: str | None,
    rebind_host: bool,
    no_fetch: bool,
) -> int:
    """Make this host run the fleet that a git commit declares.

    FLEET is a working tree, a bare repository or a URL; without it MOSAIC_FLEET, then the repository of the current
    folder, then reconcile.toml, then the only fleet that has run here. Only what is committed counts.
    """
    from reconciler.loop.result import RunOptions

    _must_not_be_a_command(fleet)
    _check(dry_run=dry_run, watch=watch, out=out, plan_file=plan_file, detailed=detailed_exitcode, agents=agents)
    options = RunOptions(
        fleet=fleet,
        dry_run=dry_run,
        agents=agents,
        allow_removals=allow_removals,
        timeout_s=timeout_s,
        host=host,
        fetch=not no_fetch,
        plan_in=_read_plan(plan_file) if plan_file else None,
        allow_rewind=allow_rewind,
        rebind_host=rebind_host,
        trigger="watch" if watch else os.environ.get("MOSAIC_TRIGGER") or "manual",
    )
    if watch:
        from reconciler.commands.run_output import ResidentOutput
        from reconciler.resident.watch import watch as stay

        output.running = True
        return int(stay(options, ResidentOutput(output, form).report, complain=output.error))
    return run_and_report(options, output, form, out=out, detailed=detailed_exitcode, verbose=verbose)


def run_and_report(
    options: RunOptions,
    output: Output,
    form: Format,
    *,
    out: Path | None = None,
    detailed: bool = False,
    verbose: bool = False,
) -> int:
    """One run, told on the two streams. Returns the exit code. Raises MosaicError."""
    from reconciler.commands.run_output import MORE, applied_by, next_step, preview, print_run
    from reconciler.errors import ExitCode
    from reconciler.run.run import run

    output.running = not options.dry_run
    with output.activity() as doing:
        result = run(options, doing=doing)
    if out is not None:
        _write_plan(out, result)
    if options.dry_run and form == "text":
        preview(result, output, verbose=verbose, apply=applied_by(options, out))
    else:
        short = options.trigger in ("manual", "sync") and not verbose  # what the timer says is the log of this host
        more = MORE if options.trigger == "manual" else ""
        print_run(result, output, form, dry_run=options.dry_run, short=short, more=more)
    if form == "text" and options.trigger == "manual" and (step := next_step(result)):
        output.progress(f"next: {step}")
    return int(ExitCode.PENDING) if detailed and result.exit_code == 0 and _pending(result) else result.exit_code


def _pending(result: RunResult) -> bool:
    """Whether the host would be changed, now or later; what is held back on purpose is not pending."""
    from reconciler.status.assess import NO_FAILURE

    return bool(result.plan.actions) or any(held.reason not in NO_FAILURE for held in result.plan.held)


def _write_plan(path: Path, result: RunResult) -> None:
    from reconciler.cli.output import to_json
    from reconciler.commands.run_output import run_document
    from reconciler.errors import MosaicError
    from reconciler.helpers.atomic_files import write_atomic

    text = to_json(run_document(result, dry_run=True)) + "\n"
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            path.write_text(text, "utf-8")  # such as /dev/stdout: not to be replaced by a file
        else:
            write_atomic(path.absolute(), text)
    except OSError as error:
        raise MosaicError(f"cannot write {path}: {error.strerror or error}") from error


def _read_plan(path: Path) -> Mapping[str, Json]:
    """Raises NotFound or InvalidConfig."""
    import json

    from reconciler.errors import InvalidConfig, NotFound

    way = "make one with: reconcile --dry-run --out PLAN.json"
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_PLAN_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFound(f"{path} does not exist", help=way) from error
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror or error}", help=way) from error
    try:
        document = json.loads(raw) if len(raw) <= MAX_PLAN_BYTES else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("kind") != "Plan":
        raise InvalidConfig(f"{path} is not a plan document", help=way)
    return document


def _must_not_be_a_command(fleet: str | None) -> None:
    """Raises Usage for a word of another tool, where nothing has that name: `reconcile plan`."""
    from reconciler.commands.group import familiar

    error = familiar(fleet) if fleet is not None else None
    if error is not None and fleet is not None and not Path(fleet).exists():
        from providers.machine.facts import gather
        from reconciler.context.which_fleet import known_fleets

        if fleet not in known_fleets(gather(os.environ)):
            raise error


def _check(
    *, dry_run: bool, watch: bool, out: Path | None, plan_file: Path | None, detailed: bool, agents: tuple[str, ...]
) -> None:
    """Combinations that make no sense. Raises click.UsageError."""
    wrong = (
        (detailed and not dry_run, "--detailed-exitcode goes with --dry-run"),
        (out is not None and not dry_run, "--out goes with --dry-run"),
        (plan_file is not None and dry_run, "--plan applies a plan; it does not go with --dry-run"),
        (plan_file is not None and bool(agents), "--plan applies exactly its plan; it does not go with --agent"),
        (watch and dry_run, "--watch applies; it does not go with --dry-run"),
        (watch and plan_file is not None, "--watch does not go with --plan"),
    )
    for holds, sentence in wrong:
        if holds:
            raise click.UsageError(sentence)


def main() -> NoReturn:
    """The console script."""
    from reconciler.cli.main import main as run_command

    run_command(command)
