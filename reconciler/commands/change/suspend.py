"""`mosaic fleet suspend` and `unsuspend`: leave one agent, or all, alone, with a reason and an end.

By a commit, so that every host does and nobody has to remember it; or on this host alone, at once, without git.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

import click

from reconciler.commands.change.common import change_options
from reconciler.commands.options import DurationParam

if TYPE_CHECKING:
    from reconciler.changes.make_change import ChangeTarget
    from reconciler.cli.output import Output
    from reconciler.commands.change.common import ChangeFlags
    from specs.compiled import Suspension

here_option = click.option("--here", "only_here", is_flag=True, help="On this host only, at once, without a commit.")


@click.command(epilog='\b\nExample:\n  mosaic fleet suspend coder0 --reason "pairing with it" --for 2h\n')
@click.argument("agent", required=False)
@click.option("--all", "everything", is_flag=True, help="The whole fleet.")
@click.option("--reason", required=True, metavar="TEXT", help="The reason, shown in every view.")
@click.option(
    "--for",
    "length",
    type=DurationParam(),
    metavar="DURATION",
    help="Until when, from now: 30m, 2h, 1d. Default: until it is lifted.",
)
@click.option("--until", "end", metavar="TIME", help="Until when, with a zone: 2030-01-31T09:00:00Z.")
@click.option("--by", metavar="NAME", help="Who; default: your user name.")
@here_option
@change_options
def suspend(
    output: Output,
    *,
    agent: str | None,
    everything: bool,
    reason: str,
    length: float | None,
    end: str | None,
    by: str | None,
    only_here: bool,
    asked: ChangeFlags,
) -> int:
    """Leave AGENT alone: it is not started, stopped, restarted or changed, and every view says why.

    Commits to fleet.yaml, so that it applies to every host. With --here, or where no repository is known, it applies to
    this host alone.
    """
    from reconciler.changes.edits import suspend as verb
    from reconciler.changes.make_change import gather_here
    from reconciler.commands.change.common import carry_out
    from reconciler.delivery.signing import who
    from reconciler.helpers.times import rfc3339

    name = _one(agent, everything)
    facts, _ = gather_here()
    until = _until(length, end, time.time())
    goal = _repository(output, asked, only_here=only_here)
    if goal is None:
        return _suspend_here(output, name, reason=reason, by=by or who(facts.user), until=until, asked=asked)
    ends = rfc3339(until) if until else None
    return carry_out(output, goal, verb(name, reason=reason, by=by or who(facts.user), until=ends), asked)


@click.command(epilog="\b\nExample:\n  mosaic fleet unsuspend coder0\n")
@click.argument("agent", required=False)
@click.option("--all", "everything", is_flag=True, help="Every suspension.")
@here_option
@change_options
def unsuspend(output: Output, *, agent: str | None, everything: bool, only_here: bool, asked: ChangeFlags) -> int:
    """Lift a suspension: the one made on this host and, by a commit, the one in fleet.yaml."""
    _one(agent, everything)
    return lift(output, agent, asked, only_here=only_here)


def lift(output: Output, agent: str | None, asked: ChangeFlags, *, only_here: bool = False) -> int:
    """Lift one, or all (None), and say what was lifted. Raises NotFound."""
    from reconciler.changes.edits import unsuspend as verb
    from reconciler.commands.change.common import carry_out
    from reconciler.errors import NotFound

    goal = _repository(output, asked, only_here=only_here)
    if goal is None:
        lifted = _lift_here(agent, asked)
        if asked.form != "text":
            _document(output, asked.fleet, asked.form, "lifted", lifted)
        else:
            output.result(_lifted_text(lifted) or "nothing was suspended on this host")
        return 0
    lifted = {}
    if not asked.dry_run:
        with suppress(NotFound):  # what is not suspended here may be in fleet.yaml
            lifted = _lift_here(agent, asked)
    if lifted:
        (output.result if asked.form == "text" else output.progress)(_lifted_text(lifted))
    try:
        return carry_out(output, goal, verb(agent), asked, idle="" if lifted else "nothing was suspended")
    except NotFound:
        if not lifted:
            raise
        if asked.form != "text":
            _document(output, asked.fleet, asked.form, "lifted", lifted)
        return 0


def _repository(output: Output, asked: ChangeFlags, *, only_here: bool) -> ChangeTarget | None:
    """Where a commit would go; None if it is to be, or can only be, on this host."""
    from reconciler.changes.make_change import gather_here, target
    from reconciler.errors import NotFound

    facts, settings = gather_here()
    goal = None
    if not only_here:
        try:
            goal = target(asked.fleet, settings, facts, os.environ)
        except NotFound as error:
            output.progress(error.message)
    of_git = (asked.no_commit, asked.push, asked.dry_run, asked.message)
    if goal is None and any(of_git):
        raise click.UsageError(
            "there is no commit on this host alone: name the repository with --fleet, or leave out"
            " --no-commit, --push, --dry-run and --message"
        )
    if goal is None and not only_here:
        output.progress("no repository is known for this fleet, so this is about this host only")
    return goal


def _suspend_here(output: Output, name: str, *, reason: str, by: str, until: float | None, asked: ChangeFlags) -> int:
    from reconciler.context.fleet import fleet_context, require_known_agent
    from reconciler.helpers.times import spell_duration
    from reconciler.state.pause import EVERYTHING
    from reconciler.state.pause import suspend as put_down
    from reconciler.state.trigger import request_look

    place = fleet_context(asked.fleet)
    if name != EVERYTHING:
        require_known_agent(name, place.store)
    made = put_down(place.store, name, reason=reason, by=by, until=until, now=time.time())
    request_look(place.store)
    if asked.form != "text":
        _document(output, asked.fleet, asked.form, "made", {name: made})
        return 0
    end = (
        f"for {spell_duration(round(until - time.time()))}"
        if until
        else f"until `mosaic fleet unsuspend {'--all' if name == EVERYTHING else name}`"
    )
    output.result(f"suspended {_whom(name)} by {made.by}, {end}: {made.reason}")
    return 0


def _lift_here(agent: str | None, asked: ChangeFlags) -> dict[str, Suspension]:
    from reconciler.context.fleet import fleet_context, require_known_agent
    from reconciler.errors import NotFound
    from reconciler.state.pause import unsuspend as take_up
    from reconciler.state.trigger import request_look

    place = fleet_context(asked.fleet)
    try:
        lifted = take_up(place.store, agent, now=time.time())
    except NotFound:
        if agent is not None:
            require_known_agent(agent, place.store)
        raise
    request_look(place.store)
    return lifted


def _lifted_text(lifted: dict[str, Suspension]) -> str:
    rows = [f"lifted the suspension of {_whom(name)} by {one.by}: {one.reason}" for name, one in sorted(lifted.items())]
    return "\n".join(rows)


def _document(
    output: Output,
    fleet: str | None,
    form: Literal["json", "yaml"],
    what: Literal["made", "lifted"],
    suspensions: dict[str, Suspension],
) -> None:
    from reconciler.context.fleet import fleet_context, heading
    from reconciler.helpers.times import rfc3339

    rows = [
        {"agent": name, "reason": one.reason, "by": one.by, "until": rfc3339(one.until) if one.until else None}
        for name, one in sorted(suspensions.items())
    ]
    both = {"made": [], "lifted": [], what: rows}
    output.document({**heading("Suspensions", fleet_context(fleet, read_only=True)), **both}, form)


def _whom(name: str) -> str:
    from reconciler.state.pause import EVERYTHING

    return "the whole fleet" if name == EVERYTHING else name


def _until(length: float | None, end: str | None, now: float) -> float | None:
    from specs.values.durations import parse_moment

    if length is not None and end is not None:
        raise click.UsageError("give either --for or --until")
    if end is None:
        return now + length if length is not None else None
    try:
        moment = parse_moment(end)
    except ValueError as error:
        raise click.UsageError(f"--until {error}") from None
    if moment <= now:
        raise click.UsageError(f"--until {end} is over")
    return moment


def _one(agent: str | None, everything: bool) -> str:
    from reconciler.state.pause import EVERYTHING

    if (agent is None) == (not everything):
        raise click.UsageError("give either an agent or --all")
    return EVERYTHING if agent is None else agent
