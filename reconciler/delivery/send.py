"""Send one message to one agent of this host, now, and log that (never its text)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from providers.filesystem.guarded_read import read_regular
from providers.programs.base import LOSES_QUEUE
from reconciler.delivery.deliver import GRACE_S, LOCK_S, VERIFY_S, deliver, delivery_io
from reconciler.delivery.text import compose
from reconciler.delivery.verdict import Delivery, DeliveryWord
from reconciler.errors import ExitCode, MosaicError
from reconciler.state.event_log import EventLog
from reconciler.status.events import Event, EventType
from specs.dataclass import replace

if TYPE_CHECKING:
    from providers.host import HostFacts
    from reconciler.state.store import Store
    from reconciler.status.events import EventSource
    from specs.compiled import Agent, Fleet

DAY_S = 86400.0  # how long a message that its program has lost waits for the agent's next life
EXIT: Mapping[DeliveryWord, ExitCode] = {
    "delivered": ExitCode.OK,
    "sent": ExitCode.OK,
    "unconfirmed": ExitCode.UNHEALTHY,
    "not-delivered": ExitCode.FAILED,
}


def send(
    fleet: Fleet,
    agent: Agent,
    text: str,
    *,
    facts: HostFacts,
    store: Store,
    sender: str,
    verify: bool = True,
    timeout_s: float = VERIFY_S,
    lock_s: float = LOCK_S,
    grace_s: float = GRACE_S,
    source: EventSource = "operator",
    message_id: str = "",
    before_paste: Callable[[], None] = lambda: None,
    refusals: bool = True,
) -> Delivery:
    """Deliver a text that is `text.clean`, behind its preamble. `refusals`: log a refused message too. Raises
    StateError and Unavailable."""
    whole = compose(text, sender=sender, recipient=f"{fleet.host}:{agent.name}")
    found = deliver(
        agent,
        whole,
        delivery_io(facts, store, fleet.heartbeats),
        verify=verify,
        timeout_s=timeout_s,
        lock_s=lock_s,
        grace_s=grace_s,
        before_paste=before_paste,
    )
    if found.word == "not-delivered" and agent.state != "running":
        found = replace(found, reason=f"it is declared {agent.state}: {found.reason}")
    # Nobody waited to see what became of one that was only sent: it may be in the queue.
    held = found.queued or (found.word == "sent" and found.in_turn)
    if held and not message_id and agent.runtime in LOSES_QUEUE:
        _keep(fleet, agent.name, text, store, sender, found.pid)
    if refusals or found.word != "not-delivered":
        size = len(text.encode())
        record_event(fleet, store, agent.name, found, sender=sender, source=source, size=size, message_id=message_id)
    return found


def process_name(pid: int) -> str:
    """A process as `Life` has it."""
    return f"{read_regular('/proc/sys/kernel/random/boot_id', limit=64).decode().strip()}:{pid}"


def _keep(fleet: Fleet, agent: str, text: str, store: Store, sender: str, pid: int) -> None:
    """It counts as delivered. If the program ends before it has begun with it, it is delivered once more."""
    from reconciler.delivery.outbox import Outbox

    try:
        now = time.time()
        Outbox(store).put_queued(
            agent=agent, sender=sender, text=text, process=process_name(pid), now=now, expires=now + DAY_S,
            revision=fleet.revision,
        )  # fmt: skip
    except (MosaicError, OSError) as error:
        store.warnings.append(f"if its program ends before it takes the message up, the message is lost: {error}")


def record_event(
    fleet: Fleet,
    store: Store,
    agent: str,
    found: Delivery,
    *,
    sender: str,
    source: EventSource,
    size: int,
    message_id: str = "",
) -> None:
    """Log what became of a message of `size` bytes, in one line. A failure to write the log changes nothing about the
    message; the store's warnings report it."""
    fields = {
        "result": found.word,
        "evidence": found.evidence or None,
        "queued": found.queued,
        "sender": sender,
        "bytes": size,
        "id": message_id or None,
    }
    said = found.word + (f": {found.reason}" if found.reason else "")
    log = EventLog(store=store, source=source, fleet=fleet.name, tenant_id=fleet.tenant_id, host=fleet.host)
    event = Event(type=EventType.MESSAGE, message=said, agent=agent, fields=fields)
    try:
        log.write([event], now=time.time(), revision=fleet.revision)
    except MosaicError as error:
        store.warnings.append(error.message)
