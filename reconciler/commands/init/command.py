"""`mosaic fleet init`: a fleet's repository, by questions or by flags; no network, and no AI."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.commands.init.host import TIMERS, Timer
from reconciler.commands.options import folder_argument, output_option, yes_option
from specs.dataclass import replace

if TYPE_CHECKING:
    from providers.base import Json
    from providers.host import HostFacts
    from reconciler.changes.make_change import ChangeResult
    from reconciler.changes.new_repository import InitTarget
    from reconciler.changes.proposal import Proposal
    from reconciler.cli.output import Format, Output
    from reconciler.context.settings import Settings
    from specs.scaffold.starter import Choices

_PRESETS = ("minimal", "local-canary", "general", "coding", "research", "hybrid")


@click.command(epilog="\b\nExample:\n  mosaic fleet init ~/fleet --preset local-canary --yes\n")
@folder_argument
@click.option("--preset", type=click.Choice(_PRESETS), help="Which fleet to begin with.")
@click.option("--name", metavar="NAME", help="The fleet's name. Default: the preset's name.")
@click.option("--agents", metavar="NAMES", help="Names for the preset's agents, in its order, separated by commas.")
@click.option(
    "--runtime",
    "runtimes",
    multiple=True,
    metavar="[AGENT=]RUNTIME",
    help="The program of all agents, or of one; may be given several times.",
)
@click.option("--socket", metavar="NAME", help="The tmux server. Default: mosaic-fleet.")
@click.option("--working-directory", metavar="FOLDER", help="Where agents begin. Default: the home folder.")
@click.option("--mission", metavar="TEXT", help="What the fleet is for.")
@click.option("--linger/--no-linger", default=None, help="Let agents outlive your login from now on.")
@click.option(
    "--timer", type=click.Choice(list(TIMERS)), help="Have this host reconcile by itself from now on. Default: none."
)
@click.option("--overwrite", is_flag=True, help="Overwrite existing files.")
@click.option("-m", "--message", metavar="TEXT", help="The commit's message.")
@click.option("--no-commit", is_flag=True, help="Write the files only.")
@click.option("--dry-run", is_flag=True, help="Show the files only.")
@yes_option
@output_option
@click.pass_obj
def init(
    output: Output,
    /,
    *,
    fleet: str | None,
    preset: str | None,
    name: str | None,
    agents: str | None,
    runtimes: tuple[str, ...],
    socket: str | None,
    working_directory: str | None,
    mission: str | None,
    linger: bool | None,
    timer: Timer | None,
    overwrite: bool,
    message: str | None,
    no_commit: bool,
    dry_run: bool,
    yes: bool,
    form: Format,
) -> int:
    """Make a fleet in the folder FLEET: its files, its git repository, the first commit.

    On a terminal it asks, each question with a default; elsewhere, or with --yes, it takes the flags and defaults.

    In an existing fleet, only what you answer differently changes, and the rest stays as you wrote it.
    """
    from reconciler.changes.make_change import gather_here
    from reconciler.changes.new_repository import inspect_target
    from reconciler.commands.init.answers import Given, begin, change
    from reconciler.commands.init.ask import Asker
    from reconciler.commands.init.host import HostOptions, ask_host, on_host
    from reconciler.commands.init.identity import ask_identity

    if form != "text" and (linger or timer not in (None, "none")):
        raise click.UsageError(f"-o {form} goes with neither --linger nor --timer: other commands do that")
    facts, settings = gather_here()
    asker = Asker(sys.stdin.isatty() and sys.stderr.isatty() and not yes and form == "text")
    usual = _usual_place(fleet, facts, settings)
    identity = ask_identity(asker, usual, facts)
    given = Given(
        preset=preset, name=name, agents=agents, runtimes=runtimes, socket=socket,
        working_directory=working_directory, mission=mission,
    )  # fmt: skip
    target = inspect_target(usual if fleet is not None else asker.text("Where is the fleet to be?", usual))
    again = "roster.yaml" in target.files and not overwrite
    answer = change if again else begin
    choices = answer(output, asker, given, target, facts, settings)
    proposal = _propose(target, choices, again=again, overwrite=overwrite)
    quiet = form != "text"
    options = HostOptions(linger=False, timer="none") if quiet else ask_host(asker, linger, timer, facts, settings)
    _show(output, target, proposal, quiet=quiet)
    report = output.progress if quiet else output.result
    made = _unmade(target, proposal)
    if not proposal.files:
        report(f"nothing to change in {target.path}")
    elif dry_run:
        report("dry run: nothing was written")
    elif not asker.yes("Write this, and commit it?" if not no_commit else "Write this?", True):
        report("nothing was written")
        return 0
    else:
        schemas = _new_schemas(target, proposal)
        made = _write(target, proposal, schemas, message, commit=not no_commit, identity=identity)
        report(_written(made, schemas=bool(schemas)))
    if form != "text":
        output.document(_document(made, message, dry_run=dry_run, form=form), form)
    if quiet or dry_run:
        return 0
    return on_host(output, target.path, options, facts, changed=bool(proposal.files), committed=not no_commit)


def _usual_place(fleet: str | None, facts: HostFacts, settings: Settings) -> str:
    """The one that was named; else what every command would take, if it is a folder here; else ~/fleet."""
    from reconciler.context.which_fleet import which_fleet
    from reconciler.errors import NotFound

    try:
        found = which_fleet(fleet, settings, facts, os.environ, files=True)
    except NotFound:  # there are several, and this makes one more
        found = None
    if fleet is not None:
        return found.must_have_repository() if found is not None else fleet
    known = found.repository if found is not None else None
    return known if known and Path(known).expanduser().is_dir() else f"{facts.home}/fleet"


def _propose(target: InitTarget, choices: Choices, *, again: bool, overwrite: bool) -> Proposal:
    """Raises SpoilsFiles, BreaksFloor."""
    from reconciler.changes.proposal import Edited, propose
    from specs.loading.load import LoadResult
    from specs.scaffold.presets import PRESETS
    from specs.scaffold.starter import changed_files, new_files

    def verb(files: Mapping[str, bytes], _loaded: LoadResult) -> Edited:
        if again:
            return Edited(files=changed_files(files, choices), message="Reconfigure the fleet")
        made = new_files(choices, choices.preset or PRESETS["minimal"])
        kept = {} if overwrite else files
        notes = tuple(
            f"{name} is there already, and stays as it is (--overwrite: new files)" for name in made if name in kept
        )
        return Edited(
            files={name: data for name, data in made.items() if name not in kept},
            message=f"Begin the fleet {choices.name}" if not files else "Begin the fleet again",
            notes=notes,
        )

    return propose(target.files, verb)


def _show(output: Output, target: InitTarget, proposal: Proposal, *, quiet: bool) -> None:
    """New files as they will be, others as a diff; `quiet`: only what is to be said beside them."""
    from reconciler.render.fleet_files.diff_text import diff_text
    from specs.values.problems import render_each

    for note in proposal.notes:
        output.progress(note)
    for text in render_each(proposal.warnings):
        output.progress(text + "\n")
    for name, data in proposal.files.items() if not quiet else ():
        if name in target.files:
            output.result(diff_text(proposal.diff[name], paint=output.paint) + "\n")
        else:
            output.result(output.paint(f"{target.path / name}:", "bold") + "\n" + data.decode())


def _unmade(target: InitTarget, proposal: Proposal) -> ChangeResult:
    from reconciler.changes.make_change import ChangeResult

    return ChangeResult(proposal=proposal, where=str(target.path), branch="")


def _new_schemas(target: InitTarget, proposal: Proposal) -> Mapping[str, bytes]:
    """The schemas that the files name, by path, where there are none yet."""
    from specs.scaffold.starter import schema_files

    return {path: text for path, text in schema_files(proposal.files).items() if not (target.path / path).exists()}


def _write(
    target: InitTarget,
    proposal: Proposal,
    schemas: Mapping[str, bytes],
    message: str | None,
    *,
    commit: bool,
    identity: Mapping[str, str],
) -> ChangeResult:
    from reconciler.changes.new_repository import create_repository, write_fleet_files
    from reconciler.commands.init.identity import keep_identity

    files = {**proposal.files, **schemas}
    if not commit:
        write_fleet_files(target, files)
        return replace(_unmade(target, proposal), written=True)
    made, branch = create_repository(target, files, message or proposal.message)
    keep_identity(target.path, identity)
    return replace(_unmade(target, proposal), branch=branch, commit=made, written=True)


def _written(made: ChangeResult, *, schemas: bool) -> str:
    names = ", ".join(made.proposal.files) + (" (and schemas/, for your editor)" if schemas else "")
    if not made.commit:
        return f"wrote {names} in {made.where}; not committed, so not in force"
    return f"committed {made.commit[:12]} to {made.branch} in {made.where}: {names}"


def _document(made: ChangeResult, message: str | None, *, dry_run: bool, form: Format) -> dict[str, Json]:
    """What every command that changes the files prints."""
    from reconciler.changes.make_change import ChangeTarget
    from reconciler.commands.change.common import ChangeFlags, change_document
    from reconciler.git.location import parse_place

    asked = ChangeFlags(
        fleet=made.where, message=message, no_commit=False, push=False, dry_run=dry_run, no_sync=True, form=form
    )
    goal = ChangeTarget(spec=made.where, place=parse_place(made.where), ref=None, fleet=None)
    return change_document(goal, made, asked, {}, None)
