"""Whether an agent may be ended now, by what it is doing and by who asks. One table, which the plan, every command and
every list read. Pure.

What ends an agent ends its conversation. Nobody but a person who says `--force` ends one that works, or that a person
is in the middle of an answer to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
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
    return first_match(DOINGS, view).then


def may_end(view: AgentView, who: Who) -> Ending:
    """Whether an agent may be ended now, for the caller that asks."""
    row = doing(view)
    answer = TABLE[row][who]
    if answer == YES or (answer == QUIET and view.quiet):
        return Ending(True)
    unknown = row is Doing.UNSEEN or row is Doing.FOREIGN or (answer == QUIET and view.quiet is None)
    return Ending(None if unknown else False, OBJECTION[row](view))


def _waits(view: AgentView) -> bool:
    return view.readiness is Readiness.WAITING


# The row of an agent in the table above.
DOINGS: tuple[DecisionRow[AgentView, Doing], ...] = (
    DecisionRow("unseen", lambda view: view.session == "unknown", Doing.UNSEEN,
        "its pane could not be looked at"),
    DecisionRow("foreign", lambda view: view.session == "foreign", Doing.FOREIGN,
        "what stands in its place is not this fleet's"),
    DecisionRow("gone", lambda view: view.session in ("dead", "missing"), Doing.GONE,
        "no process of it lives"),
    DecisionRow("hung", lambda view: view.hung, Doing.HUNG,
        "its program speaks for itself, is silent, and so is its pane"),
    DecisionRow("asks before a turn", lambda view: _waits(view) and view.waiting in BETWEEN_TURNS and not view.busy,
        Doing.BETWEEN_TURNS, "nothing of a turn is lost with the question"),
    DecisionRow("asks within a turn", _waits, Doing.IN_A_TURN,
        "a person is asked about what it does, or writes to it"),
    DecisionRow("says busy", lambda view: view.busy, Doing.WORKING,
        "somebody says so, also of one that is silent since"),
    DecisionRow("works", lambda view: view.readiness is Readiness.WORKING, Doing.WORKING,
        "it shows that it does, or did a moment ago"),
    DecisionRow("available", lambda view: view.readiness is Readiness.AVAILABLE, Doing.AVAILABLE,
        "its program has said so, or it has been quiet for long"),
    DecisionRow("stuck", lambda view: view.readiness is Readiness.STUCK, Doing.STUCK,
        "its program says that it cannot go on"),
    DecisionRow("stale", lambda view: view.readiness is Readiness.STALE, Doing.STALE,
        "whoever answers for it is silent"),
    DecisionRow("unknown", otherwise, Doing.UNKNOWN,
        "it lives, and nothing tells what it does"),
)  # fmt: skip


def _works(view: AgentView) -> str:
    said = view.readiness_why if view.readiness is Readiness.WORKING else "its program says busy"
    return f"it works: {said}" if said else "it works"


def _asks(view: AgentView) -> str:
    return f"it waits for a person ({view.waiting})"


def _asks_and(view: AgentView) -> str:
    return f"{_asks(view)}, and {_rest(view)}"


def _why_and(view: AgentView) -> str:
    return f"{view.readiness_why}, and {_rest(view)}" if view.readiness_why else _rest(view)


def _rest(view: AgentView) -> str:
    return "whether it is idle is not known" if view.quiet is None else "it was active a moment ago"


# What is said where the table does not allow it.
OBJECTION: Mapping[Doing, Callable[[AgentView], str]] = {
    **dict.fromkeys(Doing, _why_and),
    Doing.UNSEEN: lambda _: "it could not be seen",
    Doing.FOREIGN: lambda _: "its session is not this fleet's",
    Doing.WORKING: _works,
    Doing.IN_A_TURN: _asks,
    Doing.BETWEEN_TURNS: _asks_and,
}
