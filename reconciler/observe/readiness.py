"""Readiness: say in one word what an agent is doing, from the evidence about it. Pure and total: all evidence has an
answer, and the answer never claims more than the evidence."""

from __future__ import annotations

import math
from typing import Literal

from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.model import Readiness
from specs.dataclass import dataclass

Shown = Literal["", "composer", "draft", "hidden", "unread"]  # hidden: read, and no composer found
DRAFT = "draft"  # it waits for a person who has begun to write
# These dialogs stand before the first turn of a process: nothing of a turn is lost with them, and the next commit may
# be what ends them. All others count as asked in the middle of a turn; at a menu, a person is there.
BETWEEN_TURNS = frozenset({"trust", "bypass", "first-run", "login", "resume"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessEvidence:
    """The evidence, already attributed to its process. Ages and limits are in seconds.

    `seen`: its pane could be looked at. `heartbeat`: what the newest report says, None without a heartbeat;
    `heartbeat_age` is the age of the heartbeat itself. `idle`: since its last sign of activity, None without evidence.
    `waiting` and `stuck` are reported reasons, "" if none. `own`: the program itself wrote the heartbeat, and not a
    responder; `said_ok`: its program last reported that it is not busy, and has done nothing since. `shown`: what its
    screen shows, "" if nobody can read it; if shown, `asks` is the dialog on it, `shown_busy` means that it shows work,
    `shown_trouble` is what keeps it from working, and `queued`: it shows messages in its program's queue.
    `kept_trouble`: a trouble that only earlier looks saw, and that nothing has ended.
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
    shown_trouble: str = ""
    kept_trouble: str = ""
    queued: bool = False

    @property
    def stale(self) -> bool:
        """Whether there is a heartbeat, and it is older than it may be."""
        return self.heartbeat is not None and is_stale(self.heartbeat_age, self.stale_after)


def waits_for(said: str, asks: str) -> str:
    """What it waits for a person to do; "" if nothing. Either the dialog on its screen or its program's last report is
    enough; a screen without a dialog does not cancel a report, for it may be between two repaints."""
    return asks or said


def classify(evidence: ReadinessEvidence) -> Readiness:
    """The readiness word; never raises. A number that is NaN counts against the agent: as stale, and as not idle."""
    return first_match(WORDS, evidence).then


def is_stale(age: float, stale_after: float) -> bool:
    """An age of exactly `stale_after` is still healthy."""
    return not age <= stale_after


def is_idle(idle: float | None, idle_after: float) -> bool:
    """An idle time of exactly `idle_after` is enough; an unknown or non-finite one never is."""
    return idle is not None and math.isfinite(idle) and idle >= idle_after


WORDS: tuple[DecisionRow[ReadinessEvidence, Readiness], ...] = (
    DecisionRow("unseen", lambda seen: not seen.seen, Readiness.UNKNOWN,
        "its pane could not be inspected"),
    DecisionRow("no pane, or nothing in it", lambda seen: not seen.pane or not seen.process, Readiness.DEAD,
        "none of its processes is alive"),
    DecisionRow("its own word is old", lambda seen: seen.stale and seen.own, Readiness.STALE,
        "its program reports for itself, and its last report is too old: its screen may be just as old"),
    DecisionRow("a dialog on its screen", lambda seen: seen.asks, Readiness.WAITING,
        "an open dialog waits for a person, whatever the reports say"),
    DecisionRow("trouble on its screen", lambda seen: seen.shown_trouble and not seen.shown_busy, Readiness.STUCK,
        "it shows that it cannot work, whatever the reports say: some programs report a message before they refuse it"),
    DecisionRow("no heartbeat", lambda seen: seen.heartbeat is None, Readiness.UNKNOWN,
        "a process is alive, and nothing reports for it"),
    DecisionRow("an old heartbeat", lambda seen: seen.stale, Readiness.STALE,
        "the last report about it is too old"),
    DecisionRow("said to be stuck", lambda seen: seen.stuck, Readiness.STUCK,
        "a report says so; a long silence alone is never enough"),
    DecisionRow("said to wait", lambda seen: seen.waiting, Readiness.WAITING,
        "a report says that it asks a person for a permission, an answer or a login"),
    DecisionRow("said to be busy", lambda seen: seen.heartbeat == "busy", Readiness.WORKING,
        "the newest report says that it is working"),
    DecisionRow("shows that it is busy", lambda seen: seen.shown_busy, Readiness.WORKING,
        "its screen shows that it is working"),
    DecisionRow("trouble before", lambda seen: seen.kept_trouble, Readiness.STUCK,
        "its last turn failed or it could not begin one, and nothing shows that this is over"),
    DecisionRow("queued", lambda seen: seen.queued, Readiness.WORKING,
        "messages that it has yet to take up are in its queue"),
    DecisionRow("a draft", lambda seen: seen.shown == "draft", Readiness.WAITING,
        "a person has begun to type to it"),
    DecisionRow("an unknown screen", lambda seen: seen.shown in ("hidden", "unread"), Readiness.UNKNOWN,
        "its screen was read, or should have been, and shows neither its composer nor a known dialog"),
    DecisionRow("said to be done", lambda seen: seen.said_ok, Readiness.AVAILABLE,
        "its program reported that it is not busy, and has done nothing since"),
    DecisionRow("quiet", lambda seen: is_idle(seen.idle, seen.idle_after), Readiness.AVAILABLE,
        "it has shown no sign of work for `idle_after`"),
    DecisionRow("active", otherwise, Readiness.WORKING,
        "it was active within `idle_after`, or nothing shows whether it was"),
)  # fmt: skip
