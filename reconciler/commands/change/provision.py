"""`mosaic fleet provision`: the agents that a system type implies, by a commit."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.commands.change.common import change_options
from reconciler.commands.options import repository_argument, yes_option

if TYPE_CHECKING:
    from reconciler.changes.make_change import ChangeResult, ChangeTarget
    from reconciler.changes.new_repository import InitTarget
    from reconciler.changes.proposal import EditVerb, Proposal
    from reconciler.cli.output import Output
    from reconciler.commands.change.common import ChangeFlags


@click.command(epilog="\b\nExample:\n  mosaic fleet provision --type research --runtime researcher=pi ~/fleet\n")
@click.option("--type", "wanted", metavar="TYPE", help="The system type. Default: the one that fleet.yaml names.")
@click.option(
    "--runtime",
    "runtimes",
    multiple=True,
    metavar="CLASS=NAME",
    help="The program for new agents of a class; may be given several times.",
)
@click.option(
    "--default-runtime",
    metavar="NAME",
    default="claude",
    show_default=True,
    help="The program for all other new agents.",
)
@click.option("--name", metavar="NAME", help="The name of a new fleet. Default: the type's name.")
@click.option("--mission", metavar="TEXT", help="What a new fleet is for. Default: what the type is for.")
@yes_option
@partial(change_options, fleet=repository_argument)
def provision(
    output: Output,
    *,
    wanted: str | None,
    runtimes: tuple[str, ...],
    default_runtime: str,
    name: str | None,
    mission: str | None,
    yes: bool,
    asked: ChangeFlags,
) -> int:
    """Fill every seat of a system type: add the missing agents to roster.yaml, name the type in fleet.yaml,
    and begin NORTH_STAR.yaml if there is none.

    Existing agents keep all their keys, and none is removed: run it again when the type has grown. In a folder
    without a fleet it makes a new one, and asks first on a terminal. `mosaic fleet org` shows who reports to
    whom.
    """
    from reconciler.changes.make_change import gather_here, target
    from reconciler.changes.provision import verb
    from reconciler.commands.change.common import carry_out
    from reconciler.errors import Usage
    from specs.organisation.provision import Wanted

    choice = Wanted(runtimes=_by_class(runtimes), default_runtime=default_runtime, name=name, mission=mission)
    facts, settings = gather_here()
    goal = target(asked.fleet, settings, facts, os.environ)
    if goal is None:
        raise Usage("no fleet was named", help="name it, also one that begins; or go to its folder")
    path = goal.place.path
    if path is not None and not os.path.lexists(path / "roster.yaml") and not _bare(path):
        return _begin(output, goal, path, verb(wanted, choice), asked, ask=not yes)
    return carry_out(output, goal, verb(wanted, choice), asked, idle="nothing to change: every seat is filled")


def _by_class(runtimes: tuple[str, ...]) -> dict[str, str]:
    """Raises click.UsageError."""
    found: dict[str, str] = {}
    for one in runtimes:
        agent_class, equals, runtime = one.partition("=")
        if not (agent_class and equals and runtime):
            raise click.UsageError(f"--runtime {one}: write CLASS=NAME; --default-runtime NAME is for all others")
        if found.setdefault(agent_class, runtime) != runtime:
            raise click.UsageError(f"--runtime: {agent_class} is given twice")
    return found


def _bare(path: Path) -> bool:
    from reconciler.git.refs import find_repo

    repo = find_repo(path) if path.is_dir() else None
    return repo is not None and repo.worktree is None


def _begin(output: Output, goal: ChangeTarget, path: Path, verb: EditVerb, asked: ChangeFlags, *, ask: bool) -> int:
    """A fleet where there is none yet: a folder that may not be there, or a repository without a roster."""
    from reconciler.changes.new_repository import inspect_target
    from reconciler.changes.proposal import propose
    from reconciler.changes.working_copy import read_folder
    from reconciler.commands.change.common import finish, options_of, show
    from reconciler.errors import Usage

    options = options_of(asked)
    target = inspect_target(str(path))
    if options.push and target.kind != "repository":
        raise Usage(f"{path} is no repository yet, so there is nowhere to push to", help="push it afterwards")
    files = read_folder(target.path) if target.kind != "nothing" else {}
    proposal = propose(files, verb)
    show(output, proposal, asked)
    loose = sorted(_loose(target, files.keys() - proposal.files.keys()))
    if loose:
        output.warning(f"not committed, and no host knows of it before it is: {', '.join(loose)}")
    if ask and not asked.dry_run and asked.form == "text" and not _agreed(asked):
        output.result("nothing was written")
        return 0
    begin = "" if target.kind == "repository" else f"git -C {path} init; "
    following = f"{begin}git -C {path} add {' '.join(proposal.files)}, and commit them"
    return finish(output, goal, _make(target, proposal, options.message, asked), asked, uncommitted=following)


def _agreed(asked: ChangeFlags) -> bool:
    """Whether a person wants what is shown; where nobody can be asked, the command line was plain enough."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return click.confirm("Write this?" if asked.no_commit else "Write this, and commit it?", default=True, err=True)


def _loose(target: InitTarget, names: set[str]) -> set[str]:
    """Files of the fleet that git has not heard of, beside those that are written now."""
    from reconciler.git.worktree import tracked_of

    if not names or target.kind != "repository":
        return names
    return names - tracked_of(target.path, {name: name for name in names})


def _make(target: InitTarget, proposal: Proposal, message: str | None, asked: ChangeFlags) -> ChangeResult:
    from reconciler.changes.commit import push
    from reconciler.changes.make_change import ChangeResult
    from reconciler.changes.new_repository import create_repository, write_fleet_files
    from reconciler.git.refs import find_repo
    from reconciler.git.worktree import open_worktree
    from specs.scaffold.starter import schema_files

    where = str(target.path)
    if asked.dry_run:
        return ChangeResult(proposal=proposal, where=where, branch="")
    schemas = schema_files(proposal.files)
    files = {**proposal.files, **{path: text for path, text in schemas.items() if not (target.path / path).exists()}}
    if asked.no_commit:
        write_fleet_files(target, files)
        return ChangeResult(proposal=proposal, where=where, branch="", written=True)
    commit, branch = create_repository(target, files, message or proposal.message)
    repo = find_repo(target.path)
    pushed = push(open_worktree(repo, ref=None)) if asked.push and repo is not None else ""
    return ChangeResult(proposal=proposal, where=where, branch=branch, commit=commit, pushed=pushed, written=True)
