"""Plan, the part that all agents share: framework files, systemd's reload, linger, the holder. Pure."""

from __future__ import annotations

import hashlib
import os.path
from collections.abc import Iterable, Mapping

from providers.base import HeldReason, Kind, Reason, ResourceKey, Verb
from providers.names import HOLDER_UNIT
from reconciler.draft import Draft
from reconciler.model import AgentView, Change, History, Verdict


def plan_shared(
    draft: Draft, changes: Iterable[Change], views: Mapping[str, AgentView], history: History, reload_due: bool
) -> None:
    """Files first, then the reload, linger and the holder; fills `draft.gate` with what an agent's start waits for."""
    by_kind: dict[Kind, list[Change]] = {}
    for change in changes:
        by_kind.setdefault(change.key.kind, []).append(change)
    written = _files(draft, by_kind.get(Kind.FRAMEWORK, []))
    if written or reload_due:
        key = ResourceKey(Kind.FRAMEWORK, "daemon-reload")
        draft.gate.append(
            draft.add(Verb.RELOAD, key, "the user's systemd manager", Reason.FRAMEWORK, depends_on=tuple(draft.actions))
        )
    for change in by_kind.get(Kind.LINGER, []):
        _linger(draft, change)
    for change in by_kind.get(Kind.HOLDER, []):
        _holder(draft, change, views, history)


def release_digest(change: Change) -> str:
    """What `mosaic fleet release --holder` lets through: this very change of the holder, and no later one."""
    fields = sorted(change.desired.fields.items()) if change.desired is not None else []
    return hashlib.sha256(repr(fields).encode()).hexdigest()[:16]


def _files(draft: Draft, changes: Iterable[Change]) -> bool:
    units = False
    for change in changes:
        path = change.key.name
        if change.verdict is Verdict.HOLD:
            draft.hold(None, path, Verb.WRITE, HeldReason.UNKNOWN, "the framework files could not be read")
            draft.shut = "the framework files could not be read"
            return False
        if change.verdict is Verdict.CONFLICT:
            message = f"{path} exists and was not written by this fleet: move it away, then run again"
            draft.hold(None, path, Verb.WRITE, HeldReason.NOT_OWNED, message)
            draft.shut = message
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
        draft.gate.append(identity)
        units = units or os.path.splitext(path)[1] in (".service", ".timer", ".slice")
    return units


def _linger(draft: Draft, change: Change) -> None:
    user = change.key.name
    if change.verdict is Verdict.HOLD:
        draft.hold(None, user, Verb.LINGER, HeldReason.UNKNOWN, "whether linger is on could not be seen")
    elif change.verdict is Verdict.CREATE:
        draft.add(Verb.LINGER, change.key, user, Reason.NEW, changes=change.fields, desired=change.desired)


def _holder(draft: Draft, change: Change, views: Mapping[str, AgentView], history: History) -> None:
    if change.verdict is Verdict.HOLD:
        draft.hold(None, HOLDER_UNIT, Verb.START, HeldReason.UNKNOWN, "the holder could not be seen")
        draft.shut = "the holder could not be seen"
        return
    if change.desired is None:
        return
    live = {} if change.present is None else change.present.fields
    server = live.get("server", "down")
    fields = tuple(field for field in change.fields if field.path != "enabled")
    if not live.get("enabled", False):
        enabled = tuple(field for field in change.fields if field.path == "enabled")
        enable = draft.add(
            Verb.ENABLE,
            change.key,
            HOLDER_UNIT,
            Reason.NEW if change.present is None else Reason.DRIFT,
            depends_on=tuple(draft.gate),
            changes=enabled,
            desired=change.desired,
        )
        draft.gate.append(enable)
    if not fields:
        return
    verb, reason, disrupts = _holder_verb(change, live, server)
    living = sorted(name for name, view in views.items() if view.session == "alive")
    blind = any(view.session == "unknown" for view in views.values())
    if verb is Verb.RESTART and server != "down" and (living or blind):
        if history.holder_release != release_digest(change):
            who = f"{len(living)} agent(s) live in its tmux server" if living else "its agents could not be seen"
            message = (
                f"{who}, and this change would end them: stop them, or let it through with "
                "`mosaic fleet release --holder`"
            )
            draft.hold(None, HOLDER_UNIT, verb, HeldReason.WORKING, message, changes=fields)
            draft.shut = "the holder waits for a change that would end living agents"
            return
        disrupts = True
    if change.present is not None and change.present.evidence.get("job"):
        draft.shut = "a job of the holder is under way"
        return
    identity = draft.add(
        verb,
        change.key,
        HOLDER_UNIT,
        reason,
        disrupts=disrupts,
        depends_on=tuple(draft.gate),
        changes=fields,
        desired=change.desired,
        present=change.present,
    )
    draft.gate.append(identity)


def _holder_verb(change: Change, live: Mapping[str, object], server: object) -> tuple[Verb, Reason, bool]:
    if change.present is None:
        return Verb.START, Reason.NEW, False
    if server == "lost":
        return Verb.RECOVER, Reason.UNHEALTHY, False
    paths = {field.path for field in change.fields}
    if paths & {"socket", "session"} and change.present.evidence.get("configured"):
        return Verb.RESTART, Reason.SPEC, False
    if live.get("unit") != "active":
        return Verb.START, Reason.NOT_RUNNING, False
    if server == "down":
        return Verb.RESTART, Reason.UNHEALTHY, False
    return Verb.RECOVER, Reason.UNHEALTHY, False
