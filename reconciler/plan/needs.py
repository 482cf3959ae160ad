"""Decide: what one agent needs, from its view and its changes alone. Pure; knows nothing of the other agents.

Whether a needed thing may be done now (rollout, backoff, guards) is decided afterwards, by `rollout.py` and others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from providers.base import FieldChange, Health, HeldReason, Kind, Present, Reason, Resource, ResourceKey, Verb
from providers.evidence import NO_SESSION, NO_UNIT, SessionEvidence, StartEvidence, UnitEvidence
from providers.kinds.overrides import Override
from providers.pane_values import Pane
from reconciler.model import NAME_TAKEN, AgentHistory, AgentView, Change, Inventory, Verdict
from specs.compiled import Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What is due for an agent's process. `verb` None: nothing, or (with `held`) nothing that may be concluded.

    `disrupts`: it ends a living process.
    `heals`: it counts against backoff and budget. `removes`: the agent is not to be here any more. `settling`: a start
    is under way. `losses`: what other people lose by it. `forced`: who wants it all the same, `despite` what.
    """

    verb: Verb | None = None
    reason: Reason = Reason.DRIFT
    disrupts: bool = False
    heals: bool = False
    removes: bool = False
    settling: bool = False
    held: HeldReason | None = None
    message: str = ""
    changes: tuple[FieldChange, ...] = ()
    desired: Resource | None = None
    present: Present | None = None
    losses: tuple[str, ...] = ()
    forced: str = ""
    despite: str = ""


Changes = Mapping[Kind, Change]
SAME_START_S = 5.0  # a start is known by the clock's word, which is corrected by a little now and then


def need_of(
    view: AgentView,
    agent: Agent | None,
    changes: Changes,
    present: Mapping[ResourceKey, Present],
    inventory: Inventory,
    *,
    tried: bool,
    relaunch: bool = False,
    override: Override | None = None,
    moving: str = "",
    going_to: str = "",
) -> Need:
    """What the agent needs, and whether what it needs to start is there: else it goes on as it is. `moving`: why it has
    to wait for another host before it starts here; `going_to`: the other host that it is declared for."""
    need = _need_of(
        view,
        agent,
        changes,
        present,
        inventory,
        tried=tried,
        relaunch=relaunch,
        override=override,
    )
    if going_to and need.removes:
        message = f"moving to {going_to}" if need.verb is Verb.STOP and need.held is None else need.message
        return replace(need, reason=Reason.MOVED, message=message)
    if need.held is not None or need.verb not in (Verb.START, Verb.RESTART):
        return need
    if moving and view.session in ("missing", "dead"):
        return replace(need, held=HeldReason.MOVING, message=moving)
    if view.taken and need.disrupts and need.verb is Verb.RESTART:
        return replace(need, held=HeldReason.NOT_OWNED, message=f"{NAME_TAKEN}: it goes on where it is")
    if not view.no_start or (view.session == "alive" and not need.disrupts):
        return need  # of one that lives only its unit is started, which finds it running
    goes_on = ": it goes on as it is until that is mended" if need.disrupts else ""
    against = StartEvidence.of(present.get(ResourceKey(Kind.PLACE, view.name))) or StartEvidence(why=view.no_start)
    return replace(need, held=against.reason, message=f"{against.in_full}{goes_on}")


