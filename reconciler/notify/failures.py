"""What became of each notice: an event for each case, and which notifiers fail now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.base import Json, Parsed
from reconciler.attention.document import moment
from reconciler.helpers.sealed_json import Damaged
from reconciler.state.event_log import EventLog
from reconciler.state.lock import run_lock, sub_store
from reconciler.status.attention_events import notice_events
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from reconciler.attention.notices import Notice
    from reconciler.state.store import Store
    from reconciler.status.events import EventSource

FILE = "notify.json"
LOCK_S = 10.0  # a holder writes one small file


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingNotifier:
    """A notifier whose last try failed. `since`: the first of the failures in a row (Unix seconds)."""

    notifier: str
    since: float
    error: str


def note_outcome(store: Store, notice: Notice, error: str, *, source: EventSource, now: float) -> None:
    """Write the events, and whether this notifier fails. `error`: why, "" if it did not. Other notifiers' threads and
    other runs do the same: each has the file for itself meanwhile. Raises StateError, and Locked."""
    document = notice.document
    log = EventLog(
        store=store,
        source=source,
        fleet=str(document["fleet"]),
        tenant_id=str(document["tenant_id"]),
        host=str(document["host"]),
    )
    log.write(notice_events(notice, error), now=now, revision="")
    with run_lock(sub_store(store, "notify"), now=now, wait_s=LOCK_S, command="the outcome of a notice"):
        known = dict(failing(store))
        before = known.pop(notice.rule.name, None)
        if error:
            since = before.since if before is not None else now
            known[notice.rule.name] = FailingNotifier(notifier=notice.rule.name, since=since, error=error)
        if error or before is not None:
            store.save(FILE, known, _to_json)


def failing(store: Store) -> Mapping[str, FailingNotifier]:
    """Those whose last try failed, by name. A damaged file counts as empty: the next failure is noted again."""
    return store.load(FILE, _from_json, "it is not known which notifiers fail") or {}


def _to_json(known: Mapping[str, FailingNotifier]) -> dict[str, Json]:
    return {name: {"since": one.since, "error": one.error} for name, one in known.items()}


def _from_json(raw: Parsed) -> Mapping[str, FailingNotifier]:
    """Raises Damaged."""
    try:
        return {
            str(name): FailingNotifier(notifier=str(name), since=moment(one["since"]), error=str(one["error"]))
            for name, one in raw.items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Damaged(f"it makes no sense: {error}") from error
