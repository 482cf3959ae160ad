"""What one agent needs, from its view and its changes alone, as two tables. Pure; it ignores all other agents.

Whether a need may be met now (rollout, backoff, guards) is decided afterwards, by `rollout.py` and others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from providers.base import Health, HeldReason, Present, Reason, ResourceKey, Verb
from providers.evidence import NO_SESSION, SessionEvidence, StartEvidence
from providers.fields import LAUNCH, PROGRAM, SOCKET
from providers.kinds.overrides import Override
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.model import NAME_TAKEN, AgentHistory, AgentView, Inventory, Readiness
from reconciler.plan import need_details as fill
from reconciler.plan.need import AgentSituation, Changes, Need
from specs.compiled import Agent
from specs.dataclass import dataclass, replace

SAME_START_S = 5.0  # a start time comes from the wall clock, which is corrected a little now and then


@dataclass(frozen=True, slots=True)
class Answer:
    """`need` is the decision; `details` adds what depends on the agent: names, fields, observations."""

    need: Need
    details: Callable[[AgentSituation, Need], Need] = fill.as_it_is


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What an agent needs, and its situation."""

    need: Need
    of: AgentSituation


def need_of(
    view: AgentView,
    agent: Agent | None,
    changes: Changes,
    present: Mapping[ResourceKey, Present],
    inventory: Inventory,
    *,
    tried: bool,
    relaunch: bool = False,
    astray: bool = False,
    override: Override | None = None,
    moving: str = "",
    moving_to: str = "",
) -> Need:
    """What the agent's unit and session need together, and whether everything for a start is present; if not, it stays
    as it is. Enablement and files are planned from the changes themselves. See `AgentSituation` for the arguments."""
    situation = AgentSituation(
        view=view,
        agent=agent,
        changes=changes,
        present=present,
        inventory=inventory,
        tried=tried,
        relaunch=relaunch,
        astray=astray,
        override=override,
        moving=moving,
        moving_to=moving_to,
    )
    answer = first_match(NEEDS, situation).then
    due = Due(need=answer.details(situation, answer.need), of=situation)
    return first_match(STARTS, due).then(due)


def ends_by_unit(need: Need) -> bool:
    """Whether a start has to end something first; the unit's own stop program does that."""
    left = (SessionEvidence.of(need.present) or NO_SESSION).scopes
    return need.verb is Verb.RESTART and bool(need.disrupts or left)


def relaunch_due(known: AgentHistory, view: AgentView) -> bool:
    """Whether the process that is seen is the one that an operator asked to restart."""
    return _is_process(view, known.relaunch_pid, known.relaunch_started)


def gone_astray(known: AgentHistory, view: AgentView) -> bool:
    """Whether the process that is seen went on with its agent's conversation, and waits for a person to answer a
    question about that instead of working."""
    return view.waiting == "resume" and _is_process(view, known.resumed_pid, known.resumed_started)


def went_on(known: AgentHistory, view: AgentView) -> bool:
    """Whether the process that is seen went on with its agent's conversation, and has come to its composer or to work:
    what it asks from now on, somebody has opened."""
    there = view.readiness in (Readiness.AVAILABLE, Readiness.WORKING)
    return there and _is_process(view, known.resumed_pid, known.resumed_started)


def _is_process(view: AgentView, pid: int, started: float) -> bool:
    same = abs(view.started - started) < SAME_START_S
    return bool(pid) and view.session == "alive" and view.pid == pid and same


