"""`mosaic fleet init`: a fleet's repository, by questions or by flags; no network, and no AI."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.commands.init.host import TIMERS, Timer

if TYPE_CHECKING:
    from providers.host import HostFacts
    from reconciler.changes.new_repository import InitTarget
    from reconciler.changes.proposal import Proposal
    from reconciler.cli.output import Output
    from reconciler.context.settings import Settings
    from specs.scaffold.starter import Choices

_PRESETS = ("minimal", "local-canary", "general", "coding", "research", "hybrid")


@click.command(epilog="\b\nExample:\n  mosaic fleet init ~/fleet --preset local-canary --yes\n")
@click.argument("path", required=False)
@click.option("--preset", type=click.Choice(_PRESETS), help="Which fleet to begin with.")
@click.option("--name", metavar="NAME", help="The fleet's name. Default: that of the preset.")
@click.option("--agents", metavar="NAMES", help="Names for the preset's agents, in its order, with commas.")
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
@click.option("--linger/--no-linger", default=None, help="Let agents outlive your login, from now on.")
@click.option(
    "--timer", type=click.Choice(list(TIMERS)), help="Reconcile this host by itself from now on. Default: none."
)
@click.option("--overwrite", is_flag=True, help="Write new files over those that are there.")
@click.option("-m", "--message", metavar="TEXT", help="The commit's message.")
@click.option("--dry-run", is_flag=True, help="Show the files only.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: flags and defaults.")
@click.pass_obj
def init(
    output: Output,
    /,
    *,
    path: str | None,
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
    dry_run: bool,
    yes: bool,
) -> int:
    """Make a fleet in PATH (default: ~/fleet): its files, its git repository, the first commit.

    Asks on a terminal, each question with a default; elsewhere, or with --yes, the flags and defaults are taken. Where
    a fleet is already, only what you answer differently changes, and the rest stays as you wrote it.
    """
    from reconciler.changes.make_change import gather_here
    from reconciler.changes.new_repository import inspect_target
    from reconciler.commands.init.answers import Given, begin, change
    from reconciler.commands.init.ask import Asker
    from reconciler.commands.init.host import ask_host, on_host

    facts, settings = gather_here()
    asker = Asker(sys.stdin.isatty() and sys.stderr.isatty() and not yes)
    given = Given(
        preset=preset, name=name, agents=agents, runtimes=runtimes, socket=socket,
        working_directory=working_directory, mission=mission,
    )  # fmt: skip
    ground = inspect_target(path or asker.text("Where is the fleet to be?", _usual_place(facts, settings)))
    again = "roster.yaml" in ground.files and not overwrite
    answer = change if again else begin
    choices = answer(output, asker, given, ground, facts, settings)
    proposal = _propose(ground, choices, again=again, overwrite=overwrite)
    wishes = ask_host(asker, linger, timer, facts, settings)
    _show(output, ground, proposal)
    if not proposal.files:
        output.result(f"nothing to change in {ground.path}")
    elif dry_run:
        output.result("dry run: nothing was written")
        return 0
    elif not asker.yes("Write this, and commit it?", True):
        output.result("nothing was written")
        return 0
    else:
        _write(output, ground, proposal, message)
    return on_host(output, ground.path, wishes, facts, changed=bool(proposal.files))


def _usual_place(facts: HostFacts, settings: Settings) -> str:
    known = os.environ.get("MOSAIC_FLEET") or settings.source or ""
    return known if known and Path(known).expanduser().is_dir() else f"{facts.home}/fleet"


def _propose(ground: InitTarget, choices: Choices, *, again: bool, overwrite: bool) -> Proposal:
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
            f"{name} is there already, and stays as it is (--overwrite: anew)" for name in made if name in kept
        )
        return Edited(
            files={name: data for name, data in made.items() if name not in kept},
            message=f"Begin the fleet {choices.name}" if not files else "Begin the fleet anew",
            notes=notes,
        )

    return propose(ground.files, verb)


def _show(output: Output, ground: InitTarget, proposal: Proposal) -> None:
    """New files as they will be, others as a diff."""
    from reconciler.render.fleet_files.diff_text import diff_text
    from specs.values.problems import render_each

    for note in proposal.notes:
        output.progress(note)
    for text in render_each(proposal.warnings):
        output.progress(text + "\n")
    for name, data in proposal.files.items():
        if name in ground.files:
            output.result(diff_text(proposal.diff[name], paint=output.paint) + "\n")
        else:
            output.result(output.paint(f"{ground.path / name}:", "bold") + "\n" + data.decode())


def _write(output: Output, ground: InitTarget, proposal: Proposal, message: str | None) -> None:
    from reconciler.changes.new_repository import settle
    from specs.scaffold.starter import schema_files

    schemas = schema_files(proposal.files)
    files = {**proposal.files, **{path: text for path, text in schemas.items() if not (ground.path / path).exists()}}
    commit, branch = settle(ground, files, message or proposal.message)
    names = ", ".join(proposal.files)
    extra = " (and schemas/, for your editor)" if len(files) > len(proposal.files) else ""
    output.result(f"committed {commit[:12]} to {branch} in {ground.path}: {names}{extra}")
