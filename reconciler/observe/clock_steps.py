"""Clock steps: notice that somebody set the clock, or that the machine slept. Pure.

Heartbeats and tmux use wall clock stamps. If the clock is set forward by an hour, everything looks an hour old: every
agent idle, every heartbeat stale. So we compare the wall clock with the monotonic clock, and a stamp by the old clock
counts as made at the moment when we noticed the step.
"""

from __future__ import annotations

from reconciler.model import History, Observation
from specs.dataclass import replace

STEP_S = 5.0  # more than any slewing between two looks, less than a heartbeat may be late
DRIFT_S = 1.0  # larger slewing is recorded and is not a step; smaller is not worth a write


def clock_seen(history: History, observation: Observation) -> History:
    """The history, updated with this look's clocks."""
    offset = observation.taken_at - observation.uptime
    if not observation.boot_id or history.clock_boot != observation.boot_id:
        # Another boot: its processes are younger than any earlier stamp.
        return replace(history, clock_offset=offset, clock_boot=observation.boot_id, clock_set_at=0.0)
    moved = abs(offset - history.clock_offset)
    if moved > STEP_S:
        return replace(history, clock_offset=offset, clock_set_at=observation.taken_at)
    return replace(history, clock_offset=offset) if moved > DRIFT_S else history


def stamp(value: float, observation: Observation) -> float:
    """A wall clock stamp as it counts now: a stamp by the clock before a step counts from the step."""
    set_at = observation.clock_set_at
    if set_at and value and (value < set_at or value > observation.taken_at + STEP_S):
        return set_at
    return value