# What an agent needs. The rows check first what could not be seen, then what must not run, what must not be touched,
# what is gone, and last what lives: nothing is started or ended on a guess.
NEEDS: tuple[DecisionRow[AgentSituation, Answer], ...] = (
    DecisionRow("unseen, not to run", lambda of: of.unseen and not of.to_run,
        Answer(Need(held=HeldReason.UNKNOWN, message="whether it still runs could not be seen"), fill.end_unseen),
        "its files are needed to end it, so they stay until it is known to be gone"),
    DecisionRow("unseen, its tmux server is out of reach", lambda of: of.unseen and of.evidence.hidden,
        Answer(Need(verb=Verb.START, held=HeldReason.UNKNOWN, message="it lives in a tmux server that cannot be "
                    "reached: another one has taken the place of its socket")),
        "it is alive, so a second one must not be started"),
    DecisionRow("unseen, among others that were seen", lambda of: of.unseen and of.view.unseen,
        Answer(Need(verb=Verb.START, held=HeldReason.UNKNOWN), fill.say_unseen),
        "it may be alive, so a second one must not be started"),
    DecisionRow("unseen, as all of its kind", lambda of: of.unseen,
        Answer(Need(message="it could not be seen")),
        "the plan says once that the kind could not be seen"),
    DecisionRow("its entry in git is wrong", lambda of: of.agent is not None and of.agent.held is not None,
        Answer(Need(held=HeldReason.DEPENDENCY), fill.say_entry),
        "nothing is concluded from an entry that cannot be read: the agent stays as it is"),
    DecisionRow("not to run, and not here", lambda of: not of.to_run and not of.deletes,
        Answer(Need(), fill.end),
        "there is nothing to end"),
    DecisionRow("not to run, and only enabled", lambda of: not of.to_run and not of.runs,
        Answer(Need(), fill.end),
        "there is nothing to stop; its enablement is removed separately"),
    DecisionRow("not to run, in somebody's session", lambda of: not of.to_run and of.evidence.pane.moved,
        Answer(Need(held=HeldReason.NOT_OWNED), fill.end_moved),
        "a person has taken its pane to another session"),
    DecisionRow("not to run, and here", lambda of: not of.to_run,
        Answer(Need(verb=Verb.STOP), fill.stop),
        "git declares that it should not run"),
    DecisionRow("its unit is not as shipped", lambda of: of.override is not None,
        Answer(Need(verb=Verb.START), fill.say_override),
        "nothing is started through a unit that somebody has changed, and what runs is left alone"),
    DecisionRow("its session is somebody else's", lambda of: of.view.session == "foreign",
        Answer(Need(verb=Verb.START, reason=Reason.NEW, held=HeldReason.NOT_OWNED), fill.say_foreign),
        "what this fleet did not start is not touched"),
    DecisionRow("a start or stop is under way", lambda of: of.view.health is Health.SETTLING,
        Answer(Need(settling=True), fill.say_why),
        "the next observation shows the result"),
    DecisionRow("first start", lambda of: of.view.session == "missing" and of.never_started and not of.tried,
        Answer(Need(reason=Reason.NEW), fill.start),
        "a first start does not count as a repair"),
    DecisionRow("first start, once more", lambda of: of.down and of.never_started,
        Answer(Need(reason=Reason.NEW, heals=True), fill.start),
        "the first start failed: without backoff it would be tried for ever"),
    DecisionRow("its program has ended", lambda of: of.view.session == "dead",
        Answer(Need(reason=Reason.UNHEALTHY, heals=True), fill.start),
        "git declares that it should run, and none of its processes is alive"),
    DecisionRow("it has no session", lambda of: of.down,
        Answer(Need(reason=Reason.NOT_RUNNING, heals=True), fill.start),
        "git declares that it should run, and nothing of it is there"),
    DecisionRow("another declaration", lambda of: of.differs(SOCKET, LAUNCH),
        Answer(Need(verb=Verb.RESTART, reason=Reason.SPEC, disrupts=True, message="its declaration has changed"),
               fill.with_changes),
        "it was started with something other than what git declares now"),
    DecisionRow("an operator's request", lambda of: of.relaunch,
        Answer(Need(verb=Verb.RESTART, reason=Reason.REQUESTED, disrupts=True,
                    message="an operator has asked for a restart"), fill.with_changes),
        "a person asked for a restart of exactly this process"),
    DecisionRow("went on, and asks about its conversation", lambda of: of.astray,
        Answer(Need(verb=Verb.RESTART, reason=Reason.UNHEALTHY, disrupts=True, heals=True,
                    message="it went on with its conversation, and its program asks a person about that instead of "
                    "working: it begins a new one"), fill.begin_again),
        "it is of no use to anybody like that, and its next life does not go on with anything, so this happens once"),
    DecisionRow("silent and quiet", lambda of: of.silent and of.view.hung,
        Answer(Need(verb=Verb.RESTART, reason=Reason.UNHEALTHY, disrupts=True, heals=True), fill.restart_hung),
        "its program reports for itself and is silent, and its pane has shown nothing for just as long"),
    DecisionRow("silent, and its pane shows something", lambda of: of.silent and of.agent and of.agent.native_heartbeat,
        Answer(Need(verb=Verb.RESTART, reason=Reason.UNHEALTHY, held=HeldReason.UNKNOWN,
                    message="its pane is still active"), fill.say_stale),
        "a stale heartbeat alone proves nothing"),
    DecisionRow("what reports for it is silent", lambda of: of.silent,
        Answer(Need(verb=Verb.RESTART, reason=Reason.UNHEALTHY, held=HeldReason.UNKNOWN,
                    message="its heartbeat is not its own word"), fill.say_stale),
        "the silence of another process proves nothing about the agent"),
    DecisionRow("another program in its pane", lambda of: of.differs(PROGRAM),
        Answer(Need(verb=Verb.RESTART, reason=Reason.UNHEALTHY, disrupts=True, heals=True), fill.restart_program),
        "the program that runs there is not the agent"),
    DecisionRow("its unit does not run", lambda of: of.view.unit_active != "active",
        Answer(Need(verb=Verb.START, message="its session lives, its unit does not"), fill.start_unit),
        "the start of the unit finds the agent running, and ends nothing"),
    DecisionRow("not in its scope or its limits", lambda of: any(one.path not in of.unkept for one in of.placement),
        Answer(Need(verb=Verb.CONFINE), fill.confine),
        "it is corrected while it runs, and nothing is ended"),
    DecisionRow("limits that this host cannot keep", lambda of: of.placement,
        Answer(Need(verb=Verb.CONFINE, held=HeldReason.UNSUPPORTED), fill.say_unsupported),
        "it stays as it is, and the plan says so"),
    DecisionRow("runs where it could not start again", lambda of: of.view.stranded and of.against is not None,
        Answer(Need(verb=Verb.RESTART), fill.say_stranded),
        "it is never ended for that reason: the plan only says so"),
    DecisionRow("as it should be", otherwise,
        Answer(Need()),
        "nothing that its process depends on differs"),
)  # fmt: skip


