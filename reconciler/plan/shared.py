"""The plan for what all agents share: framework files, systemd's reload, linger, the holder. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from providers.base import HeldReason, Kind, Reason, ResourceKey, Verb
from providers.evidence import NO_FILE, NO_HOLDER, NO_UNIT, FileEvidence, HolderEvidence, UnitEvidence
from providers.fields import ACTIVE, CONTENT, DEFINITION, ENABLED
from providers.kinds.responder import BETWEEN
from providers.names import HOLDER_UNIT, RESPONDER_UNIT, UNIT_SUFFIXES
from providers.shipped.uses import Use, uses_of
from reconciler.model import AgentView, Change, History, Inventory, Observation, Verdict
from reconciler.plan.draft import Draft


def plan_shared(
    draft: Draft,
    changes: Iterable[Change],
    views: Mapping[str, AgentView],
    history: History,
    inventory: Inventory,
    observation: Observation,
) -> None:
    """Files first, then the reload, linger and the holder; records in `draft.gates` what waits for which of them.

    A server whose socket is gone is repaired even when no agent is to run: without it, agents that must be ended cannot
    be seen.
    """
    by_kind: dict[Kind, list[Change]] = {}
    for change in changes:
        by_kind.setdefault(change.key.kind, []).append(change)
    written = _files(draft, by_kind.get(Kind.FRAMEWORK, []))
    for unit, use in ((HOLDER_UNIT, Use.HOLDER), (RESPONDER_UNIT, Use.RESPONDER)):
        if (override := observation.overrides.get(unit)) is not None:
            if override.word != "unknown":  # otherwise it is held if due
                draft.hold(None, unit, Verb.START, HeldReason(override.word), override.why)
            draft.close((use,), override.why)
    ours = written or history.reload_due
    if (ours or observation.reload_due) and (override := observation.reload_shut) is not None:
        why = f"systemd is not asked to reload its unit files: {override.why}"
        draft.hold(None, "the user's systemd manager", Verb.RELOAD, HeldReason(override.word), why)
        draft.close(Use if ours else (), why)
    elif ours or observation.reload_due:
        key = ResourceKey(Kind.FRAMEWORK, "daemon-reload")
        # It comes after all files, as jobs do; a file that could not be written does not block the others.
        draft.wait(Use, draft.add(Verb.RELOAD, key, "the user's systemd manager", Reason.FRAMEWORK))
    for change in by_kind.get(Kind.LINGER, []):
        _linger(draft, change)
    for change in by_kind.get(Kind.PROJECTION, []):
        _projection(draft, change, inventory)
    for change in by_kind.get(Kind.RESPONDER, []):
        _responder(draft, change)
    for change in by_kind.get(Kind.HOLDER, []):
        _holder(draft, change, views, history)
    seen = observation.present.get(ResourceKey(Kind.HOLDER, HOLDER_UNIT))
    if seen is not None and (HolderEvidence.of(seen) or NO_HOLDER).lost and not by_kind.get(Kind.HOLDER):
        draft.add(Verb.RECOVER, seen.key, HOLDER_UNIT, Reason.UNHEALTHY, present=seen)


def servers_up(observation: Observation) -> frozenset[str]:
    """The tmux servers seen running, by their names in the holder."""
    holder = HolderEvidence.of(observation.present.get(ResourceKey(Kind.HOLDER, HOLDER_UNIT))) or NO_HOLDER
    return frozenset(name for name, one in holder.servers.items() if one.state == "up" and name not in holder.unseen)


def release_digest(change: Change) -> str:
    """Digest of what `mosaic fleet release --holder` lets through: exactly this change of the holder, and no later
    one."""
    fields = sorted(change.desired.fields.items()) if change.desired is not None else []
    return hashlib.sha256(repr(fields).encode()).hexdigest()[:16]


def _files(draft: Draft, changes: Iterable[Change]) -> bool:
    """Whether unit files are written, so that systemd must reload. A file that cannot be written holds only what needs
    it."""
    units = False
    for change in changes:
        path = change.key.name
        if change.verdict is Verdict.HOLD:
            draft.hold(None, path, Verb.WRITE, HeldReason.UNKNOWN, change.why)
            draft.close(uses_of(path), change.why)
            continue
        if change.verdict is Verdict.CONFLICT:
            message = f"{path} {_stands(change)} and was not written by this fleet: move it away, then run again"
            draft.hold(None, path, Verb.WRITE, HeldReason.NOT_OWNED, message)
            draft.close(uses_of(path), message)
            continue
        verb = Verb.DELETE if change.verdict is Verdict.DELETE else Verb.WRITE
        reason = Reason.FRAMEWORK if change.verdict is not Verdict.UPDATE else Reason.DRIFT
        identity = draft.add(
            verb,
            change.key,
            path,
            reason,
            changes=change.fields,
            desired=change.desired,
            present=change.present,
        )
        draft.wait(uses_of(path), identity)
        units = units or path.endswith(UNIT_SUFFIXES)
    return units


def _stands(change: Change) -> str:
    odd = (FileEvidence.of(change.present) or NO_FILE).odd
    return f"is {odd}" if odd else "exists"


def _linger(draft: Draft, change: Change) -> None:
    user = change.key.name
    if change.verdict is Verdict.HOLD:
        draft.hold(None, user, Verb.LINGER, HeldReason.UNKNOWN, f"whether linger is on could not be seen: {change.why}")
    elif change.verdict is Verdict.CREATE:
        draft.add(Verb.LINGER, change.key, user, Reason.NEW, changes=change.fields, desired=change.desired)


def _projection(draft: Draft, change: Change, inventory: Inventory) -> None:
    """No agent waits for it."""
    path = change.key.name
    verb = Verb.DELETE if change.desired is None else Verb.PROJECT
    if change.verdict is Verdict.HOLD:
        draft.hold(None, path, verb, HeldReason.UNKNOWN, f"the mission's file could not be read: {change.why}")
    elif change.verdict is Verdict.CONFLICT:
        message = f"{path} exists and was not written by this fleet: move it away, then run again"
        draft.hold(None, path, verb, HeldReason.NOT_OWNED, message)
    else:
        reason = _projection_reason(change, path in inventory.files)
        draft.add(verb, change.key, path, reason, changes=change.fields, desired=change.desired, present=change.present)


def _projection_reason(change: Change, written: bool) -> Reason:
    """A file that is as generated comes from an older commit; a missing or edited one was changed here."""
    if change.desired is None:
        return Reason.REMOVED
    if change.present is None:
        return Reason.DRIFT if written else Reason.NEW
    file = FileEvidence.of(change.present) or NO_FILE
    older = file.intact and all(field.path == CONTENT for field in change.fields)
    return Reason.SPEC if older else Reason.DRIFT


def _responder(draft: Draft, change: Change) -> None:
    """No agent waits for it."""
    live = UnitEvidence.of(change.present) or NO_UNIT
    wanted = change.desired is not None
    verb = Verb.START if wanted else Verb.STOP
    if change.verdict is Verdict.HOLD:
        draft.hold(None, RESPONDER_UNIT, verb, HeldReason.UNKNOWN, f"the responder could not be seen: {change.why}")
        return
    if change.verdict is Verdict.CONFLICT:
        draft.hold(None, RESPONDER_UNIT, verb, HeldReason.NOT_OWNED, "it answers for the agents of another fleet")
        return
    if wanted and (shut := draft.closed(Use.RESPONDER)):
        draft.hold(None, RESPONDER_UNIT, verb, HeldReason.DEPENDENCY, shut, changes=change.fields)
        return
    due = {Verb.ENABLE if wanted else Verb.DISABLE: live.enabled is not wanted}
    due[verb] = not live.job and live.active not in (*BETWEEN, "active" if wanted else "inactive")
    for one, path in zip(due, (ENABLED, ACTIVE), strict=True):
        if due[one]:
            draft.add(
                one,
                change.key,
                RESPONDER_UNIT,
                _responder_reason(change),
                depends_on=draft.after(Use.RESPONDER),
                changes=tuple(field for field in change.fields if field.path == path),
                desired=change.desired,
                present=change.present,
            )


def _responder_reason(change: Change) -> Reason:
    if change.desired is None:
        return Reason.SPEC
    return Reason.NEW if change.present is None else Reason.DRIFT


def _holder(draft: Draft, change: Change, views: Mapping[str, AgentView], history: History) -> None:
    if change.verdict is Verdict.HOLD:
        message = f"the holder could not be seen: {change.why}"
        draft.hold(None, HOLDER_UNIT, Verb.START, HeldReason.UNKNOWN, message)
        draft.close((Use.SERVER,), message)
        return
    if change.desired is None:
        return
    live = HolderEvidence.of(change.present) or NO_HOLDER
    if not live.unit.enabled:
        _add(draft, change, Verb.ENABLE, Reason.NEW if change.present is None else Reason.DRIFT, ENABLED)
    paths = {field.path.rsplit(".", 1)[-1] for field in change.fields} - {ENABLED}
    if not paths:
        return
    if live.unit.job:
        draft.close((Use.SERVER,), "a job of the holder is under way")
        return
    states = {server.state for server in live.servers.values()}
    if "lost" in states:
        _add(draft, change, Verb.RECOVER, Reason.UNHEALTHY)
    elif shut := draft.closed(Use.HOLDER):  # it is not as it should be, so a start would do something else
        draft.hold(None, HOLDER_UNIT, Verb.START, HeldReason.DEPENDENCY, shut, changes=change.fields)
        if live.unit.active != "active" or states != {"up"}:
            draft.close((Use.SERVER,), shut)
    elif live.unit.active != "active":
        _add(draft, change, Verb.START, Reason.NEW if change.present is None else Reason.NOT_RUNNING)
    elif paths != {DEFINITION}:
        _add(draft, change, Verb.RECOVER, Reason.UNHEALTHY)  # restore what is missing first; the definition comes later
    else:
        _new_definition(draft, change, views, history)


def _new_definition(draft: Draft, change: Change, views: Mapping[str, AgentView], history: History) -> None:
    """A server keeps the definition it was started with; replacing it would end every agent in it."""
    living = sorted(name for name, view in views.items() if view.session in ("alive", "unknown"))
    if living and history.holder_release != release_digest(change):
        message = (
            f"{len(living)} agent(s) live in the tmux server, which keeps its old definition until it is restarted; "
            "that would end them: wait until they are stopped, or let it through with `mosaic fleet release --holder`"
        )
        draft.hold(None, HOLDER_UNIT, Verb.RESTART, HeldReason.WORKING, message, changes=change.fields)
        return
    _add(draft, change, Verb.RESTART, Reason.FRAMEWORK, disrupts=bool(living))


def _add(draft: Draft, change: Change, verb: Verb, reason: Reason, only: str = "", *, disrupts: bool = False) -> None:
    fields = tuple(field for field in change.fields if (field.path == ENABLED) == (only == ENABLED))
    identity = draft.add(
        verb,
        change.key,
        HOLDER_UNIT,
        reason,
        disrupts=disrupts,
        depends_on=draft.after(Use.HOLDER),
        changes=fields,
        desired=change.desired,
        present=change.present,
    )
    if verb is Verb.ENABLE:
        return  # it matters at the next boot: nothing that starts now needs it
    # A restart ends all servers, so every agent's start must come after it.
    draft.wait((Use.HOLDER, Use.START if verb is Verb.RESTART else Use.SERVER), identity)
