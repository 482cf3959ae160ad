"""May end: whether an agent may be ended now, by what it is doing and by who asks. One table, which the plan, every
command and every list read. Pure.

What ends an agent ends its conversation. Nobody but a person who says `--force` ends one that works, or that a person
is in the middle of an answer to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from reconciler.model import Readiness
from reconciler.observe.readiness import BETWEEN_TURNS

if TYPE_CHECKING:
    from reconciler.model import AgentView


class Doing(StrEnum):
    """What an agent is doing, as far as its end goes: the rows of the table."""

    GONE = "gone"  # no process lives in its pane: there is nothing to end
    AVAILABLE = "available"
    STUCK = "stuck"  # its program says that it cannot go on
    HUNG = "hung"  # its program speaks for itself, is silent, and so is its pane
    STALE = "stale"  # whoever answers for it is silent
    UNKNOWN = "unknown"  # it lives, and nothing tells what it does
    BETWEEN_TURNS = "between turns"  # it asks a person before it takes anything up: for trust, a login, a choice
    IN_A_TURN = "in a turn"  # a person is asked about what it does, or writes to it
    WORKING = "working"
    UNSEEN = "unseen"  # its pane could not be looked at
    FOREIGN = "foreign"  # what stands in its place is not this fleet's


class Who(StrEnum):
    """Who asks: the columns."""

    DRIFT = "drift"  # the host differs from git, or it is to be healed
    COMMIT = "commit"  # a changed declaration, `fleet restart`, `fleet stop`, `fleet remove`: all of them are commits
    RELAUNCH = "relaunch"  # `mosaic update --relaunch`
    RESET = "reset"  # `mosaic agent reset`, and the reset for a new mission: by its program's own command
    RESTART = "restart"  # `mosaic agent reset --restart`
    FORCE = "force"  # a person who says --force


EndAnswer = Literal["yes", "quiet", "no"]
YES: EndAnswer = "yes"
QUIET: EndAnswer = "quiet"  # once it shows no sign of work: see `AgentView.quiet`
NO: EndAnswer = "no"

TABLE: Mapping[Doing, Mapping[Who, EndAnswer]] = {
    doing: dict(zip(Who, answers, strict=True))
    for doing, answers in {
        #                    drift  commit relaunch reset restart force
        Doing.GONE:          (YES,   YES,   YES,   YES,   YES,   YES),
        Doing.AVAILABLE:     (YES,   YES,   YES,   YES,   YES,   YES),
        Doing.STUCK:         (YES,   YES,   YES,   YES,   YES,   YES),
        Doing.HUNG:          (YES,   YES,   YES,   YES,   YES,   YES),
        Doing.STALE:         (QUIET, QUIET, QUIET, QUIET, QUIET, YES),
        Doing.UNKNOWN:       (QUIET, QUIET, QUIET, QUIET, QUIET, YES),
        Doing.BETWEEN_TURNS: (QUIET, QUIET, QUIET, QUIET, QUIET, YES),
        Doing.IN_A_TURN:     (NO,    NO,    NO,    NO,    NO,    YES),
        Doing.WORKING:       (NO,    NO,    NO,    NO,    NO,    YES),
        Doing.UNSEEN:        (NO,    NO,    NO,    NO,    NO,    YES),
        Doing.FOREIGN:       (NO,    NO,    NO,    NO,    NO,    NO),
    }.items()
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ending:
    """`allowed`: None where nothing tells, which is no. `why`: the reason against it, as a sentence without its full
    stop; "" where it is allowed."""

    allowed: bool | None
    why: str = ""


def doing(view: AgentView) -> Doing:
    """The row of an agent."""
    if view.session == "unknown":
        return Doing.UNSEEN
    if view.session == "foreign":
        return Doing.FOREIGN
    if view.session in ("dead", "missing"):
        return Doing.GONE
    if view.hung:
        return Doing.HUNG
    if view.readiness is Readiness.WAITING:
        return Doing.BETWEEN_TURNS if view.waiting in BETWEEN_TURNS and not view.busy else Doing.IN_A_TURN
    if view.busy or view.readiness is Readiness.WORKING:
        return Doing.WORKING
    rows = {
        Readiness.AVAILABLE: Doing.AVAILABLE,
        Readiness.STUCK: Doing.STUCK,
        Readiness.STALE: Doing.STALE,
    }
    return rows.get(view.readiness, Doing.UNKNOWN)


def may_end(view: AgentView, who: Who) -> Ending:
    """Whether an agent may be ended now, for whoever asks."""
    row = doing(view)
    answer = TABLE[row][who]
    if answer == YES or (answer == QUIET and view.quiet):
        return Ending(True)
    unknown = row is Doing.UNSEEN or row is Doing.FOREIGN or (answer == QUIET and view.quiet is None)
    return Ending(None if unknown else False, _why(view, row))


def _why(view: AgentView, row: Doing) -> str:
    if row is Doing.UNSEEN:
        return "it could not be seen"
    if row is Doing.FOREIGN:
        return "its session is not this fleet's"
    if row is Doing.WORKING:
        said = view.readiness_why if view.readiness is Readiness.WORKING else "its program says busy"
        return f"it works: {said}" if said else "it works"
    if row is Doing.IN_A_TURN:
        return f"it waits for a person ({view.waiting})"
    what = f"it waits for a person ({view.waiting})" if row is Doing.BETWEEN_TURNS else view.readiness_why
    rest = "whether it is idle is not known" if view.quiet is None else "it was active a moment ago"
    return f"{what}, and {rest}" if what else rest
