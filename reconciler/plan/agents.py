"""The plan for one agent at a time: its files, its enablement, its start, restart or stop. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from providers.base import FieldChange, HeldReason, Kind, Reason, ResourceKey, Verb
from providers.evidence import NO_FILE, NO_SESSION, FileEvidence, SessionEvidence
from providers.fields import ENABLED, LAUNCH, MODE, variable
from providers.launch import additions
from providers.launch.environment import launch_fields
from providers.material import SessionMaterial
from providers.names import agent_unit
from reconciler.model import AgentView, Change, Inventory, Observation, Verdict
from reconciler.observe.clock_steps import stamp
from reconciler.plan.diff import field_changes
from reconciler.plan.draft import Draft
from reconciler.plan.need import Changes, Need
from specs.compiled import Agent


def plan_files(draft: Draft, name: str, changes: Changes, inventory: Inventory, after: tuple[str, ...]) -> str | None:
    """Write (or, once `after` is done, delete) the launch environment; return the action's id. A conflict or an unknown
    is held, and the sentinel "" tells the caller not to start the agent."""
    change = changes.get(Kind.ENV)
    if change is None:
        return None
    target = f"{name}.env"
    unread = f"its launch environment could not be read: {change.why}"
    theirs = f"{target} exists and was not written by this fleet: move it away, then run again"
    if _is_held(draft, name, change, target, unread, theirs):
        return ""
    return _put(draft, name, change, target, _file_reason(change, name, inventory), _shown(change), after)


def plan_extras(draft: Draft, name: str, changes: Changes, inventory: Inventory, after: tuple[str, ...]) -> str | None:
    """Do the same for the files that the launch adds. A running agent has read them already and is not disturbed."""
    change = changes.get(Kind.EXTRAS)
    if change is None:
        return None
    target = f"{name}.d"
    unread = f"the files that its launch adds could not be read: {change.why}"
    theirs = f"{target}, or a file in it, was not written by this fleet: move it away, then run again"
    if _is_held(draft, name, change, target, unread, theirs):
        return ""
    shown = change.fields if change.verdict is Verdict.UPDATE else ()
    return _put(draft, name, change, target, _extras_reason(change, name, inventory), shown, after)


def _is_held(draft: Draft, name: str, change: Change, target: str, unread: str, theirs: str) -> bool:
    """Hold what could not be read, and what somebody else wrote."""
    if change.verdict is Verdict.HOLD:
        draft.hold(name, target, Verb.WRITE, HeldReason.UNKNOWN, unread)
    elif change.verdict is Verdict.CONFLICT:
        draft.hold(name, target, Verb.WRITE, HeldReason.NOT_OWNED, theirs)
    else:
        return False
    return True


def _put(
    draft: Draft,
    name: str,
    change: Change,
    target: str,
    reason: Reason,
    shown: tuple[FieldChange, ...],
    after: tuple[str, ...],
) -> str:
    delete = change.verdict is Verdict.DELETE
    return draft.add(
        Verb.DELETE if delete else Verb.WRITE,
        change.key,
        target,
        reason,
        agent=name,
        depends_on=after if delete else (),
        changes=shown,
        desired=change.desired,
        present=change.present,
    )


def plan_enablement(draft: Draft, name: str, changes: Changes, removes: bool, after: tuple[str, ...]) -> str | None:
    """Enable with a start, disable with a stop: an agent that is to stop must not come back at boot, from now on.
    Neither waits for the other: apply makes links before it begins jobs, and a link that fails does not stop a start.
    """
    change = changes.get(Kind.UNIT)
    if change is None or change.verdict not in (Verdict.CREATE, Verdict.UPDATE, Verdict.DELETE):
        return None
    fields = tuple(field for field in change.fields if field.path == ENABLED)
    enable = change.verdict is not Verdict.DELETE
    if not fields or (not enable and not fields[0].live):
        return None
    reason = Reason.NEW if change.verdict is Verdict.CREATE else Reason.DRIFT
    if not enable:
        reason = Reason.REMOVED if removes else Reason.SPEC
        fields = (FieldChange(path=ENABLED, live=True, desired=False),)
    return draft.add(
        Verb.ENABLE if enable else Verb.DISABLE,
        change.key,
        agent_unit(name),
        reason,
        agent=name,
        depends_on=after,
        changes=fields,
        desired=change.desired,
        present=change.present,
    )


def plan_process(
    draft: Draft, name: str, need: Need, inventory: Inventory, after: tuple[str, ...], *, start_changes: bool = True
) -> str | None:
    """Start, restart or stop the agent's unit. The action carries the session's observation."""
    if need.verb is None:
        return None
    changes = named_launch(need, name, inventory) if start_changes else need.changes
    confine = need.verb is Verb.CONFINE
    return draft.add(
        need.verb,
        ResourceKey(Kind.SESSION if confine else Kind.UNIT, name),
        f"scope of {name}" if confine else agent_unit(name),
        need.reason,
        agent=name,
        disrupts=need.disrupts,
        depends_on=after,
        changes=changes,
        desired=need.desired,
        present=need.present,
        losses=need.losses,
        forced=(need.forced, need.despite),
    )


def plan_second_session(draft: Draft, change: Change, idle_after: float, observation: Observation) -> None:
    """End an agent's second session on another tmux server, once it is dead or idle. A change of socket leaves one if
    the old server could not be reached then."""
    if change.verdict is not Verdict.DELETE or change.present is None or change.agent is None:
        return
    seen = SessionEvidence.of(change.present) or NO_SESSION
    target = f"tmux session {seen.pane.session} on socket {seen.socket or 'default'}"
    last = stamp(seen.last_activity, observation)
    if seen.alive and not (last and observation.taken_at - last >= idle_after):
        message = "a second session of this agent, not yet idle"
        draft.hold(change.agent, target, Verb.STOP, HeldReason.WORKING, message)
        return
    draft.add(
        Verb.STOP,
        change.key,
        target,
        Reason.DRIFT,
        agent=change.agent,
        disrupts=seen.alive,
        changes=change.fields,
        present=change.present,
    )


def named_launch(need: Need, name: str, inventory: Inventory) -> tuple[FieldChange, ...]:
    """Spell out a changed launch digest as the fields that changed, if this host remembers the last launch."""
    owned = inventory.agents.get(name)
    out: list[FieldChange] = []
    for change in need.changes:
        if change.path == LAUNCH and change.live and owned is not None and owned.launch_digest == change.live:
            wanted = SessionMaterial.of(need.desired)
            named = field_changes(owned.launch, launch_fields(wanted.agent) if wanted is not None else {})
            out.extend(named or (change,))
        else:
            out.append(change)
    return tuple(out)


def blocker(agent: Agent, views: Mapping[str, AgentView], draft: Draft, agents: Mapping[str, Agent]) -> str:
    """Why an agent that depends on others cannot start in this pass, or "" if it can."""
    for other in agent.depends_on:
        peer, view = agents.get(other), views.get(other)
        if peer is None or view is None or peer.state != "running":
            continue
        planned = any(f"{verb}:{Kind.UNIT}:{other}" in draft.actions for verb in (Verb.START, Verb.RESTART))
        if not planned and view.session != "alive":
            return f'it depends on "{other}", which is not running ({view.why or view.session})'
    return ""


def _shown(change: Change) -> tuple[FieldChange, ...]:
    """The fields worth showing: for a new launch environment, those that a person decides on; for a deleted one, only
    its mode."""
    if change.verdict is Verdict.DELETE:
        return tuple(field for field in change.fields if field.path == MODE)
    if change.verdict is not Verdict.CREATE:
        return change.fields
    decisive = {variable(name) for name in ("ARG", "MOSAIC_AGENT_WORKDIR", "MOSAIC_AGENT_MODEL")}
    return tuple(
        field
        for field in change.fields
        if field.desired and (field.path in decisive or field.path.startswith((variable("ENV"), variable("PROP"))))
    )


def _extras_reason(change: Change, name: str, inventory: Inventory) -> Reason:
    if change.verdict is Verdict.DELETE:
        return Reason.REMOVED
    owned = inventory.agents.get(name)
    if owned is None or (not owned.launch_digest and change.present is None):
        return Reason.NEW
    return Reason.SPEC if (FileEvidence.of(change.present) or NO_FILE).intact else Reason.DRIFT


def _file_reason(change: Change, name: str, inventory: Inventory) -> Reason:
    if change.verdict is Verdict.DELETE:
        return Reason.REMOVED
    owned = inventory.agents.get(name)
    if owned is None or (not owned.launch_digest and change.present is None):
        return Reason.NEW
    if not (FileEvidence.of(change.present) or NO_FILE).intact:
        return Reason.DRIFT
    # The file is as we once wrote it, so git now asks for something else. Somebody else added any line that we never
    # write.
    named = {field.path: field.desired for field in change.fields}
    ours = all(path.startswith(variable("MOSAIC_")) and desired is not None for path, desired in named.items())
    digests = {variable("MOSAIC_LAUNCH"), variable(additions.DIGEST_KEY)}
    return Reason.SPEC if digests & named.keys() or ours else Reason.DRIFT
