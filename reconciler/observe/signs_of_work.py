"""Signs of work: find the newest report on what an agent does, and whether it is quiet or hung. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.observe.attribution import CLOCK_SLACK_S
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.evidence import SessionEvidence
    from reconciler.observe.attribution import AttributedHeartbeat
    from specs.compiled import Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class SignsOfWork:
    """`unreadable`: its screen shows a menu, or nothing known. `own_ok`: its own program's newest report is that it is
    not busy; `said_ok`: and nothing came after it. `stale`: the responder that answers for it is silent. `known`: there
    is a sign of activity at all; `idle`: the last sign is old enough."""

    unreadable: bool
    own_ok: bool
    said_ok: bool
    stale: bool
    known: bool
    idle: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestWords:
    """The heartbeat and the turn record of one agent."""

    heartbeat: AttributedHeartbeat
    turn: AttributedHeartbeat


def newest_word(heartbeat: AttributedHeartbeat, turn: AttributedHeartbeat) -> AttributedHeartbeat:
    """What its own program last reported about its turn."""
    return turn if first_match(TURN_COUNTS, NewestWords(heartbeat=heartbeat, turn=turn)).then else heartbeat


def says_done(
    word: AttributedHeartbeat,
    heartbeat: AttributedHeartbeat,
    turn: AttributedHeartbeat,
    last: float,
    agent: Agent | None,
) -> tuple[bool, bool]:
    """Two answers: whether its own program reported after its last output (`last`, Unix seconds) that it is not busy,
    and whether that is its newest report at all. `word`: the `newest_word` of the two. A program paints a little more
    after its hook has run: a prompt, a status line."""
    hooks = not turn.note and word.status == "ok"
    native = heartbeat.state == "ok" and heartbeat.own and (agent is None or agent.native_heartbeat)
    after = last > 0 and ((hooks and word.ts >= last - CLOCK_SLACK_S) or (native and heartbeat.ts > last))
    return after, hooks or native


def is_quiet(signs: SignsOfWork) -> bool | None:
    """Whether it has shown no sign of work for long enough; None without evidence."""
    return first_match(QUIET, signs).then


def is_hung(agent: Agent | None, heartbeat: AttributedHeartbeat, seen: SessionEvidence) -> bool:
    """Whether its program usually reports for itself, is silent, and its pane is quiet too. The pane's quiet is
    measured by its length, not from the last heartbeat: a program usually hangs on input that came after that."""
    quiet = seen.last_activity > 0 and (seen.idle_s or 0.0) > heartbeat.stale_after
    return heartbeat.state == "stale" and heartbeat.own and quiet and agent is not None and agent.native_heartbeat


# Whether the turn record counts instead of the heartbeat.
TURN_COUNTS: tuple[DecisionRow[NewestWords, bool], ...] = (
    DecisionRow("no turn record", lambda words: words.turn.note, False,
        "there is none, or it is about another process"),
    DecisionRow("the heartbeat is not its own", lambda words: not words.heartbeat.own, True,
        "another process that reports for it only repeats what its program said"),
    DecisionRow("the turn is as new", lambda words: words.turn.ts >= words.heartbeat.ts, True,
        "both are reports of its program, and the newer one counts"),
    DecisionRow("the heartbeat is newer", otherwise, False,
        "its program has reported since"),
)  # fmt: skip

QUIET: tuple[DecisionRow[SignsOfWork, bool | None], ...] = (
    DecisionRow("an unknown screen", lambda signs: signs.unreadable and not signs.own_ok, None,
        "an unknown dialog may be about a step of its work, and only a report of its program can rule that out"),
    DecisionRow("its program has spoken", lambda signs: signs.stale and signs.said_ok, True,
        "what reports for it is silent, and its program has reported that it is done"),
    DecisionRow("no sign at all", lambda signs: not signs.known, None,
        "nothing shows when it was active"),
    DecisionRow("idle", lambda signs: signs.idle, True,
        "the last sign of activity is older than `idle_after`"),
    DecisionRow("active", otherwise, False,
        "it was active within `idle_after`"),
)  # fmt: skip
