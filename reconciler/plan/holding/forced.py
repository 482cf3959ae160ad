"""Forced ends: what a person lets through with `--force`, against the table of what may end an agent. Pure.

A force counts for one process and for one change of it, so it is used once. It never overrides other people's work in
the session, a session that is not this fleet's, a suspension, the kill switch or a guard.
"""

from __future__ import annotations

from providers.base import Reason, Verb
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.model import AgentHistory, AgentView
from reconciler.observe.may_end import Who, may_end
from reconciler.plan.holding.rollout import objection
from reconciler.plan.need import Need
from reconciler.plan.needs import SAME_START_S
from specs.compiled import Agent, Policy
from specs.dataclass import dataclass, replace

REMOVED, STOPPED, RELAUNCH = "removed", "stopped", "relaunch"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedEnd:
    """A need, and this host's record of a force. `against`: the objection to the end, "" if none."""

    need: Need
    view: AgentView
    agent: Agent | None
    known: AgentHistory
    against: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedRecord:
    """This host's record of a force, and the present observation. `revision`: the one in force now."""

    known: AgentHistory
    view: AgentView
    agent: Agent | None
    revision: str


def restarted(generation: int) -> str:
    """The name of a restart's change in the record."""
    return f"generation {generation}"


def forced(known: AgentHistory, *, pid: int, started: float, change: str, by: str, revision: str) -> AgentHistory:
    """The history with the request to end this process for this change. `revision`: the one in force then."""
    return replace(
        known,
        forced_pid=pid,
        forced_started=started,
        forced_for=change,
        forced_by=by,
        forced_from=revision,
    )


def with_force(need: Need, view: AgentView, agent: Agent | None, known: AgentHistory, policy: Policy) -> Need:
    """The need, marked with who forces it, if it would have to wait and somebody does. A held need stays held."""
    end = ForcedEnd(need=need, view=view, agent=agent, known=known, against=objection(view, need, policy))
    return replace(need, forced=known.forced_by, despite=end.against) if first_match(FORCES, end).then else need


def still_due(known: AgentHistory, view: AgentView, agent: Agent | None, revision: str) -> AgentHistory:
    """The history without the request, once the process is gone (whoever ended it) or git asks for something else."""
    record = ForcedRecord(known=known, view=view, agent=agent, revision=revision)
    if first_match(RECORDS, record).then:
        return known
    return forced(known, pid=0, started=0.0, change="", by="", revision="")


def _lives(known: AgentHistory, view: AgentView) -> bool:
    same = abs(view.started - known.forced_started) < SAME_START_S
    return bool(known.forced_pid) and view.session == "alive" and view.pid == known.forced_pid and same


def _meant(known: AgentHistory, agent: Agent | None, need: Need) -> bool:
    return known.forced_for == (RELAUNCH if need.reason is Reason.REQUESTED else _change(agent))


def _change(agent: Agent | None) -> str:
    """What git declares about an agent that may require ending it."""
    if agent is None or agent.state == "absent":
        return REMOVED
    return STOPPED if agent.state == "stopped" else restarted(agent.generation)


# Whether a force lets an end through that would have to wait.
FORCES: tuple[DecisionRow[ForcedEnd, bool], ...] = (
    DecisionRow("ends nothing", lambda one: one.need.verb not in (Verb.STOP, Verb.RESTART), False,
        "there is nothing to force"),
    DecisionRow("nothing lives", lambda one: not one.need.disrupts, False,
        "no conversation ends with it"),
    DecisionRow("held", lambda one: one.need.held is not None, False,
        "a force lets go of nothing that is held"),
    DecisionRow("another process", lambda one: not _lives(one.known, one.view), False,
        "it was said of the process that was seen then"),
    DecisionRow("another change", lambda one: not _meant(one.known, one.agent, one.need), False,
        "it was said of another change"),
    DecisionRow("not to be ended at all", lambda one: may_end(one.view, Who.FORCE).allowed is not True, False,
        "it is not this fleet's"),
    DecisionRow("need not wait", lambda one: not one.against, False,
        "nothing speaks against the end"),
    DecisionRow("forced", otherwise, True,
        "a person has said so, of this process and this change"),
)  # fmt: skip

# Whether the record of a force is kept.
RECORDS: tuple[DecisionRow[ForcedRecord, bool], ...] = (
    DecisionRow("none", lambda one: not one.known.forced_pid, True,
        "there is nothing to forget"),
    DecisionRow("unseen", lambda one: one.view.session == "unknown", True,
        "whether the process lives is not known"),
    DecisionRow("the process is gone", lambda one: not _lives(one.known, one.view), False,
        "it has been met, by whomever"),
    DecisionRow("a relaunch", lambda one: one.known.forced_for == RELAUNCH, True,
        "no commit makes it void"),
    DecisionRow("git still says so", lambda one: one.known.forced_for == _change(one.agent), True,
        "the change is still due"),
    DecisionRow("not read yet", lambda one: one.revision == one.known.forced_from, True,
        "the commit that it was said for is not in force yet"),
    DecisionRow("git says otherwise", otherwise, False,
        "the change is not wanted any more"),
)  # fmt: skip
