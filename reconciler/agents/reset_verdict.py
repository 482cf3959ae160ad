"""Reset verdict: decide whether an agent may be reset, and whether it was. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Literal

from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.model import NAME_TAKEN
from reconciler.observe.may_end import Who, may_end
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.programs.base import Program
    from reconciler.model import AgentView
    from specs.compiled import Agent

How = Literal["", "new", "clear", "restart"]
ResetEvidence = Literal["", "hook", "status-file", "pane"]
_LONG = 6  # letters and digits that make a line worth looking for again
_LAST = 2  # as many of these lines above the cursor count as the last words
_MORE = 2  # lines that a fresh screen may have more than the one before: a tip, a greeting


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetRecord:
    """The newest report of the agent's own program: which event, in which of its sessions, when (Unix seconds), by
    which process, and how it was reported."""

    ts: float = 0.0
    event: str = ""
    session: str = ""
    pid: int = 0
    by: Literal["hook", "status-file"] = "status-file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarted:
    """The result of a restart. `word`: "delivered" only if the program itself names a session other than before; ""
    while it may still do so. `reason`: a sentence without its full stop."""

    word: Literal["", "delivered", "unconfirmed"]
    evidence: Literal["", "hook", "status-file"] = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A screen: its text, the row of its cursor, and whether its composer was found and is empty."""

    lines: tuple[str, ...]
    row: int
    ready: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetLook:
    """A reset that was submitted: its program's reports and its screens, before and after. See `evidence`."""

    before: ResetRecord
    after: ResetRecord
    was: Sight
    now: Sight | None
    submitted: float
    late: bool

    @property
    def spoken(self) -> bool:
        """Whether its program has reported something since; some records have no fractions of a second."""
        return self.after.ts >= int(self.submitted) and self.after != self.before

    @property
    def named(self) -> bool:
        """Whether its program names a session, before and after."""
        return bool(self.before.session and self.after.session)

    @property
    def last(self) -> list[str]:
        """The last words above the cursor."""
        return _worth(self.was.lines[: self.was.row])[-_LAST:]

    @property
    def stands(self) -> list[str]:
        return _worth(self.now.lines) if self.now is not None else []


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartLook:
    """A restart: its program's reports before and after. See `after_restart`."""

    before: ResetRecord
    after: ResetRecord
    since: float
    over: bool

    @property
    def fresh(self) -> bool:
        """Whether another process names its session since."""
        return self.after.ts >= int(self.since) and self.after.pid != self.before.pid and bool(self.after.session)


def reset_text(agent: Agent, program: Program, how: Literal["", "new", "clear"]) -> str | None:
    """The command to type: the runtime's own, as declared, unless a certain one was asked for."""
    if how:
        return program.reset_text(how)
    return agent.reset_command or program.reset_text("new") or program.reset_text("clear")


def objection(view: AgentView, *, restart: bool, forced: bool = False) -> str:
    """The objection to a reset, as a sentence; "" if there is none. `forced`: somebody said --force, which never
    permits touching what belongs to somebody else."""
    if view.session in ("dead", "missing") and not restart:
        return "it does not run"
    return may_end(view, Who.FORCE if forced else Who.RESTART if restart else Who.RESET).why


def would_not_start(view: AgentView) -> str:
    """Why a restart would lose the agent, as a sentence; no --force changes that."""
    why = view.no_start or (NAME_TAKEN if view.taken else "")
    return f"it would not start again: {why}" if why else ""


def evidence(
    before: ResetRecord, after: ResetRecord, was: Sight, now: Sight | None, *, submitted: float, late: bool = False
) -> ResetEvidence:
    """The evidence that the conversation is a new one. Its program's report counts most: if it names the earlier
    session, no screen outweighs it. Next comes a screen that is ready for input and shows none of the last words.
    `submitted`: Unix seconds; some records have no fractions. `late`: the program names a new session only with its
    first prompt, so an earlier report of the old one says nothing about the new one."""
    look = ResetLook(before=before, after=after, was=was, now=now, submitted=submitted, late=late)
    return first_match(RESETS, look).then(look)


