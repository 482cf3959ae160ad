"""Change the fleet: find its repository, show what the change would do, commit it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from providers.host import HostFacts
from reconciler.changes.commit import commit_files, must_have_identity, push, push_back, write_files
from reconciler.changes.proposal import EditVerb, Proposal, propose
from reconciler.context.settings import Settings
from reconciler.errors import Refused, Usage
from reconciler.git.location import RepositoryLocation, parse_place
from reconciler.git.worktree import WorkTree, edit_lock, open_worktree
from specs.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTarget:
    """The repository that a change goes to. `ref` is what this host reconciles of it, None if it does not say; `fleet`
    is its name on this host, None if it has not run here."""

    spec: str
    place: RepositoryLocation
    ref: str | None
    fleet: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOptions:
    """What the command line asks for, beside the change. `message` None: the verb's own."""

    message: str | None = None
    commit: bool = True
    push: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeResult:
    """What was made of it. `commit` is empty if none was; `pushed` names where to, `where` the repository."""

    proposal: Proposal
    where: str
    branch: str
    commit: str = ""
    pushed: str = ""
    written: bool = False


def target(
    fleet: str | None, settings: Settings, facts: HostFacts, environ: Mapping[str, str], *, files: bool = False
) -> ChangeTarget | None:
    """The repository at hand, as `which_fleet` finds it (`files` as there); None if nobody named one.

    Raises NotFound if only the fleet's name is known here, Usage and Refused as `parse_place`.
    """
    from reconciler.context.which_fleet import which_fleet

    found = which_fleet(fleet, settings, facts, environ, files=files)
    if found is None:
        return None
    spec = found.must_have_repository()
    place = parse_place(spec)
    own = parse_place(settings.source) if settings.source else None
    ref = settings.ref if own is not None and own.key == place.key else None
    return ChangeTarget(spec=spec, place=place, ref=ref, fleet=found.name)


def make(
    goal: ChangeTarget,
    verb: EditVerb,
    options: ChangeOptions,
    settings: Settings,
    show: Callable[[Proposal, WorkTree], None],
    *,
    also: Sequence[str] = (),
) -> ChangeResult:
    """Propose, show, and unless it is a dry run write and commit. `also`: paths that the verb looks at or writes beside
    the files that a fleet is made of. Raises MosaicError; then nothing has changed, but for a push that failed after
    its commit."""
    with _tree(goal, options, settings, also) as (tree, temporary):
        files = dict(tree.files)
        if options.commit:
            # What will be committed is the files of HEAD with the edited ones in their place.
            files |= {name: tree.committed[name] for name in tree.dirty if name in tree.committed}
            files = {name: data for name, data in files.items() if name not in tree.dirty or name in tree.committed}
            if "roster.yaml" not in files:
                raise Refused(
                    f"roster.yaml in {tree.root} was never committed",
                    help=f"git -C {tree.root} add roster.yaml, and commit it; --no-commit edits it as it is",
                )
        proposal = propose(files, verb)
        where = goal.place.shown if temporary else str(tree.root)
        made = ChangeResult(proposal=proposal, where=where, branch=tree.branch)
        if options.commit:
            _nothing_of_theirs(tree, proposal)
        show(proposal, tree)
        if options.dry_run or not proposal.files:
            return made
        if not options.commit:
            write_files(tree, proposal.files)
            return ChangeResult(proposal=proposal, where=where, branch=tree.branch, written=True)
        must_have_identity(tree.root)
        commit = commit_files(tree, proposal.files, options.message or proposal.message)
        pushed = ""
        if temporary:
            push_back(tree, where)
            pushed = where
        elif options.push:
            pushed = push(tree)
        return ChangeResult(
            proposal=proposal, where=where, branch=tree.branch, commit=commit, pushed=pushed, written=True
        )


@contextmanager
def _tree(
    goal: ChangeTarget, options: ChangeOptions, settings: Settings, also: Sequence[str]
) -> Iterator[tuple[WorkTree, bool]]:
    """The working tree, locked; or a private clone of what has none (True)."""
    repo = goal.place.repo()
    if repo is not None and repo.worktree is not None:
        with edit_lock(repo.git_dir):
            yield open_worktree(repo, ref=goal.ref, also=also), False
        return
    if not options.commit:
        raise Usage(f"--no-commit needs a working tree, and {goal.place.shown} has none", help="use a clone of yours")
    from reconciler.git.temporary_clone import temporary_clone_of

    with temporary_clone_of(goal.place, goal.ref, timeout_s=settings.fetch_timeout) as copy:
        yield open_worktree(copy, ref=None, also=also), True


def _nothing_of_theirs(tree: WorkTree, proposal: Proposal) -> None:
    """Raises Refused if a file that is to be committed has edits of somebody else in it."""
    mixed = sorted(tree.dirty & proposal.files.keys())
    if mixed:
        paths = " ".join(tree.paths[name] for name in mixed)
        quiet = " ".join(tree.paths[name] for name in mixed if name in tree.hidden)
        if quiet:
            raise Refused(
                f"there are edits in {' and '.join(mixed)} that are not committed and that git was told not to show, "
                f"and they would go into this commit ({tree.root})",
                help=f"show them (git -C {tree.root} update-index --no-assume-unchanged --no-skip-worktree {quiet}; "
                f"git -C {tree.root} diff HEAD), then commit them or discard them",
            )
        raise Refused(
            f"there are edits in {' and '.join(mixed)} that are not committed, and they would go into this commit "
            f"({tree.root})",
            help=f"look at them (git -C {tree.root} diff HEAD -- {paths}), then commit them or discard them; "
            "--no-commit edits on top of them",
        )


def gather_here() -> tuple[HostFacts, Settings]:
    """This host and its settings. Raises InvalidConfig."""
    from providers.machine.facts import gather
    from reconciler.context.settings import read_settings, settings_path

    facts = gather(os.environ)
    return facts, read_settings(settings_path(facts.config_home))
