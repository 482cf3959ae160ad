"""Classify: in one word what an agent is doing, from the evidence about it. Pure, and total: there is an answer for
whatever the evidence is, and it is never better than the evidence.

The words, in the order in which they are decided:

    unknown    its pane could not be looked at
    dead       there is no pane, or no process in it
    stale      its program speaks for itself, and its last heartbeat is older than it may be
    waiting    a dialog stands on its screen, whatever anybody says
    unknown    a process lives, and nothing answers for it: there is no heartbeat
    stale      the last heartbeat is older than it may be
    stuck      something says so; a long silence alone never does
    waiting    something says that it asks a person: for a permission, an answer, a login
    working    it says or shows that it is busy
    waiting    a person's draft stands in its composer
    unknown    its screen could be read, and shows neither its composer nor a dialog that is known
    available  its program has said that it is not busy, and done nothing since; or it has been quiet for `idle_after`
    working    it was active within `idle_after`
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from reconciler.model import Readiness

Shown = Literal["", "composer", "draft", "hidden", "unread"]  # hidden: read, and no composer found
DRAFT = "draft"  # a person is waited for who has begun to write
# For these a person is asked before a turn, or after it: nothing of a turn is lost with them. All others count as asked
# in the middle of one.
BETWEEN_TURNS = frozenset({"trust", "login", "menu"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessEvidence:
    """What there is to go by, credited already. Ages and limits are in seconds.

    `seen`: its pane could be looked at. `heartbeat`: what the newest word about it says, None without a heartbeat;
    `heartbeat_age` is that of the heartbeat itself. `idle`: since its last sign of activity, None where nothing tells.
    `waiting` and `stuck` are somebody's words, "" where nobody says so. `own`: the heartbeat is the program's own
    word, and not of something that answers for it; `said_ok`: its program said last that it is not busy, and has done
    nothing since. `shown`: what its screen shows, "" where nobody can read it; then `asks` is the dialog on it and
    `shown_busy` says that it shows work.
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
    own: bool = False
    said_ok: bool = False
    shown: Shown = ""
    asks: str = ""
    shown_busy: bool = False


def waits_for(said: str, asks: str) -> str:
    """What a person is waited for; "" for nothing: the dialog on its screen, or what its program said last. Whichever
    says so counts; a screen without a dialog takes no word back, for it may be between two paintings."""
    return asks or said


def classify(evidence: ReadinessEvidence) -> Readiness:
    """The word for it; never raises. What is not a number counts against the agent: as stale, and as not idle."""
    if not evidence.seen:
        return Readiness.UNKNOWN
    if not (evidence.pane and evidence.process):
        return Readiness.DEAD
    stale = evidence.heartbeat is not None and is_stale(evidence.heartbeat_age, evidence.stale_after)
    if stale and evidence.own:
        return Readiness.STALE
    if evidence.asks:
        return Readiness.WAITING
    if evidence.heartbeat is None:
        return Readiness.UNKNOWN
    if stale:
        return Readiness.STALE
    if evidence.stuck:
        return Readiness.STUCK
    if waits_for(evidence.waiting, evidence.asks):
        return Readiness.WAITING
    if evidence.heartbeat == "busy" or evidence.shown_busy:
        return Readiness.WORKING
    if evidence.shown == "draft":
        return Readiness.WAITING
    if evidence.shown in ("hidden", "unread"):
        return Readiness.UNKNOWN
    if evidence.said_ok or is_idle(evidence.idle, evidence.idle_after):
        return Readiness.AVAILABLE
    return Readiness.WORKING


def is_stale(age: float, stale_after: float) -> bool:
    """An age of exactly `stale_after` is still healthy."""
    return not age <= stale_after


def is_idle(idle: float | None, idle_after: float) -> bool:
    """An idleness of exactly `idle_after` is enough; one that is not known, or not a number, never is."""
    return idle is not None and math.isfinite(idle) and idle >= idle_after
