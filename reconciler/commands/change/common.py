"""What the commands that change the fleet share: their options, the way from an edit to a commit, and their output."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Collection, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from reconciler.commands.options import ClickCommand, output_option, repository_option
from specs.dataclass import dataclass, fields

if TYPE_CHECKING:
    from providers.base import Json
    from reconciler.agents.forcing import Force, ForcedWhat
    from reconciler.changes.make_change import ChangeOptions, ChangeResult, ChangeTarget
    from reconciler.changes.proposal import EditVerb, Proposal
    from reconciler.cli.output import Format, Output
    from reconciler.git.worktree import WorkTree

Forcing = tuple["ForcedWhat", Sequence[str]]

_OPTIONS = (
    click.option(
        "-m", "--message", metavar="TEXT", help="The commit's message. Default: what changes, for which agents."
    ),
    click.option("--no-commit", is_flag=True, help="Edit the files, but do not commit them."),
    click.option("--push", is_flag=True, help="Also push the commit."),
    click.option("--dry-run", is_flag=True, help="Show the diff; change nothing."),
    click.option("--no-sync", is_flag=True, help="Do not reconcile the new commit at once."),
    output_option,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFlags:
    """What the options of a change say."""

    fleet: str | None
    message: str | None
    no_commit: bool
    push: bool
    dry_run: bool
    no_sync: bool
    form: Format


def change_options(
    command: ClickCommand, *, fleet: Callable[[ClickCommand], ClickCommand] = repository_option
) -> ClickCommand:
    """The options of every command that commits. It is called with the Output, its own words, and `asked`. `fleet`: how
    the fleet is named."""

    @click.pass_obj
    @wraps(command)
    def collect(output: Output, /, **words: Any) -> int:  # noqa: ANN401 - as click calls it
        asked = ChangeFlags(**{field.name: words.pop(field.name) for field in fields(ChangeFlags)})
        return command(output, asked=asked, **words)

    made: ClickCommand = collect
    for option in reversed(_OPTIONS):
        made = option(made)
    return fleet(made)


force_option = click.option(
    "--force", is_flag=True, help="On this host, do not wait until the agent is idle: its conversation ends."
)


def change(
    output: Output, verb: EditVerb, asked: ChangeFlags, *, also: Sequence[str] = (), force: Forcing | None = None
) -> int:
    """From the options to the exit code; `also` as `make_change.make` has it; `force`: what is done at once, to whom,
    whatever they do. Raises MosaicError."""
    goal = goal_of(asked)
    return carry_out(output, goal, verb, asked, also=also, force=opened(goal, asked, force) if force else None)


def goal_of(asked: ChangeFlags) -> ChangeTarget:
    """The repository that is meant. Raises MosaicError."""
    from reconciler.changes.make_change import gather_here, target
    from reconciler.context.which_fleet import NOBODY
    from reconciler.errors import Usage

    facts, settings = gather_here()
    goal = target(asked.fleet, settings, facts, os.environ)
    if goal is None:
        raise Usage("no fleet was named", help=NOBODY)
    return goal


def opened(goal: ChangeTarget, asked: ChangeFlags, force: Forcing) -> Force:
    """What --force is about to let through. Raises MosaicError."""
    from reconciler.agents.forcing import open_force, place_of

    if asked.no_commit:
        raise click.UsageError("--force lets a commit through at once: it does not go with --no-commit")
    return open_force(place_of(goal.fleet, goal.spec), *force)


def options_of(asked: ChangeFlags) -> ChangeOptions:
    """Raises click.UsageError for what contradicts itself."""
    from reconciler.changes.make_change import ChangeOptions

    if asked.no_commit and (asked.push or asked.message):
        raise click.UsageError("--no-commit makes no commit: it goes with neither --push nor --message")
    if asked.message is not None and not asked.message.strip():
        raise click.UsageError("an empty --message is none")
    return ChangeOptions(message=asked.message, commit=not asked.no_commit, push=asked.push, dry_run=asked.dry_run)


def carry_out(
    output: Output,
    goal: ChangeTarget,
    verb: EditVerb,
    asked: ChangeFlags,
    *,
    idle: str = "",
    also: Sequence[str] = (),
    force: Force | None = None,
) -> int:
    """Make the change and tell it; `idle` is what is said if there is nothing to change. Raises MosaicError."""
    from reconciler.agents.forcing import record
    from reconciler.changes.make_change import gather_here, make

    options = options_of(asked)
    _, settings = gather_here()

    def show_first(proposal: Proposal, tree: WorkTree) -> None:
        show(output, proposal, asked, others=tree.dirty - proposal.files.keys())
        for line in force.losses_text() if force is not None else ():
            output.progress(line)
        for line in force.besides if force is not None else ():
            output.warning(line)

    made = make(goal, verb, options, settings, show_first, also=also)
    if force is not None and not asked.dry_run:
        record(force, made.proposal.files.get("roster.yaml"))
    return finish(output, goal, made, asked, idle=idle, force=force)


def show(output: Output, proposal: Proposal, asked: ChangeFlags, *, others: Collection[str] = ()) -> None:
    """What would be changed, before it is. `others` are edits beside it that nobody has committed."""
    from specs.values.problems import render_each

    for text in render_each(proposal.warnings):
        output.progress(text + "\n")
    for note in proposal.notes:
        output.progress(note)
    for caution in proposal.cautions:
        output.warning(caution)
    if others:
        listed = ", ".join(sorted(others))
        output.warning(f"edits that are not committed stay as they are, and are not in force: {listed}")
    if asked.form == "text" and proposal.files:
        from reconciler.render.fleet_files.diff_text import diff_text

        for one in proposal.diff.values():
            output.result(diff_text(one, paint=output.paint))


def finish(
    output: Output,
    goal: ChangeTarget,
    made: ChangeResult,
    asked: ChangeFlags,
    *,
    idle: str = "",
    uncommitted: str = "",
    force: Force | None = None,
) -> int:
    """What was made of it, the look that follows a commit, and the exit code. `uncommitted` is what comes next after
    --no-commit. Raises MosaicError."""
    text = asked.form == "text"
    if text:
        output.result(_outcome(made, asked, idle))
    due = made.commit or (force is not None and force.living and not asked.dry_run)
    sync = bool(due) and not asked.no_sync
    code, document = _sync(output, goal, asked.form) if sync else (0, {})
    if text and made.written and not sync:
        output.progress(f"next: {uncommitted if uncommitted and not made.commit else _next(made, goal)}")
    if asked.form != "text":
        output.document(change_document(goal, made, asked, document, force), asked.form)
    return code


def _outcome(made: ChangeResult, asked: ChangeFlags, idle: str) -> str:
    if not made.proposal.files:
        return idle or "nothing to change"
    names = ", ".join(made.proposal.files)
    if asked.dry_run:
        return f"dry run: {names} would change, and nothing was written"
    if not made.commit:
        return f"wrote {names} in {made.where}; not committed, so not in force"
    said = (asked.message or made.proposal.message).splitlines()[0]
    pushed = f"; pushed to {made.pushed}" if made.pushed else ""
    return f"committed {made.commit[:12]} to {made.branch} in {made.where}: {said}{pushed}"


def _next(made: ChangeResult, goal: ChangeTarget) -> str:
    if not made.commit:
        names, where = " ".join(made.proposal.files), shlex.quote(made.where)
        return f"git -C {where} add {names} && git -C {where} commit -- {names}"  # some of them may be new to git
    return "mosaic fleet sync" if goal.fleet else f"reconcile {goal.spec}"


def _sync(output: Output, goal: ChangeTarget, form: Format) -> tuple[int, dict[str, Json]]:
    """Whoever reconciles here looks now; on a host that has never run this fleet nothing is begun by itself."""
    from providers.machine.facts import gather
    from reconciler.commands.run_output import print_run, run_document
    from reconciler.errors import Locked
    from reconciler.loop.result import RunOptions
    from reconciler.run.run import run
    from reconciler.state.store import Store
    from reconciler.state.trigger import request_look

    if goal.fleet is None:
        if form == "text":
            output.progress(f"this host has not run this fleet yet; next: reconcile {goal.spec}")
        return 0, {"asked": False, "report": None}
    if request_look(Store.open(gather(os.environ), goal.fleet, read_only=True)):
        if form == "text":
            output.result("asked the resident reconciler to look now; `mosaic fleet status` shows what it finds")
        return 0, {"asked": True, "report": None}
    try:
        with output.activity() as doing:
            result = run(RunOptions(fleet=goal.spec, trigger="sync"), doing=doing)
    except Locked:
        output.progress("another run is under way; it, or the next one, takes the commit up")
        return 0, {"asked": False, "report": None}
    if form == "text":
        print_run(result, output, short=True)
        return result.exit_code, {}
    return result.exit_code, {"asked": False, "report": run_document(result)}


def change_document(
    goal: ChangeTarget, made: ChangeResult, asked: ChangeFlags, sync: dict[str, Json], force: Force | None
) -> dict[str, Json]:
    """The document of kind `Change`."""
    from reconciler.changes.make_change import gather_here
    from reconciler.status.document import API_VERSION
    from specs.values.secrets import mask_line

    facts, settings = gather_here()
    diff = {name: "\n".join(mask_line(row) for row in one.split("\n")) for name, one in made.proposal.diff.items()}
    return {
        "apiVersion": API_VERSION,
        "kind": "Change",
        "fleet": goal.fleet or "",
        "tenant_id": facts.user,
        "host": settings.host or facts.hostname,
        "repository": made.where,
        "branch": made.branch,
        "dry_run": asked.dry_run,
        "message": (asked.message or made.proposal.message) if made.proposal.files else "",
        "files": [{"path": name, "diff": one} for name, one in diff.items()],
        "notes": [*made.proposal.notes, *made.proposal.cautions],
        "commit": made.commit or None,
        "pushed": made.pushed or None,
        "written": made.written,
        "forced": force.document() if force is not None else [],
        "sync": sync or None,
    }
