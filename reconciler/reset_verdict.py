"""Reset: whether an agent may be made to forget its conversation, and whether it has. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from reconciler.classify import Readiness

if TYPE_CHECKING:
    from providers.programs.base import Program
    from reconciler.model import AgentView
    from specs.compiled import Agent

How = Literal["", "new", "clear", "restart"]
_LONG = 6  # letters and digits of a line that is worth looking for again
_LAST = 2  # such lines above the cursor are what was said last
_MORE = 2  # lines that a fresh screen may have more than the one before: a tip, a greeting


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The newest word of the agent's own program: which event, in which of its sessions, when (Unix seconds), and how
    it was said."""

    ts: float = 0.0
    event: str = ""
    session: str = ""
    by: Literal["hook", "status-file"] = "status-file"


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


def objection(view: AgentView, *, restart: bool) -> str:
    """Why the agent is not to be reset unasked, as the end of a sentence; "" if nothing speaks against it. One that is
    dead, stale or stuck is what a reset is for."""
    if view.session == "foreign":
        return "has a session that is not this fleet's"
    if view.session in ("dead", "missing"):
        return "" if restart else "does not run"
    if view.readiness is Readiness.WAITING:
        return f"waits for somebody ({view.waiting})"
    if view.readiness in (Readiness.STALE, Readiness.STUCK) and restart:
        return ""
    if view.available:
        return ""
    if view.heartbeat == "busy":
        return "says that it is busy"
    return "may be working: nothing says that it is not" if view.available is None else "was active just now"


def evidence(
    before: Record, after: Record, was: Sight, now: Sight | None, *, submitted: float
) -> Literal["", "hook", "status-file", "pane"]:
    """What shows that the conversation is a new one. Its program's word counts most; then a screen that is ready for
    input, and on which nothing stands of what was said last. `submitted`: Unix seconds; some records know no
    fractions."""
    if after.ts >= int(submitted) and after != before:
        if before.session and after.session and before.session != after.session:
            return after.by
        if begins_session(after.event) and after.event != before.event:
            return after.by
    if now is None or not now.ready:
        return ""
    stands, last = _worth(now.lines), _worth(was.lines[: was.row])[-_LAST:]
    grown = len(stands) > len(_worth(was.lines)) + _MORE  # what was there may only have been pushed off the screen
    return "pane" if last and not grown and not set(last) & set(stands) else ""


def begins_session(event: str) -> bool:
    """Whether an event's name says that a session begins: SessionStart, session_start, session.created, ..."""
    letters = "".join(one for one in event.lower() if one.isalpha())
    return letters in ("sessionstart", "sessioncreated", "sessionnew", "sessionswitch", "sessionreset", "reset")


def _worth(lines: Sequence[str]) -> list[str]:
    """Each once, in order."""
    return list(dict.fromkeys(line.strip() for line in lines if sum(one.isalnum() for one in line) >= _LONG))


def newest(records: Collection[Record]) -> Record:
    """The last of them; an empty one if there is none."""
    return max(records, key=lambda one: one.ts, default=Record())
