"""Complete a need from the table in `needs.py` with its message, the differing fields and the evidence. Pure."""

from __future__ import annotations

from providers.base import FieldChange, HeldReason, Present, Reason, Verb
from providers.evidence import SessionEvidence, StartEvidence, UnitEvidence
from providers.fields import CONVERSATION, ENABLED, SCOPE
from providers.launch.additions import takes_conversation
from providers.pane_values import Pane
from reconciler.model import Change
from reconciler.plan.need import AgentSituation, Need, of_place
from specs.dataclass import replace

_NEW_CONVERSATION = FieldChange(path=CONVERSATION, live="present", desired="new")


def as_it_is(of: AgentSituation, need: Need) -> Need:
    del of
    return need


def end_unseen(of: AgentSituation, need: Need) -> Need:
    return replace(need, removes=of.removes)


def say_unseen(of: AgentSituation, need: Need) -> Need:
    return replace(need, message=f"it could not be seen: {of.view.unseen}")


def say_entry(of: AgentSituation, need: Need) -> Need:
    return replace(need, message=(of.agent.held if of.agent is not None else None) or "")


def end(of: AgentSituation, need: Need) -> Need:
    return replace(need, removes=of.removes, reason=Reason.REMOVED if of.removes else Reason.SPEC)


def end_moved(of: AgentSituation, need: Need) -> Need:
    return replace(end(of, need), message=_moved(of.evidence.pane))


def stop(of: AgentSituation, need: Need) -> Need:
    return replace(
        end(of, need),
        disrupts=of.view.session == "alive",
        changes=tuple(change for change in of.fields if change.path != ENABLED) + _after_stop(of),
        present=_with_failure(of.seen, of.unit),
        message="removed from git" if of.removes else "declared stopped",
    )


def _after_stop(of: AgentSituation) -> tuple[FieldChange, ...]:
    """With the usual policy, an agent that is stopped begins a new conversation when it is started again."""
    agent = of.agent
    stops = agent is not None and agent.state == "stopped" and of.view.session in ("alive", "dead")
    return (_NEW_CONVERSATION,) if agent and stops and agent.resume == "on-heal" and takes_conversation(agent) else ()


def say_override(of: AgentSituation, need: Need) -> Need:
    if of.override is None:
        return need
    differs = FieldChange(path="unit", live=of.override.word, desired="as shipped")
    return replace(need, held=HeldReason(of.override.word), message=of.override.why, changes=(differs,))


def say_foreign(of: AgentSituation, need: Need) -> Need:
    pane = of.evidence.pane
    if pane.moved:
        return replace(need, message=_moved(pane))
    whose = f"is that of agent {pane.mark}, renamed" if pane.mark else "exists that this fleet did not start"
    name = of.agent.session if of.agent is not None else of.view.name
    return replace(need, message=f'a tmux session "{name}" {whose}')


def say_why(of: AgentSituation, need: Need) -> Need:
    return replace(need, message=of.view.why)


def with_changes(of: AgentSituation, need: Need) -> Need:
    """The need with the fields that differ, except those that are corrected without a start."""
    return replace(
        need,
        changes=tuple(change for change in of.fields if change.path != ENABLED and not of_place(change)),
        desired=of.session.desired if of.session is not None else None,
        present=of.seen,
    )


def start(of: AgentSituation, need: Need) -> Need:
    """The verb for a start: if systemd calls the unit active, only a restart starts anything."""
    verb = Verb.RESTART if of.view.unit_active == "active" else Verb.START
    return say_why(of, with_changes(of, replace(need, verb=verb)))


def restart_hung(of: AgentSituation, need: Need) -> Need:
    made = say_why(of, with_changes(of, need))
    return replace(made, changes=(*made.changes, FieldChange(path="heartbeat", live="stale", desired="ok")))


def begin_again(of: AgentSituation, need: Need) -> Need:
    made = with_changes(of, need)
    return replace(made, changes=(*made.changes, _NEW_CONVERSATION))


def restart_program(of: AgentSituation, need: Need) -> Need:
    return say_why(of, with_changes(of, need))


def say_stale(of: AgentSituation, need: Need) -> Need:
    return replace(need, message=f"{of.view.why}, but {need.message}")


def start_unit(of: AgentSituation, need: Need) -> Need:
    return replace(with_changes(of, need), present=None)


def confine(of: AgentSituation, need: Need) -> Need:
    why = "it is not in a scope of its own" if of.placement[-1].path == SCOPE else "its limits are not in force"
    desired = of.session.desired if of.session is not None else None
    return replace(need, changes=of.placement, desired=desired, present=of.seen, message=why)


def say_unsupported(of: AgentSituation, need: Need) -> Need:
    why = f"this host gives the user's systemd no controller for {', '.join(sorted(of.unkept))}: mosaic doctor"
    return replace(need, changes=of.placement, message=why)


def say_stranded(of: AgentSituation, need: Need) -> Need:
    fields, against = of.fields, of.against or StartEvidence()
    if against.folder_gone:
        folder = of.agent.working_directory if of.agent is not None else ""
        fields = (*fields, FieldChange(path="working_directory", live="(deleted)", desired=folder))
    return replace(need, held=against.reason, message=of.view.stranded, changes=fields)


def _moved(pane: Pane) -> str:
    return f'somebody has moved its pane to the tmux session "{pane.session}": it is left alone there until it ends'


def _with_failure(seen: Present | None, unit: Change | None) -> Present | None:
    """The session's observation, and whether the unit has failed: a failed unit must be reset before it can
    disappear."""
    known = UnitEvidence.of(unit.present) if unit is not None else None
    if unit is None or known is None or known.active != "failed":
        return seen
    session = SessionEvidence.of(seen)
    return replace(seen, evidence=replace(session, unit_failed=True)) if seen and session else unit.present