def after_restart(before: ResetRecord, after: ResetRecord, *, since: float, over: bool) -> Restarted:
    """Whether a restart has brought a new conversation. A new process alone proves nothing: its command may resume the
    old one, and may show anything meanwhile. Only its own report on its session counts. `since`: Unix seconds of the
    restart; `over`: nobody waits any longer."""
    look = RestartLook(before=before, after=after, since=since, over=over)
    return first_match(RESTARTS, look).then(look)


def begins_session(event: str) -> bool:
    """Whether an event's name means that a session begins: SessionStart, session_start, session.created, ..."""
    letters = "".join(one for one in event.lower() if one.isalpha())
    return letters in ("sessionstart", "sessioncreated", "sessionnew", "sessionswitch", "sessionreset", "reset")


def _worth(lines: Sequence[str]) -> list[str]:
    """Each once, in order."""
    return list(dict.fromkeys(line.strip() for line in lines if sum(one.isalnum() for one in line) >= _LONG))


def newest(records: Collection[ResetRecord]) -> ResetRecord:
    """The last of them; an empty one if there is none."""
    return max(records, key=lambda one: one.ts, default=ResetRecord())


def _nothing(look: ResetLook) -> ResetEvidence:
    del look
    return ""


def _its_word(look: ResetLook) -> ResetEvidence:
    return look.after.by


def _its_screen(look: ResetLook) -> ResetEvidence:
    del look
    return "pane"


# The evidence that the conversation is a new one.
RESETS: tuple[DecisionRow[ResetLook, Callable[[ResetLook], ResetEvidence]], ...] = (
    DecisionRow("another session",
        lambda look: look.spoken and look.named and look.before.session != look.after.session, _its_word,
        "its program names another session than before"),
    DecisionRow("the same session", lambda look: look.spoken and look.named and not look.late, _nothing,
        "its program says that nothing is new, whatever the screen shows"),
    DecisionRow("a session begins",
        lambda look: look.spoken and begins_session(look.after.event) and look.after.event != look.before.event,
        _its_word, "its program says so"),
    DecisionRow("no composer", lambda look: look.now is None or not look.now.ready, _nothing,
        "the screen is not ready for input, or cannot be read"),
    DecisionRow("nothing had been said", lambda look: not look.last, _nothing,
        "an empty screen before says nothing about one after"),
    DecisionRow("more on the screen", lambda look: len(look.stands) > len(_worth(look.was.lines)) + _MORE, _nothing,
        "what was there may only have been pushed off the screen"),
    DecisionRow("it still stands there", lambda look: set(look.last) & set(look.stands), _nothing,
        "what was said last is still on the screen"),
    DecisionRow("a fresh screen", otherwise, _its_screen,
        "it is ready for input, and nothing stands on it of what was said last"),
)  # fmt: skip


def _delivered(look: RestartLook) -> Restarted:
    return Restarted(word="delivered", evidence=look.after.by)


def _not_yet(look: RestartLook) -> Restarted:
    del look
    return Restarted(word="")


def _unconfirmed(reason: str) -> Callable[[RestartLook], Restarted]:
    return lambda _: Restarted(word="unconfirmed", reason=f"its program was restarted, {reason}")


# The result of a restart.
RESTARTS: tuple[DecisionRow[RestartLook, Callable[[RestartLook], Restarted]], ...] = (
    DecisionRow("another session",
        lambda look: look.fresh and look.before.session and look.after.session != look.before.session, _delivered,
        "the new process names another session than the old one did"),
    DecisionRow("the same session", lambda look: look.fresh and look.before.session,
        _unconfirmed("and is in the same session as before: its command resumes the old conversation"),
        "a new process does not make a new conversation"),
    DecisionRow("it may still say so", lambda look: not look.over, _not_yet,
        "there is time left"),
    DecisionRow("nothing to compare with", lambda look: look.fresh,
        _unconfirmed("and nothing is known of the session that it was in before"),
        "there is no way to know whether its session is another one"),
    DecisionRow("nothing said since", lambda look: look.before.session,
        _unconfirmed("and has not said yet which session it is in"),
        "it may have taken the old one up again"),
    DecisionRow("nothing said at all", otherwise,
        _unconfirmed("and says nothing of its sessions"),
        "silence proves nothing"),
)  # fmt: skip
