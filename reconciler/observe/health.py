"""Health: decide whether an agent is as git says, and what is wrong if not. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from providers.base import Health, Present
from providers.evidence import NO_SESSION, SessionEvidence
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from reconciler.observe.attribution import AttributedHeartbeat
    from specs.compiled import Agent

NOT_SEEN = "could not be seen"
START_GRACE_S = 30.0  # how long a launch may take to become the declared program, even when many start at once
EXEC_GRACE_S = 1.0  # a program may exec another while it starts

SessionWord = Literal["alive", "dead", "missing", "foreign", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """An agent's session. `hidden`: it could not be looked at."""

    hidden: bool
    session: Present | None

    @property
    def seen(self) -> SessionEvidence:
        return SessionEvidence.of(self.session) or NO_SESSION


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFacts:
    """`agent` None: git does not declare it. `active` is systemd's word for its unit, `job` the type of the job queued
    for it, `session` the word for its session, and `age` the age of its pane in seconds."""

    agent: Agent | None
    active: str
    session: str
    seen: SessionEvidence
    age: float
    heartbeat: AttributedHeartbeat
    job: str = ""

    @property
    def to_run(self) -> bool:
        return self.agent is not None and self.agent.state == "running"

    @property
    def runtime(self) -> str:
        return self.agent.runtime if self.agent is not None else ""


def session_state(session: Present | None, *, hidden: bool) -> SessionWord:
    """The word for an agent's session."""
    return first_match(SESSIONS, SessionFacts(hidden=hidden, session=session)).then


def health_of(facts: HealthFacts) -> tuple[Health, str]:
    """Its health, and a sentence that is empty only when all is well."""
    health, why = first_match(HEALTHS, facts).then
    return health, why(facts)


def ended(seen: SessionEvidence) -> str:
    """Say that its program has ended, and how."""
    status = seen.pane.dead_status
    return "its program has ended" + (f" with status {status}" if status is not None else "")


SESSIONS: tuple[DecisionRow[SessionFacts, SessionWord], ...] = (
    DecisionRow("could not be looked at", lambda one: one.hidden, "unknown",
        "nothing is concluded about what was not seen"),
    DecisionRow("out of reach", lambda one: one.seen.hidden, "unknown",
        "it is alive in a tmux server that cannot be asked"),
    DecisionRow("none", lambda one: one.session is None or not one.seen.pane.session, "missing",
        "there is no session; files of an earlier one may remain"),
    DecisionRow("somebody else's", lambda one: one.session is not None and not one.session.ours, "foreign",
        "it does not carry this fleet's mark"),
    DecisionRow("alive", lambda one: one.seen.alive, "alive",
        "a process is alive in its pane"),
    DecisionRow("dead", otherwise, "dead",
        "its pane exists, and no process in it is alive"),
)  # fmt: skip


HealthReason = Callable[[HealthFacts], str]


def _say(text: str) -> HealthReason:
    return lambda _: text


def _entry(facts: HealthFacts) -> str:
    return (facts.agent.held if facts.agent is not None else None) or ""


def _still_here(facts: HealthFacts) -> str:
    return f"should be {facts.agent.state if facts.agent is not None else 'absent'}, still here"


def _unit(facts: HealthFacts) -> str:
    return f"its unit is {facts.active}"


def _ended(facts: HealthFacts) -> str:
    return ended(facts.seen)


def _wrong_program(facts: HealthFacts) -> str:
    return f'"{facts.seen.program}" runs in its pane, not {facts.runtime}'


def _silent(facts: HealthFacts) -> str:
    native = facts.agent is None or facts.agent.native_heartbeat
    return facts.heartbeat.note + ("" if native else ", not native")


# First what is unknown, then what must not run, then what is on its way, and last what is wrong.
HEALTHS: tuple[DecisionRow[HealthFacts, tuple[Health, HealthReason]], ...] = (
    DecisionRow("undeclared", lambda of: of.agent is None, (Health.UNKNOWN, _say("not declared in git")),
        "git does not say what it should be"),
    DecisionRow("its entry is wrong", lambda of: of.agent is not None and of.agent.held is not None,
        (Health.UNKNOWN, _entry), "its declaration cannot be read"),
    DecisionRow("unseen", lambda of: "unknown" in (of.session, of.active), (Health.UNKNOWN, _say(NOT_SEEN)),
        "nothing is concluded about what was not seen"),
    DecisionRow("not to run, and gone",
        lambda of: not of.to_run and of.session == "missing" and of.active in ("inactive", "failed"),
        (Health.HEALTHY, _say("")), "nothing is left of it on this host"),
    DecisionRow("not to run, and here", lambda of: not of.to_run, (Health.UNHEALTHY, _still_here),
        "something is left of it on this host"),
    DecisionRow("its unit is on its way", lambda of: of.active in ("activating", "deactivating") or of.job,
        (Health.SETTLING, _unit), "systemd has not finished"),
    DecisionRow("foreign", lambda of: of.session == "foreign",
        (Health.UNKNOWN, _say("a session of this name exists that is not ours")),
        "nothing is concluded about a session of somebody else"),
    DecisionRow("missing", lambda of: of.session == "missing", (Health.UNHEALTHY, _say("it has no session")),
        "it should run"),
    DecisionRow("dead", lambda of: of.session == "dead", (Health.UNHEALTHY, _ended),
        "it should run"),
    DecisionRow("launching", lambda of: of.seen.launching and of.age < START_GRACE_S,
        (Health.SETTLING, _say("it is starting")), "a launch can take a while when many agents start at once"),
    DecisionRow("launching for too long", lambda of: of.seen.launching,
        (Health.UNHEALTHY, _say("its launch does not finish")), "no launch takes that long"),
    DecisionRow("another program, a moment old", lambda of: of.seen.program != of.runtime and of.age < EXEC_GRACE_S,
        (Health.SETTLING, _say("it is starting")), "a program may exec another while it starts"),
    DecisionRow("another program", lambda of: of.seen.program != of.runtime, (Health.UNHEALTHY, _wrong_program),
        "the program that runs there is not the agent"),
    DecisionRow("silent", lambda of: of.heartbeat.state == "stale" and of.heartbeat.own, (Health.UNHEALTHY, _silent),
        "a process in its pane should report and does not; a sidecar's silence proves nothing about the agent"),
    DecisionRow("its unit does not run", lambda of: of.active != "active", (Health.UNHEALTHY, _unit),
        "nothing would start it again at a boot"),
    DecisionRow("healthy", otherwise, (Health.HEALTHY, _say("")),
        "it is as git declares it"),
)  # fmt: skip
