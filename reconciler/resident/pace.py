"""Pace: when the resident loop may look again, so that it rests in proportion to what its looks cost. Pure.

The first event after a quiet time is answered at once. After a look, events are collected for a rest twice as long as
the look was. What a person waits for (a commit, a request) or an agent (its process ended, it asks something) cuts a
rest short, once: the part that was cut is added to the next rest, which nothing cuts. So the loop never spends more
than about a third of its time looking, however many events there are.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from providers.base import HeldReason
from reconciler.resident.wake_reason import WakeReason
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from reconciler.model import Plan

REST = 2.0  # after a look that took d, events are collected for REST * d ...
REST_MAX_S = 2.0  # ... but no longer than this
REST_MIN_S = 0.01
URGENT = frozenset({*WakeReason} - {WakeReason.UNITS, WakeReason.HEARTBEAT})
NOW = URGENT | {WakeReason.UNITS}  # reasons for a look as soon as the rest is over; others wait for the next full one


@dataclass(slots=True)
class Pace:
    """Times on the monotonic clock, in seconds. `look`: the next full look; `fetch`: the next question to a remote;
    `rest`: no look before this; `owed`: what was cut off the rest before the present look. `waiting`: a heartbeat may
    end a wait."""

    look: float = 0.0
    fetch: float = 0.0
    rest: float = 0.0
    owed: float = 0.0
    waiting: bool = False

    def due(self, reasons: AbstractSet[WakeReason]) -> float:
        """When to look, given what has happened since the last look."""
        if reasons & URGENT and not self.owed:
            return 0.0
        stirred = bool(reasons & NOW) or (self.waiting and WakeReason.HEARTBEAT in reasons)
        return self.rest if stirred else max(self.look, self.rest)

    def begin(self, now: float) -> None:
        """A look begins, perhaps before the rest is over."""
        self.owed = max(0.0, self.rest - now)

    def end(self, began: float, now: float) -> None:
        """A look has ended: rest."""
        self.rest = now + min(REST_MAX_S, max(REST_MIN_S, REST * (now - began))) + self.owed


def waits_for_heartbeat(plan: Plan) -> bool:
    """Whether an agent's next heartbeat may end a wait: it may say that the agent is idle, or answers again. Other held
    things do not depend on it, and with a thousand agents one has always just written."""
    return any(held.reason in (HeldReason.WORKING, HeldReason.UNKNOWN) and held.agent is not None for held in plan.held)
