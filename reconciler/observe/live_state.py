"""An agent's state from all evidence: its processes, its reports, its screen, and what earlier looks kept. Pure.

The only such function. The plan and every list read it through `agent_view.py`, and a delivery reads it before it puts
anything into a composer, so that they cannot contradict one another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from providers.evidence import KeptTrouble, SessionEvidence
from providers.programs.base import Reading
from reconciler.helpers.times import rfc3339
from reconciler.model import Readiness
from reconciler.observe.health import ended
from reconciler.observe.readiness import DRAFT, ReadinessEvidence, Shown, classify, waits_for
from reconciler.observe.signs_of_work import newest_word, says_done
from reconciler.observe.troubles import Source, TroubleEvidence, kind_of, phrase, trouble_now
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from reconciler.observe.attribution import AttributedHeartbeat
    from reconciler.observe.health import SessionWord
    from specs.compiled import Agent

NO_DIALOG = Reading()
NOT_UNDERSTOOD = "its screen is not understood"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateEvidence:
    """The evidence of one agent. Times are Unix seconds, lengths are seconds. `last`: the last sign of life of its
    pane; `idle`: since its last sign of activity, None without evidence. `life`: see `AgentView`; `kept`: the trouble
    that an earlier look left."""

    session: SessionWord
    seen: SessionEvidence
    heartbeat: AttributedHeartbeat
    turn: AttributedHeartbeat
    now: float
    life: str
    agent: Agent | None = None
    last: float = 0.0
    idle: float | None = None
    idle_after: float = 300.0
    kept: KeptTrouble | None = None

    @property
    def reading(self) -> Reading | None:
        """What its screen shows, None if that cannot be read."""
        return self.seen.screen if self.session == "alive" else None

    @property
    def word(self) -> AttributedHeartbeat:
        """What its own program last reported."""
        return newest_word(self.heartbeat, self.turn)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveState:
    """The state. `waiting`, `stuck`, `until` and `until_at` as in `AgentView`; `dialog` is the reading of the screen
    that asks, an empty one for none. `trouble` is what to keep for the next look. `shown` and `asks`: what its screen
    shows; `busy`: a source says that it works; `said_ok` and `own_ok` as in `SignsOfWork`."""

    readiness: Readiness
    why: str
    waiting: str
    stuck: str
    until: str
    until_at: float
    dialog: Reading
    trouble: KeptTrouble | None
    shown: Shown
    asks: str
    busy: bool
    queued: int
    said_ok: bool
    own_ok: bool

    @property
    def blank(self) -> bool:
        """Whether its screen can be read, and shows nothing known."""
        return self.shown in ("hidden", "unread") and not self.asks


def live_state(one: StateEvidence) -> LiveState:
    """Total: all evidence has an answer."""
    seen, reading, word, heartbeat, turn = one.seen, one.reading, one.word, one.heartbeat, one.turn
    shown, asks = _shown(reading, seen)
    said_ok, own_ok = says_done(word, heartbeat, turn, one.last, one.agent)
    trouble, source = _trouble(one, word)
    without = reading.without if reading is not None else ()  # newer than any report: a login reports nothing
    readiness = classify(
        ReadinessEvidence(
            seen=one.session != "unknown",
            pane=one.session == "alive" or (one.session == "foreign" and (one.agent is None or seen.pane.moved)),
            process=bool(seen.pids),
            heartbeat=None if heartbeat.state == "unknown" else word.status,
            heartbeat_age=heartbeat.age or 0.0,
            stale_after=heartbeat.stale_after,
            idle=one.idle,
            idle_after=one.idle_after,
            waiting=word.waiting,
            stuck=word.stuck if source != "over" and kind_of(word.stuck) not in without else "",
            own=heartbeat.own,
            said_ok=said_ok,
            shown=shown,
            asks=asks,
            shown_busy=reading is not None and reading.turn == "busy",
            shown_trouble=reading.trouble if reading is not None else "",
            kept_trouble=trouble.kind if trouble is not None and source == "kept" else "",
            queued=bool(reading is not None and reading.queued),
        )
    )
    stuck = trouble if readiness is Readiness.STUCK else None
    over = reading is not None and bool(reading.trouble) and reading.turn == "idle"  # it failed: nobody reports its end
    return LiveState(
        readiness=readiness,
        why=_why(readiness, one, word, stuck, source),
        waiting=(waits_for(word.waiting, asks) or DRAFT) if readiness is Readiness.WAITING else "",
        stuck=stuck.kind if stuck is not None else "",
        until=stuck.until if stuck is not None else "",
        until_at=stuck.until_at if stuck is not None else 0.0,
        dialog=reading if reading is not None and asks and readiness is Readiness.WAITING else NO_DIALOG,
        trouble=trouble,
        shown=shown,
        asks=asks,
        busy=(word.status if not turn.note else heartbeat.state) == "busy" and not over,
        queued=len(reading.queued) if reading is not None else 0,
        said_ok=said_ok,
        own_ok=own_ok,
    )


def _shown(reading: Reading | None, seen: SessionEvidence) -> tuple[Shown, str]:
    """What its screen shows, and the dialog on it."""
    if reading is None:
        return ("unread" if seen.unread else ""), ""
    words: dict[str, Shown] = {"empty": "composer", "draft": "draft", "hidden": "hidden"}
    return words[reading.composer], reading.asks


def _trouble(one: StateEvidence, word: AttributedHeartbeat) -> tuple[KeptTrouble | None, Source]:
    reading = one.reading
    over = word.own and word.status == "ok" and not word.stuck
    shows = reading is not None and reading.turn != "busy"
    return trouble_now(
        TroubleEvidence(
            seen=one.session != "unknown",
            lives=one.session in ("alive", "foreign") and bool(one.seen.pids),
            life=one.life,
            shown=reading.trouble if reading is not None and shows else "",
            reported=kind_of(word.stuck) if not word.note else "",
            reported_at=word.ts,
            answered_at=max(one.heartbeat.answered, one.turn.answered),
            session=word.session,
            taken_back_at=word.ts if over and word.source in ("", "native") else 0.0,
            without=reading.without if reading is not None else (),
            kept=one.kept,
        ),
        one.now,
        reading.until if reading is not None else "",
    )


def _why(
    readiness: Readiness, one: StateEvidence, word: AttributedHeartbeat, stuck: KeptTrouble | None, source: Source
) -> str:
    """The evidence for the readiness word, in a few words."""
    seen, heartbeat, idle = one.seen, one.heartbeat, one.idle
    who = "its heartbeat" if word.source in ("", "native") else word.source
    said = f"{who}{f' ({word.event})' if word.event else ''}"
    shown = seen.screen
    if readiness is Readiness.DEAD:
        why = {
            "missing": "it has no session",
            "dead": ended(seen),
            "foreign": "its session's name is taken by another one",
        }
        return why.get(one.session, "no process lives in its pane")
    if readiness is Readiness.UNKNOWN:
        return "it could not be seen" if one.session == "unknown" else heartbeat.note or _illegible(seen)
    if readiness is Readiness.STALE:
        return heartbeat.note
    if readiness is Readiness.STUCK and stuck is not None:
        what = phrase(stuck.kind, stuck.until)
        if source == "shown":
            return f"its screen: {what}"
        if source == "kept":
            return f"{what}: seen at {rfc3339(stuck.since)}, and nothing shows that it is over"
        return f"{said}: {what}" + (f" ({word.stuck})" if kind_of(word.stuck) != word.stuck else "")
    if readiness is Readiness.WAITING:
        if shown is not None and (shown.asks or shown.composer == "draft"):
            suffix = f": {shown.why}" if shown.asks and shown.why else ""
            return f"its screen{suffix}: it waits for a person ({shown.asks or DRAFT})"
        return f"{said}: it waits for a person ({word.waiting})"
    if readiness is Readiness.WORKING:
        if word.status == "busy":
            return f"{said} says busy"
        if shown is not None and shown.turn == "busy":
            return f"its screen: {shown.why}"
        if shown is not None and shown.queued:
            return "its screen: messages are in its queue"
        return f"active {idle or 0.0:.0f} s ago"
    return "" if idle is None else f"no sign of activity for {idle:.0f} s"


def _illegible(seen: SessionEvidence) -> str:
    """Why the screen tells nothing, for a program whose screens we can read."""
    if seen.unread:
        return f"its screen could not be read: {seen.unread}"
    why = f" ({seen.screen.why})" if seen.screen is not None and seen.screen.why else ""
    return f"{NOT_UNDERSTOOD}: it shows neither its prompt nor a known dialog{why}"
