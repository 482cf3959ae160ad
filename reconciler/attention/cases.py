"""The cases that a look shows: derived from what is known of each agent, and from the messages that may not have
arrived. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from providers.programs.base import Choice
from reconciler.attention.answers import answered_by
from reconciler.attention.case import AttentionCase, AttentionKind, case_id
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.helpers.redact import hide_secrets
from reconciler.model import OF_A_PERSON, AgentHistory, AgentView, Readiness
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from reconciler.model import History

MAX_QUESTION = 2000  # characters of a question that are kept and shown
EVERYTHING = "*"  # a suspension of the whole fleet

_DIALOGS: Mapping[str, AttentionKind] = {
    "permission": AttentionKind.PERMISSION,
    "question": AttentionKind.QUESTION,
    "trust": AttentionKind.TRUST,
    "bypass": AttentionKind.BYPASS,
    "login": AttentionKind.LOGIN,
    "first-run": AttentionKind.FIRST_RUN,
    "model": AttentionKind.MODEL,
    "resume": AttentionKind.RESUME,
}
_TROUBLES: Mapping[str, AttentionKind] = {
    "logged-out": AttentionKind.LOGGED_OUT,
    "limit": AttentionKind.LIMIT,
    "api-error": AttentionKind.API_ERROR,
    "retries": AttentionKind.RETRIES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnconfirmedMessage:
    """A message that may or may not have arrived. `created`: Unix seconds."""

    id: str
    agent: str
    sender: str
    created: float
    reason: str = ""


def cases_of(
    views: Mapping[str, AgentView],
    history: History,
    *,
    unconfirmed: Iterable[UnconfirmedMessage] = (),
    suspended: Collection[str] = (),
    now: float,
) -> tuple[AttentionCase, ...]:
    """Every case there is now, by agent and urgency. `suspended`: the names of suspended agents, "*" for all. `since`
    is `now`: when a case was first seen is in the register."""
    found: list[AttentionCase] = []
    nobody = AgentHistory()
    for name, view in views.items():
        about = AgentFacts(view, history.agents.get(name, nobody))
        found += _cases(about, away=is_suspended(name, suspended), now=now)
    for message in unconfirmed:
        sent = f"a message from {message.sender} may or may not have arrived"
        about_it = f"{sent}: {message.reason}" if message.reason else sent
        away = is_suspended(message.agent, suspended)
        found.append(_case(message.agent, AttentionKind.UNCONFIRMED, message.id, about_it, now=now, suspended=away))
    order = list(AttentionKind)
    return tuple(sorted(found, key=lambda one: (one.agent, order.index(one.kind), one.id)))


def is_suspended(agent: str, suspended: Collection[str]) -> bool:
    """Whether an agent is left alone on purpose, by its name or with all others."""
    return agent in suspended or EVERYTHING in suspended


def case_of(view: AgentView, *, now: float) -> AttentionCase | None:
    """The case that an agent's own state is: a dialog, what keeps it from working, silence. None if it is none."""
    kind = first_match(KINDS, view).then(view)
    if kind is None:
        return None
    if kind is AttentionKind.CANNOT_START:
        return _case(view.name, kind, "", view.no_start, now=now)
    question = view.question or view.readiness_why
    return _case(
        view.name, kind, view.life, question, asked=view.question, choices=view.choices, takes_text=view.takes_text,
        until=view.until, until_at=view.until_at, now=now,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """What is known of one agent now, and what the loop remembers of it."""

    view: AgentView
    history: AgentHistory


def _cases(about: AgentFacts, *, away: bool, now: float) -> Iterable[AttentionCase]:
    own = case_of(about.view, now=now)
    if own is not None:
        yield _with(own, suspended=away)
    since = about.history.quarantined_since
    if since and about.view.desired_state == "running":
        said = "it kept ending: each start now waits the longest"
        yield _case(about.view.name, AttentionKind.QUARANTINE, f"{since:.0f}", said, now=now, suspended=away)


def _with(case: AttentionCase, *, suspended: bool) -> AttentionCase:
    return replace(case, suspended=suspended) if suspended else case


def _case(
    agent: str,
    kind: AttentionKind,
    life: str,
    question: str,
    *,
    now: float,
    asked: str = "",
    choices: tuple[Choice, ...] = (),
    takes_text: bool = False,
    until: str = "",
    until_at: float = 0.0,
    suspended: bool = False,
) -> AttentionCase:
    """`asked`: the text of its dialog as the screen shows it. Only that counts for the id: our own sentences have ages
    in them."""
    name = case_id(agent, life, kind, asked, choices)
    return AttentionCase(
        id=name,
        agent=agent,
        kind=kind,
        life=life,
        since=now,
        question=_shown(question),
        choices=choices,
        answered_by=answered_by(agent, kind, name, life, choices, takes_text=takes_text),
        until=until,
        until_at=until_at,
        suspended=suspended,
    )


def _shown(question: str) -> str:
    lines = (line.rstrip() for line in hide_secrets(question).split("\n"))
    text = "\n".join(lines).strip("\n")
    return text if len(text) <= MAX_QUESTION else text[: MAX_QUESTION - 3] + "..."


def _waits(view: AgentView) -> bool:
    return view.readiness is Readiness.WAITING


_Named = Callable[[AgentView], AttentionKind | None]


def _none(view: AgentView) -> None:
    del view


def _dialog(view: AgentView) -> AttentionKind:
    return _DIALOGS.get(view.waiting, AttentionKind.DIALOG)


def _trouble(view: AgentView) -> AttentionKind:
    return _TROUBLES.get(view.stuck, AttentionKind.STUCK)


KINDS: tuple[DecisionRow[AgentView, _Named], ...] = (
    DecisionRow("cannot start",
        lambda view: view.no_start and view.desired_state == "running" and view.session in ("dead", "missing"),
        lambda _: AttentionKind.CANNOT_START, "it should run, and what it needs to start is missing"),
    DecisionRow("not alive", lambda view: view.session != "alive", _none,
        "no process of ours is there to be answered; that it is down is for the loop to heal"),
    DecisionRow("a person is there", lambda view: _waits(view) and view.waiting in OF_A_PERSON, _none,
        "a person has begun to type, or has opened a menu"),
    DecisionRow("a dialog", _waits, _dialog,
        "it waits until a person answers; a dialog that no reader has a name for counts too"),
    DecisionRow("trouble", lambda view: view.readiness is Readiness.STUCK, _trouble,
        "its program cannot work until a person does something, or until the time that it shows"),
    DecisionRow("hung", lambda view: view.hung, lambda _: AttentionKind.HUNG,
        "its program usually reports for itself, and is silent"),
    DecisionRow("nothing", otherwise, _none,
        "it works, it is available, or not enough is known: a case is never a guess"),
)  # fmt: skip