def _need_of(
    view: AgentView,
    agent: Agent | None,
    changes: Changes,
    present: Mapping[ResourceKey, Present],
    inventory: Inventory,
    *,
    tried: bool,
    relaunch: bool,
    override: Override | None,
) -> Need:
    """What the agent's unit and session need together; enablement and files are planned from the changes as such.

    `tried`: a start with this very launch digest has been made before. `relaunch`: an operator has asked for a new
    start of the process that is seen. `override`: what somebody has made of its unit; nothing is started through it,
    and what lives is left alone. A kind that could not be seen needs nothing: the plan lists it as unknown; one agent
    that could not be seen among others is held.
    """
    unit, session = changes.get(Kind.UNIT), changes.get(Kind.SESSION)
    if "unknown" in (view.session, view.unit_active):
        if agent is None or agent.state != "running":
            # Its files are needed to end it, so they stay until it is seen to be gone.
            removes = agent is None or agent.state == "absent"
            return Need(removes=removes, held=HeldReason.UNKNOWN, message="whether it still runs could not be seen")
        if session_of(view.name, present).hidden:
            message = "it lives in a tmux server that cannot be reached: another one has taken the place of its socket"
            return Need(verb=Verb.START, held=HeldReason.UNKNOWN, message=message)
        if view.unseen:
            return Need(verb=Verb.START, held=HeldReason.UNKNOWN, message=f"it could not be seen: {view.unseen}")
        return Need(message="it could not be seen")
    if agent is not None and agent.held is not None:
        return Need(held=HeldReason.DEPENDENCY, message=agent.held)
    seen = present.get(ResourceKey(Kind.SESSION, view.name))
    if agent is None or agent.state != "running":
        return _stop(view, agent, unit, session, present)
    if override is not None:
        differs = FieldChange(path="unit", live=override.word, desired="as shipped")
        held = HeldReason(override.word)
        return Need(verb=Verb.START, held=held, message=override.why, changes=(differs,))
    if view.session == "foreign":
        return Need(
            verb=Verb.START,
            reason=Reason.NEW,
            held=HeldReason.NOT_OWNED,
            message=_foreign(agent, session_of(view.name, present).pane),
        )
    desired = session.desired if session is not None else None
    fields = _merged(unit, session)
    if view.health is Health.SETTLING:
        return Need(settling=True, message=view.why)
    if view.session in ("missing", "dead"):
        verb = Verb.RESTART if view.unit_active == "active" else Verb.START
        owned = inventory.agents.get(view.name)
        first = owned is None or not owned.launch_digest
        reason = Reason.NEW if first else Reason.UNHEALTHY if view.session == "dead" else Reason.NOT_RUNNING
        # A first start is no heal; a second one is, whatever became of the first, or it would be tried for ever.
        heals = view.session == "dead" or not first or tried
        return _need(verb, reason, fields, desired, seen, heals=heals, message=view.why)
    moves = session is not None and any(change.path == "socket" for change in session.fields)
    stale_launch = session is not None and any(change.path == "launch" for change in session.fields)
    if moves or stale_launch:
        return _need(
            Verb.RESTART, Reason.SPEC, fields, desired, seen, disrupts=True, message="its declaration has changed"
        )
    if relaunch:
        message = "an operator has asked that it be started anew"
        return _need(Verb.RESTART, Reason.REQUESTED, fields, desired, seen, disrupts=True, message=message)
    if view.health is Health.UNHEALTHY and view.heartbeat == "stale" and view.program == agent.runtime:
        return _stale(view, agent, fields, desired, seen)
    if session is not None and any(change.path == "program" for change in session.fields):
        return _need(Verb.RESTART, Reason.UNHEALTHY, fields, desired, seen, disrupts=True, heals=True, message=view.why)
    if view.unit_active != "active":
        return _need(Verb.START, Reason.DRIFT, fields, desired, None, message="its session lives, its unit does not")
    placed = _confine(session, seen)
    against = StartEvidence.of(present.get(ResourceKey(Kind.PLACE, view.name)))
    if placed.verb is None and view.stranded and against is not None:
        return _stranded(view, agent, against, fields)
    return placed


def _confine(session: Change | None, seen: Present | None) -> Need:
    """A pane that is not in its own scope, or whose limits are not in force, is put right where it lives: nothing of
    it ends. What this host has no controller for stays as it is, and is said."""
    changes = tuple(change for change in _merged(session) if _of_place(change))
    if not changes or session is None or seen is None:
        return Need()
    unkept = {f"limits.{name}" for name in (SessionEvidence.of(seen) or NO_SESSION).unkept}
    if any(change.path not in unkept for change in changes):
        why = "it is not in a scope of its own" if changes[-1].path == "scope" else "its limits are not in force"
        return Need(verb=Verb.CONFINE, changes=changes, desired=session.desired, present=seen, message=why)
    why = f"this host gives the user's systemd no controller for {', '.join(sorted(unkept))}: mosaic doctor"
    return Need(verb=Verb.CONFINE, held=HeldReason.UNSUPPORTED, message=why, changes=changes)


def _of_place(change: FieldChange) -> bool:
    return change.path == "scope" or change.path.split(".")[0] == "limits"


def _stranded(view: AgentView, agent: Agent, against: StartEvidence, fields: tuple[FieldChange, ...]) -> Need:
    """It runs, and would not start again, or not where it is. It is never ended for that: it is only said."""
    if against.folder_gone:
        fields = (*fields, FieldChange(path="working_directory", live="(deleted)", desired=agent.working_directory))
    return Need(verb=Verb.RESTART, reason=Reason.DRIFT, held=against.reason, message=view.stranded, changes=fields)