def _as_due(due: Due) -> Need:
    return due.need


def _moves_and_stops(due: Due) -> Need:
    return replace(due.need, reason=Reason.MOVED, message=f"moving to {due.of.moving_to}")


def _moves(due: Due) -> Need:
    return replace(due.need, reason=Reason.MOVED)


def _waits_for_host(due: Due) -> Need:
    return replace(due.need, held=HeldReason.MOVING, message=due.of.moving)


def _name_taken(due: Due) -> Need:
    return replace(due.need, held=HeldReason.NOT_OWNED, message=f"{NAME_TAKEN}: it stays where it is")


def _cannot_start(due: Due) -> Need:
    against = due.of.against or StartEvidence(why=due.of.view.no_start)
    return replace(due.need, held=against.reason, message=against.in_full)


def _cannot_restart(due: Due) -> Need:
    held = _cannot_start(due)
    return replace(held, message=f"{held.message}: it keeps running as it is until that is fixed")


# Whether the needed start can be made here at all.
STARTS: tuple[DecisionRow[Due, Callable[[Due], Need]], ...] = (
    DecisionRow("moves away, and is stopped",
        lambda due: due.of.moving_to and due.need.removes and due.need.verb is Verb.STOP and due.need.held is None,
        _moves_and_stops, "git declares it for another host"),
    DecisionRow("moves away", lambda due: due.of.moving_to and due.need.removes,
        _moves, "git declares it for another host, and nothing is ended now"),
    DecisionRow("held already", lambda due: due.need.held is not None,
        _as_due, "it is already known why nothing is done"),
    DecisionRow("starts nothing", lambda due: due.need.verb not in (Verb.START, Verb.RESTART),
        _as_due, "what is missing for a start does not matter"),
    DecisionRow("waits for another host", lambda due: due.of.moving and due.of.down,
        _waits_for_host, "it may still run there, and would run twice"),
    DecisionRow("its session's name is taken",
        lambda due: due.of.view.taken and due.need.disrupts and due.need.verb is Verb.RESTART,
        _name_taken, "it would be ended and could not start again"),
    DecisionRow("nothing is missing", lambda due: not due.of.view.no_start,
        _as_due, "everything that a start needs is present, as far as can be seen"),
    DecisionRow("only its unit is started", lambda due: due.of.view.session == "alive" and not due.need.disrupts,
        _as_due, "the start of the unit finds the agent running"),
    DecisionRow("would end, and not start again", lambda due: due.need.disrupts,
        _cannot_restart, "a conversation is not ended for a start that must fail"),
    DecisionRow("cannot start", otherwise,
        _cannot_start, "a start that must fail would only use up its backoff"),
)  # fmt: skip
