"""The attention round: keep the register of what needs a person, and decide who is to be notified.

A run that finds nothing, and has nothing on its register, does not import this. Each change of a case is in the event
log exactly once, also if a run is killed at any instruction: the register says what is to be written before it is
written, and the next run looks in the log for what is missing. A notice is handed over at most once: the register says
so before it is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from reconciler.attention.case import AttentionKind
from reconciler.attention.cases import UnconfirmedMessage, cases_of
from reconciler.attention.notices import NEVER, Notice, due_notices
from reconciler.attention.register import Register, as_notified, listed, updated
from reconciler.state.event_log import EventLog, read_events
from reconciler.state.open_cases import load_register, save_register
from reconciler.state.pause import merge
from reconciler.status.attention_events import change_event
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from reconciler.attention.case import AttentionCase
    from reconciler.attention.register import OpenCase
    from reconciler.model import AgentView, History
    from reconciler.state.store import Store
    from specs.compiled import Fleet


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionRound:
    """What a round leaves for the status and for the caller. `again`: when the next notice is due (Unix seconds)."""

    cases: tuple[AttentionCase, ...] = ()
    notices: tuple[Notice, ...] = ()
    again: float = NEVER


def after_look(
    store: Store,
    fleet: Fleet,
    views: Mapping[str, AgentView],
    *,
    source: Literal["watch", "reconcile"],
    paused: bool,
    now: float,
) -> AttentionRound:
    """Bring the register up to date with what a run saw last. Needs the fleet's lock. Raises StateError."""
    log = EventLog(store=store, source=source, fleet=fleet.name, tenant_id=fleet.tenant_id, host=fleet.host)
    before = load_register(store)
    if before.changes:
        _write_missing(log, before, fleet.revision)
        before = replace(before, changes=())
    history = store.load_history(now=now)
    messages = unconfirmed(store)
    away = merge(fleet.suspended, store.load_suspensions(), now).keys()
    cases = cases_of(views, history, unconfirmed=messages or (), suspended=away, now=now)
    register = updated(before, cases, views, history, messages=_ids(messages), suspended=away, now=now)
    if before.lost:
        register = as_notified(register, [rule.name for rule in fleet.notify], now)  # never twice, at the cost of never
    if register.changes:
        save_register(store, register)
        log.write([change_event(one) for one in register.changes], now=now, revision=fleet.revision)
        register = replace(register, changes=())
    found: tuple[Notice, ...] = ()
    again = NEVER
    if not paused and fleet.notify and register.open:
        head = {"fleet": fleet.name, "tenant_id": fleet.tenant_id, "host": fleet.host}
        register, found, again = due_notices(register, fleet.notify, head=head, now=now, minute=local_minute)
    save_register(store, register)
    return AttentionRound(cases=tuple(one.case for one in register.open), notices=found, again=again)


def open_cases(
    store: Store, fleet: Fleet, views: Mapping[str, AgentView], history: History, *, now: float
) -> tuple[OpenCase, ...]:
    """What needs a person by a look that writes nothing."""
    messages = unconfirmed(store)
    away = merge(fleet.suspended, store.load_suspensions(), now).keys()
    cases = cases_of(views, history, unconfirmed=messages or (), suspended=away, now=now)
    return listed(load_register(store), cases, views, history, messages=_ids(messages), suspended=away, now=now)


def unconfirmed(store: Store) -> tuple[UnconfirmedMessage, ...] | None:
    """The messages that may or may not have arrived; None if they could not be read."""
    from reconciler.delivery.outbox import Outbox
    from reconciler.errors import MosaicError

    try:
        messages = Outbox(store).messages()
    except MosaicError:
        return None
    return tuple(
        UnconfirmedMessage(id=one.id, agent=one.agent, sender=one.sender, created=one.created, reason=one.reason)
        for one in messages
        if one.state == "unconfirmed"
    )


def unlisted(store: Store) -> bool:
    """Whether a message is unconfirmed that no open case is about."""
    known = {one.case.life for one in load_register(store).open if one.case.kind is AttentionKind.UNCONFIRMED}
    return bool((_ids(unconfirmed(store)) or frozenset()) - known)


def _ids(messages: tuple[UnconfirmedMessage, ...] | None) -> frozenset[str] | None:
    return None if messages is None else frozenset(one.id for one in messages)


def _write_missing(log: EventLog, register: Register, revision: str) -> None:
    """Write the changes that a killed run decided and did not write. Raises StateError."""
    written = {(one.get("type"), one.get("number")) for one in read_events(log.store)}
    for change in register.changes:
        event = change_event(change)
        if (str(event.type), change.number) not in written:
            log.write([event], now=change.at, revision=revision)


def local_minute(when: float) -> int:
    """The minute of the day in the host's local time."""
    local = time.localtime(when)
    return local.tm_hour * 60 + local.tm_min
