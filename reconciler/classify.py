"""Classify: in one word what an agent is doing, from the evidence about it. Pure, and total: there is an answer for
whatever the evidence is, and it is never better than the evidence.

The words, in the order in which they are decided:

    unknown    its pane could not be looked at
    dead       there is no pane, or no process in it
    unknown    a process lives, and nothing answers for it: there is no heartbeat
    stale      the last heartbeat is older than it may be
    stuck      something says so; a long silence alone never does
    waiting    something says that it asks a person: for a permission, an answer, a login
    working    it says that it is busy, or it was active within `idle_after`
    available  it answers, says that it is not busy, and has been quiet for `idle_after`
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Readiness(StrEnum):
    """The closed list, in the order in which a person wants to hear of it."""

    DEAD = "dead"
    STUCK = "stuck"
    STALE = "stale"
    UNKNOWN = "unknown"
    WAITING = "waiting"
    WORKING = "working"
    AVAILABLE = "available"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What there is to go by, credited already. Ages and limits are in seconds.

    `seen`: its pane could be looked at. `heartbeat`: what the newest word about it says, None without a heartbeat;
    `heartbeat_age` is that of the heartbeat itself. `idle`: since its last sign of activity, None where nothing tells.
    `waiting` and `stuck` are somebody's words, "" where nobody says so.
    """

    seen: bool = True
    pane: bool = True
    process: bool = True
    heartbeat: Literal["ok", "busy"] | None = None
    heartbeat_age: float = 0.0
    stale_after: float = 45.0
    idle: float | None = None
    idle_after: float = 300.0
    waiting: str = ""
    stuck: str = ""


def classify(evidence: Evidence) -> Readiness:
    """The word for it; never raises. What is not a number counts against the agent: as stale, and as not idle."""
    if not evidence.seen:
        return Readiness.UNKNOWN
    if not (evidence.pane and evidence.process):
        return Readiness.DEAD
    if evidence.heartbeat is None:
        return Readiness.UNKNOWN
    if is_stale(evidence.heartbeat_age, evidence.stale_after):
        return Readiness.STALE
    if evidence.stuck:
        return Readiness.STUCK
    if evidence.waiting:
        return Readiness.WAITING
    if evidence.heartbeat == "busy" or not is_idle(evidence.idle, evidence.idle_after):
        return Readiness.WORKING
    return Readiness.AVAILABLE


def is_stale(age: float, stale_after: float) -> bool:
    """An age of exactly `stale_after` is still healthy."""
    return not age <= stale_after


def is_idle(idle: float | None, idle_after: float) -> bool:
    """An idleness of exactly `idle_after` is enough; one that is not known, or not a number, never is."""
    return idle is not None and math.isfinite(idle) and idle >= idle_after
