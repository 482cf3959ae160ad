"""Decide whether an agent may be ended now, by what it is doing and who asks. The plan, every command and every list
read this one table. Pure.

To end an agent is to end its conversation. Only a person's --force ends an agent that works, or that a person is in the
middle of answering.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.model import Readiness
from reconciler.observe.readiness import BETWEEN_TURNS
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from reconciler.model import AgentView


class Doing(StrEnum):
    """What an agent is doing, if that matters to its end: the rows of the table."""

    GONE = "gone"  # no process lives in its pane, so there is nothing to end
    AVAILABLE = "available"
    STUCK = "stuck"  # its program reports that it cannot go on
    HUNG = "hung"  # its program usually reports for itself; both it and its pane are silent
    STALE = "stale"  # the responder that answers for it is silent
    UNKNOWN = "unknown"  # it lives, and there is no evidence of what it does
    BETWEEN_TURNS = "between turns"  # a dialog asks a person before the next turn: for trust, a login, a choice
    IN_A_TURN = "in a turn"  # a dialog asks a person about the turn, or a person is typing
    QUEUED = "queued"  # messages that it has yet to take up would be lost with it
    WORKING = "working"
    UNSEEN = "unseen"  # its pane could not be looked at
    FOREIGN = "foreign"  # something that is not this fleet's has its place


class Who(StrEnum):
    """Who asks: the columns of the table."""

    DRIFT = "drift"  # the host differs from git, or the agent is to be healed
    COMMIT = "commit"  # a changed declaration, `fleet restart`, `fleet stop`, `fleet remove`: all of these are commits
    RELAUNCH = "relaunch"  # `mosaic update --relaunch`
    RESET = "reset"  # `mosaic agent reset`, and the reset for a new mission, by the program's own command
    RESTART = "restart"  # `mosaic agent reset --restart`
    FORCE = "force"  # a person who says --force


EndAnswer = Literal["yes", "quiet", "no"]
YES: EndAnswer = "yes"
QUIET: EndAnswer = "quiet"  # only if it shows no sign of work: see `AgentView.quiet`
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
        Doing.QUEUED:        (NO,    NO,    NO,    NO,    NO,    YES),
        Doing.WORKING:       (NO,    NO,    NO,    NO,    NO,    YES),
        Doing.UNSEEN:        (NO,    NO,    NO,    NO,    NO,    YES),
        Doing.FOREIGN:       (NO,    NO,    NO,    NO,    NO,    NO),
    }.items()
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ending:
    """`allowed`: None without evidence, which counts as no. `why`: the reason against it, as a sentence without its
    full stop; "" if allowed."""

    allowed: bool | None
    why: str = ""


def doing(view: AgentView) -> Doing:
    """The table's row for an agent."""
    return first_match(DOINGS, view).then


def may_end(view: AgentView, who: Who) -> Ending:
    """Whether the caller may end an agent now."""
    row = doing(view)
    answer = TABLE[row][who]
    if answer == YES or (answer == QUIET and view.quiet):
        return Ending(True)
    unknown = row is Doing.UNSEEN or row is Doing.FOREIGN or (answer == QUIET and view.quiet is None)
    return Ending(None if unknown else False, OBJECTION[row](view))


def _waits(view: AgentView) -> bool:
    return view.readiness is Readiness.WAITING


# Which row of the table above an agent is in.
DOINGS: tuple[DecisionRow[AgentView, Doing], ...] = (
    DecisionRow("unseen", lambda view: view.session == "unknown", Doing.UNSEEN,
        "its pane could not be inspected"),
    DecisionRow("foreign", lambda view: view.session == "foreign", Doing.FOREIGN,
        "the session with its name does not belong to this fleet"),
    DecisionRow("gone", lambda view: view.session in ("dead", "missing"), Doing.GONE,
        "none of its processes is alive"),
    DecisionRow("hung", lambda view: view.hung, Doing.HUNG,
        "its program reports for itself, and both it and its pane are silent"),
    DecisionRow("asks before a turn",
        lambda view: _waits(view) and view.waiting in BETWEEN_TURNS and not (view.busy or view.queued),
        Doing.BETWEEN_TURNS, "ending it at this question loses no part of a turn, and no message"),
    DecisionRow("asks within a turn", _waits, Doing.IN_A_TURN,
        "it asks a person about its work, or a person is typing"),
    DecisionRow("has messages", lambda view: view.queued, Doing.QUEUED,
        "its program loses its own queue when it ends"),
    DecisionRow("says busy", lambda view: view.busy, Doing.WORKING,
        "a report says so, even if nothing has been reported since"),
    DecisionRow("works", lambda view: view.readiness is Readiness.WORKING, Doing.WORKING,
        "it is working, or was a moment ago"),
    DecisionRow("available", lambda view: view.readiness is Readiness.AVAILABLE, Doing.AVAILABLE,
        "its program reports it, or it has been quiet for a long time"),
    DecisionRow("stuck", lambda view: view.readiness is Readiness.STUCK, Doing.STUCK,
        "its program reports that it cannot continue"),
    DecisionRow("stale", lambda view: view.readiness is Readiness.STALE, Doing.STALE,
        "what reports for it is silent"),
    DecisionRow("unknown", otherwise, Doing.UNKNOWN,
        "it is alive, and nothing shows what it is doing"),
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


# The reason when the table does not allow it.
OBJECTION: Mapping[Doing, Callable[[AgentView], str]] = {
    **dict.fromkeys(Doing, _why_and),
    Doing.UNSEEN: lambda _: "it could not be seen",
    Doing.FOREIGN: lambda _: "its session is not this fleet's",
    Doing.WORKING: _works,
    Doing.QUEUED: lambda _: "messages that it has yet to take up are in its queue",
    Doing.IN_A_TURN: _asks,
    Doing.BETWEEN_TURNS: _asks_and,
}