def ends_by_unit(need: Need) -> bool:
    """Whether a start is one that has to end something first, which the unit's own stop program does."""
    left = (SessionEvidence.of(need.present) or NO_SESSION).scopes
    return need.verb is Verb.RESTART and bool(need.disrupts or left)


def session_of(name: str, present: Mapping[ResourceKey, Present]) -> SessionEvidence:
    """What was seen of an agent's session: `NO_SESSION` where there is none."""
    return SessionEvidence.of(present.get(ResourceKey(Kind.SESSION, name))) or NO_SESSION


def relaunch_due(known: AgentHistory, view: AgentView) -> bool:
    """Whether the process that is seen is the one that an operator wants gone."""
    same = abs(view.started - known.relaunch_started) < SAME_START_S
    return bool(known.relaunch_pid) and view.session == "alive" and view.pid == known.relaunch_pid and same


def _stale(
    view: AgentView,
    agent: Agent,
    fields: tuple[FieldChange, ...],
    desired: Resource | None,
    seen: Present | None,
) -> Need:
    """A stale heartbeat alone proves nothing: the runtime must answer for it itself, and the pane must be quiet too.

    Quiet for as long as that, not since the last heartbeat: what hangs usually hangs on what it was sent after it.
    """
    if view.hung:
        stale = (*fields, FieldChange(path="heartbeat", live="stale", desired="ok"))
        return _need(Verb.RESTART, Reason.UNHEALTHY, stale, desired, seen, disrupts=True, heals=True, message=view.why)
    why = "its pane is still active" if agent.native_heartbeat else "its heartbeat is not its own word"
    return Need(verb=Verb.RESTART, reason=Reason.UNHEALTHY, held=HeldReason.UNKNOWN, message=f"{view.why}, but {why}")


def _stop(
    view: AgentView,
    agent: Agent | None,
    unit: Change | None,
    session: Change | None,
    present: Mapping[ResourceKey, Present],
) -> Need:
    removes = agent is None or agent.state == "absent"
    reason = Reason.REMOVED if removes else Reason.SPEC
    deletes = [change for change in (unit, session) if change is not None and change.verdict is Verdict.DELETE]
    job = (UnitEvidence.of(unit.present) or NO_UNIT).job if unit is not None else ""
    runs = unit is not None and (view.unit_active != "inactive" or bool(job))
    if not deletes:
        return Need(removes=removes, reason=reason)
    seen = present.get(ResourceKey(Kind.SESSION, view.name))
    if not runs and (session is None or session.verdict is not Verdict.DELETE):
        return Need(removes=removes, reason=reason)  # only enabled: there is nothing to stop
    pane = session_of(view.name, present).pane
    if pane.moved:
        return Need(removes=removes, reason=reason, held=HeldReason.NOT_OWNED, message=_moved(pane))
    fields = tuple(change for change in _merged(unit, session) if change.path != "enabled")
    return Need(
        verb=Verb.STOP,
        reason=reason,
        disrupts=view.session == "alive",
        removes=removes,
        changes=fields,
        present=_with_failure(seen, unit),
        message="removed from git" if removes else "declared stopped",
    )


def _foreign(agent: Agent, pane: Pane) -> str:
    if pane.moved:
        return _moved(pane)
    whose = f"is that of agent {pane.mark}, renamed" if pane.mark else "exists that this fleet did not start"
    return f'a tmux session "{agent.session}" {whose}'


def _moved(pane: Pane) -> str:
    return f'somebody has moved its pane to the tmux session "{pane.session}": it is left alone there until it ends'


def _with_failure(seen: Present | None, unit: Change | None) -> Present | None:
    """The session's observation, and whether its unit has failed: that has to be reset before the unit is gone."""
    known = UnitEvidence.of(unit.present) if unit is not None else None
    if unit is None or known is None or known.active != "failed":
        return seen
    session = SessionEvidence.of(seen)
    return replace(seen, evidence=replace(session, unit_failed=True)) if seen and session else unit.present


def _need(
    verb: Verb,
    reason: Reason,
    fields: tuple[FieldChange, ...],
    desired: Resource | None,
    seen: Present | None,
    *,
    disrupts: bool = False,
    heals: bool = False,
    message: str = "",
) -> Need:
    return Need(
        verb=verb,
        reason=reason,
        disrupts=disrupts,
        heals=heals,
        changes=tuple(change for change in fields if change.path != "enabled" and not _of_place(change)),
        desired=desired,
        present=seen,
        message=message,
    )


def _merged(*changes: Change | None) -> tuple[FieldChange, ...]:
    return tuple(field for change in changes if change is not None for field in change.fields)
