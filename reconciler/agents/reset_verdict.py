"""Reset verdict: whether an agent may be reset, and whether it was. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from reconciler.model import NAME_TAKEN
from reconciler.observe.may_end import Who, may_end

if TYPE_CHECKING:
    from providers.programs.base import Program
    from reconciler.model import AgentView
    from specs.compiled import Agent

How = Literal["", "new", "clear", "restart"]
_LONG = 6  # letters and digits of a line that is worth looking for again
_LAST = 2  # such lines above the cursor are what was said last
_MORE = 2  # lines that a fresh screen may have more than the one before: a tip, a greeting


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetRecord:
    """The newest word of the agent's own program: which event, in which of its sessions, when (Unix seconds), by which
    process, and how it was said."""

    ts: float = 0.0
    event: str = ""
    session: str = ""
    pid: int = 0
    by: Literal["hook", "status-file"] = "status-file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarted:
    """What a restart has come to. `word`: "delivered" only where the program itself names another session than before;
    "" while it may still do so. `reason`: a sentence without its full stop."""

    word: Literal["", "delivered", "unconfirmed"]
    evidence: Literal["", "hook", "status-file"] = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A screen: what stands on it, the row of its cursor, and whether its composer was found and is empty."""

    lines: tuple[str, ...]
    row: int
    ready: bool


def reset_text(agent: Agent, program: Program, how: Literal["", "new", "clear"]) -> str | None:
    """The command to be typed; the runtime's own, as declared, where nobody asks for a certain one."""
    if how:
        return program.reset_text(how)
    return agent.reset_command or program.reset_text("new") or program.reset_text("clear")


def objection(view: AgentView, *, restart: bool, forced: bool = False) -> str:
    """Why the agent is not to be reset unasked, as a sentence; "" if nothing speaks against it. `forced`: somebody
    said --force, which is no reason to touch what belongs to somebody else."""
    if view.session in ("dead", "missing") and not restart:
        return "it does not run"
    return may_end(view, Who.FORCE if forced else Who.RESTART if restart else Who.RESET).why


def would_not_start(view: AgentView) -> str:
    """Why a restart would be the end of it, as a sentence; no --force changes that."""
    why = view.no_start or (NAME_TAKEN if view.taken else "")
    return f"it would not start again: {why}" if why else ""


def evidence(
    before: ResetRecord, after: ResetRecord, was: Sight, now: Sight | None, *, submitted: float, late: bool = False
) -> Literal["", "hook", "status-file", "pane"]:
    """What shows that the conversation is a new one. Its program's word counts most, and where it names the session of
    before, no screen says otherwise; then a screen that is ready for input, and on which nothing stands of what was
    said last. `submitted`: Unix seconds; some records know no fractions. `late`: the program names a new session with
    its first prompt only, so what it still says of the old one is not a word about the new one."""
    if after.ts >= int(submitted) and after != before:
        if before.session and after.session and before.session != after.session:
            return after.by
        if before.session and after.session and not late:
            return ""
        if begins_session(after.event) and after.event != before.event:
            return after.by
    if now is None or not now.ready:
        return ""
    stands, last = _worth(now.lines), _worth(was.lines[: was.row])[-_LAST:]
    grown = len(stands) > len(_worth(was.lines)) + _MORE  # what was there may only have been pushed off the screen
    return "pane" if last and not grown and not set(last) & set(stands) else ""


def after_restart(before: ResetRecord, after: ResetRecord, *, since: float, over: bool) -> Restarted:
    """Whether a restart has brought a new conversation. A new process is none: its command may take the old one up
    again, and shows whatever it likes while it does. Only what it says itself of its session counts. `since`: Unix
    seconds of the restart; `over`: nobody waits any longer."""
    fresh = after.ts >= int(since) and after.pid != before.pid and bool(after.session)
    if fresh and before.session:
        if after.session != before.session:
            return Restarted(word="delivered", evidence=after.by)
        return Restarted(
            word="unconfirmed",
            reason="its program was restarted, and is in the same session as before: its command resumes the old "
            "conversation",
        )
    if not over:
        return Restarted(word="")
    if fresh:
        reason = "its program was restarted, and nothing is known of the session that it was in before"
    elif before.session:
        reason = "its program was restarted, and has not said yet which session it is in"
    else:
        reason = "its program was restarted, and says nothing of its sessions"
    return Restarted(word="unconfirmed", reason=reason)


def begins_session(event: str) -> bool:
    """Whether an event's name says that a session begins: SessionStart, session_start, session.created, ..."""
    letters = "".join(one for one in event.lower() if one.isalpha())
    return letters in ("sessionstart", "sessioncreated", "sessionnew", "sessionswitch", "sessionreset", "reset")


def _worth(lines: Sequence[str]) -> list[str]:
    """Each once, in order."""
    return list(dict.fromkeys(line.strip() for line in lines if sum(one.isalnum() for one in line) >= _LONG))


def newest(records: Collection[ResetRecord]) -> ResetRecord:
    """The last of them; an empty one if there is none."""
    return max(records, key=lambda one: one.ts, default=ResetRecord())
