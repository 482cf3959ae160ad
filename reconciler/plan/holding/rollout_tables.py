"""The tables of a rollout: what forbids an end, what makes it wait and for how long, and whose turn it is. Pure."""

from __future__ import annotations

from collections.abc import Callable

from providers.base import Reason, Verb
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.model import AgentView
from reconciler.observe.attribution import CLOCK_SLACK_S
from reconciler.observe.may_end import Who, may_end
from reconciler.plan.need import Need
from specs.compiled import Policy
from specs.dataclass import dataclass

SHOWS_S = 30.0  # how long a program may take to show its prompt before its screen counts as not known


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutEnding:
    """A living agent that must end for a need."""

    view: AgentView
    need: Need
    policy: Policy

    @property
    def never(self) -> bool:
        """Whether the policy forbids this restart. A stop is requested by name, and a heal fixes what is broken."""
        return self.policy.on_change == "never" and self.need.verb is Verb.RESTART and not self.need.heals

    @property
    def who(self) -> Who:
        """Who requests the end, for the table of what may end an agent."""
        return first_match(WHO, self.need).then


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An end and the objection to it ("" if none). `deadline`: until when it waits without a person (Unix seconds, as
    `now`)."""

    ending: RolloutEnding
    objection: str
    deadline: float
    now: float

    @property
    def at_limit(self) -> bool:
        """Whether a restart would only meet the usage limit that the agent is at: the time when that ends is known, and
        has not come. A policy that asks about nothing does not ask about this either."""
        view, policy = self.ending.view, self.ending.policy
        asks = policy.on_change != "immediately" and not self.ending.never
        return asks and self.ending.need.verb is Verb.RESTART and view.stuck == "limit" and view.until_at > self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An agent that may be restarted now. `repairs_floor`: it is broken, and the fleet cannot do without its class."""

    orchestrator: bool
    repairs_floor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A candidate in the queue. `before`: how many are restarted before it in this pass; `down`: how many others are
    unavailable; `draining`: another agent's restart still waits for that agent to become idle; `closed`: those of
    the unavailable that were restarted before and cannot take input; `limit`: how many may be unavailable at once."""

    candidate: Candidate
    before: int
    down: int
    draining: bool
    limit: int
    closed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """An agent, and when the first restart of this rollout became `due` (Unix seconds, as `now`)."""

    view: AgentView
    due: float
    now: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """An agent with a need. `due`: its backoff lets it start now."""

    view: AgentView
    need: Need
    due: bool


WHO: tuple[DecisionRow[Need, Who], ...] = (
    DecisionRow("an operator's request", lambda need: need.reason is Reason.REQUESTED, Who.RELAUNCH,
        "a person asked for a restart of this process"),
    DecisionRow("a change in git", lambda need: need.reason in (Reason.SPEC, Reason.REMOVED, Reason.MOVED, Reason.NEW),
        Who.COMMIT, "a commit has changed its declaration"),
    DecisionRow("anything else", otherwise, Who.DRIFT,
        "the host differs from git, or something is broken"),
)  # fmt: skip


def _no_objection(ending: RolloutEnding) -> str:
    del ending
    return ""


def _policy_is_never(ending: RolloutEnding) -> str:
    del ending
    return "the rollout policy is never: restart it by hand"


def _what_it_does(ending: RolloutEnding) -> str:
    return may_end(ending.view, ending.who).why


# The objection to an end.
OBJECTIONS: tuple[DecisionRow[RolloutEnding, Callable[[RolloutEnding], str]], ...] = (
    DecisionRow("policy: immediately", lambda one: one.policy.on_change == "immediately", _no_objection,
        "the fleet's policy allows agents to be ended whatever they are doing"),
    DecisionRow("policy: never", lambda one: one.never, _policy_is_never,
        "the fleet's policy leaves restarts to a person"),
    DecisionRow("may be ended", lambda one: may_end(one.view, one.who).allowed, _no_objection,
        "the table of what may end an agent allows it"),
    DecisionRow("may not be ended", otherwise, _what_it_does,
        "the table of what may end an agent forbids it, or there is no evidence"),
)  # fmt: skip

Hold = Callable[[Waiting], tuple[str, float | None]]  # the message, and when it is looked at again


def _by_hand(one: Waiting) -> tuple[str, float | None]:
    return one.objection, None


def _drain_is_over(one: Waiting) -> tuple[str, float | None]:
    way = "the drain timeout has passed, and it is not ended by force: stop it by hand, or set on_change"
    return f"{one.objection}; {way}", None


def _until_it_is_idle(one: Waiting) -> tuple[str, float | None]:
    return one.objection, one.deadline


def until_its_limit_ends(one: Waiting) -> tuple[str, float | None]:
    """Its conversation goes on then; a restart before would change nothing about it."""
    view = one.ending.view
    return f"it is at its usage limit{f' until {view.until}' if view.until else ''}", view.until_at


# Whether an agent's end waits, and until when. None: it does not wait.
BY_AGENT: tuple[DecisionRow[Waiting, Hold | None], ...] = (
    DecisionRow("forced", lambda one: one.ending.need.forced, None,
        "a person gave --force for exactly this process"),
    DecisionRow("at its limit", lambda one: one.at_limit, until_its_limit_ends,
        "it can go on with its conversation then, and with a new process it could not sooner"),
    DecisionRow("nothing against it", lambda one: not one.objection, None,
        "the policy and the evidence allow it"),
    DecisionRow("policy: never", lambda one: one.ending.never, _by_hand,
        "waiting does not change that: a person has to restart it"),
    DecisionRow("drained for too long", lambda one: one.now >= one.deadline, _drain_is_over,
        "a timeout never ends an agent: a person has to decide"),
    DecisionRow("draining", otherwise, _until_it_is_idle,
        "it may become idle by itself"),
)  # fmt: skip

# The order of the queue: lower numbers first, then by name.
ORDER: tuple[DecisionRow[Candidate, int], ...] = (
    DecisionRow("broken orchestrator", lambda one: one.orchestrator and one.repairs_floor, 0,
        "the fleet cannot do without it, and it leads all others"),
    DecisionRow("broken enhancer", lambda one: one.repairs_floor, 1,
        "the fleet cannot do without it"),
    DecisionRow("agent", lambda one: not one.orchestrator, 2,
        "the agents that are led come before the one that leads"),
    DecisionRow("orchestrator", otherwise, 3,
        "it is not broken, so it can lead until the others are done"),
)  # fmt: skip

Say = Callable[[Turn], str]


def _comes_last(turn: Turn) -> str:
    del turn
    return "the orchestrator is restarted last"


def _limit_reached(turn: Turn) -> str:
    limit = f"at most {turn.limit} agent(s) may be unavailable at once"
    return limit + (f", and {', '.join(turn.closed)}, restarted before, cannot take input" if turn.closed else "")


# Whether a candidate has to wait for its turn. None: it does not wait.
TURN: tuple[DecisionRow[Turn, Say | None], ...] = (
    DecisionRow("orchestrator before others",
        lambda turn: turn.candidate.orchestrator
        and not turn.candidate.repairs_floor
        and (turn.before or turn.down or turn.draining),
        _comes_last, "it leads the others until they are done"),
    DecisionRow("too many unavailable", lambda turn: turn.before + turn.down >= turn.limit,
        _limit_reached, "the policy says how many may be unavailable at once"),
    DecisionRow("its turn", otherwise,
        None, "there is room for it"),
)  # fmt: skip

# Whether an agent counts as unavailable because a restart of this rollout may have left it unable to take input.
CAME_UP: tuple[DecisionRow[Started, bool], ...] = (
    DecisionRow("does not run", lambda one: one.view.session != "alive", False,
        "it has not started at all: see COMING_BACK"),
    DecisionRow("ran before", lambda one: one.view.started <= one.due - CLOCK_SLACK_S, False,
        "it was not started for this rollout, so it must not hold up the others"),
    DecisionRow("at a closed dialog", lambda one: one.view.closed, True,
        "it accepts no input until a person has answered, and the others would meet the same dialog"),
    DecisionRow("has not shown its prompt yet",
        lambda one: one.view.blank and one.now - one.view.started < SHOWS_S, True,
        "it is not known yet whether it starts properly"),
    DecisionRow("came up", otherwise, False,
        "it can take input, or has been unknown for so long that its screen must be one that is not recognised"),
)  # fmt: skip

# Whether an agent is down and counts as unavailable because this pass may bring it back.
COMING_BACK: tuple[DecisionRow[Down, bool], ...] = (
    DecisionRow("not to run", lambda one: one.view.desired_state != "running", False,
        "it is not supposed to run"),
    DecisionRow("not down", lambda one: one.view.session not in ("missing", "dead"), False,
        "it is alive, or could not be seen"),
    DecisionRow("backs off", lambda one: not one.due, False,
        "it may stay down for ever, and must not hold up the others until then"),
    DecisionRow("no heal", lambda one: not one.need.heals, False,
        "before its first start the fleet did without it"),
    DecisionRow("ends something first", lambda one: one.need.disrupts, False,
        "it is a candidate itself"),
    DecisionRow("held", lambda one: one.need.held is not None, False,
        "this pass does not start it"),
    DecisionRow("comes back", otherwise, True,
        "it will be available again soon, and until then it counts as unavailable"),
)  # fmt: skip
