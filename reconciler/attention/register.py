"""The register: which cases are open, since when, and who was notified of each. Pure; `reconciler.state` keeps it.

A case is raised once and cleared once. It is over only by evidence: an agent that cannot be seen, or whose screen shows
nothing known at the moment, still has the case that it had.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.attention.case import DIALOGS, AttentionCase, AttentionKind
from reconciler.attention.cases import is_suspended
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.model import AgentHistory, AgentView, Readiness
from specs.dataclass import dataclass, field, replace

if TYPE_CHECKING:
    from reconciler.model import History


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """`number`: never used twice on this host for a fleet; `raised`: the id under which it was raised. `notified`: by
    the name of a notifier, when it was last handed the case (Unix seconds)."""

    case: AttentionCase
    number: int
    raised: str
    notified: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChange:
    """One case that was raised, or cleared, at a time (Unix seconds)."""

    raised: bool
    case: AttentionCase
    number: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """`changes` were decided, and may not be in the event log yet. `last` is the highest number so far. `lost`: what
    was on it is not known, nor who was notified of what."""

    open: tuple[OpenCase, ...] = ()
    changes: tuple[CaseChange, ...] = ()
    last: int = 0
    lost: bool = False


def as_notified(register: Register, names: Collection[str], now: float) -> Register:
    """The register with its cases taken as handed to these notifiers just now."""
    notified = dict.fromkeys(names, now)
    return replace(register, open=tuple(replace(one, notified={**notified, **one.notified}) for one in register.open))


def updated(
    register: Register,
    cases: Sequence[AttentionCase],
    views: Mapping[str, AgentView],
    history: History,
    *,
    messages: frozenset[str] | None,
    suspended: Collection[str] = (),
    now: float,
) -> Register:
    """The register after a look, with the changes that follow. `cases`: those that the look shows; `messages`: ids of
    the messages that are unconfirmed, None if that is not known; `suspended`: as for `cases_of`."""
    left = list(cases)
    kept: list[OpenCase] = []
    changes: list[CaseChange] = []
    nobody = AgentHistory()
    for known in register.open:
        same = next((one for one in left if is_same(known.case, one)), None)
        if same is not None:
            left.remove(same)
            kept.append(_not_later(replace(known, case=_merged(known.case, same)), now))
            continue
        view = views.get(known.case.agent)
        about = CaseEvidence(known.case, view, history.agents.get(known.case.agent, nobody), messages)
        if first_match(OVER, about).then:
            changes.append(CaseChange(raised=False, case=known.case, number=known.number, at=now))
        else:
            away = is_suspended(known.case.agent, suspended)
            kept.append(_not_later(replace(known, case=replace(known.case, suspended=away)), now))
    number = register.last
    for case in map(_without_keys, left):
        number = max(number + 1, int(now * 1000))
        kept.append(OpenCase(case=case, number=number, raised=case.id))
        changes.append(CaseChange(raised=True, case=case, number=number, at=now))
    return Register(open=tuple(kept), changes=tuple(changes), last=number)


def is_same(known: AttentionCase, seen: AttentionCase) -> bool:
    """Whether a case that is seen is one that is known: the same id; or a dialog of the same process whose text is
    known of only one of the two, since a hook reports a dialog before its screen shows it."""
    if known.id == seen.id:
        return True
    if (known.agent, known.life) != (seen.agent, seen.life):
        return False
    dialogs = known.kind in DIALOGS and seen.kind in DIALOGS
    return dialogs and not (known.asked and seen.asked)


def _merged(known: AttentionCase, seen: AttentionCase) -> AttentionCase:
    """What is known of a case keeps its text while the screen does not show it."""
    if known.asked and not seen.asked and known.kind in DIALOGS:
        return replace(known, suspended=seen.suspended)
    question = seen.question if seen.kind in DIALOGS else known.question  # our own sentences have ages in them
    return replace(_without_keys(seen), since=known.since, question=question)


def _without_keys(case: AttentionCase) -> AttentionCase:
    """What is remembered: whoever answers looks at the screen again, and finds the keys there."""
    if not any(one.keys or one.selected for one in case.choices):
        return case
    return replace(case, choices=tuple(replace(one, keys=(), selected=False) for one in case.choices))


def _not_later(known: OpenCase, now: float) -> OpenCase:
    """After the clock was set back, nothing that is known may have happened later than now."""
    if known.case.since <= now and all(at <= now for at in known.notified.values()):
        return known
    notified = {name: min(at, now) for name, at in known.notified.items()}
    return replace(known, case=replace(known.case, since=min(known.case.since, now)), notified=notified)


def listed(
    register: Register,
    cases: Sequence[AttentionCase],
    views: Mapping[str, AgentView],
    history: History,
    *,
    messages: frozenset[str] | None,
    suspended: Collection[str] = (),
    now: float,
) -> tuple[OpenCase, ...]:
    """The cases of a look that writes nothing, each with what the register knows of it."""
    return updated(register, cases, views, history, messages=messages, suspended=suspended, now=now).open


@dataclass(frozen=True, slots=True)
class CaseEvidence:
    """A case that was open and that the look does not show, and what is known of its agent now."""

    case: AttentionCase
    view: AgentView | None
    history: AgentHistory
    messages: frozenset[str] | None

    @property
    def unseen(self) -> bool:
        return self.view is not None and self.view.session == "unknown"

    @property
    def same_life(self) -> bool:
        view = self.view
        return view is not None and view.session == "alive" and view.life == self.case.life


# Whether such a case is over.
OVER: tuple[DecisionRow[CaseEvidence, bool], ...] = (
    DecisionRow("messages that could not be read",
        lambda of: of.case.kind is AttentionKind.UNCONFIRMED and of.messages is None, False,
        "nothing is concluded about what was not seen"),
    DecisionRow("its message is gone", lambda of: of.case.kind is AttentionKind.UNCONFIRMED, True,
        "somebody has read it and put it away, or it was confirmed"),
    DecisionRow("still in quarantine",
        lambda of: of.case.kind is AttentionKind.QUARANTINE and of.view is not None
        and of.view.desired_state == "running" and f"{of.history.quarantined_since:.0f}" == of.case.life, False,
        "the loop's own memory says so"),
    DecisionRow("out of quarantine", lambda of: of.case.kind is AttentionKind.QUARANTINE, True,
        "it has been well for long enough, or somebody has released or stopped it"),
    DecisionRow("nobody's", lambda of: of.view is None, True,
        "neither git nor this host knows the agent any more"),
    DecisionRow("unseen", lambda of: of.unseen, False,
        "its pane could not be inspected"),
    DecisionRow("another life", lambda of: not of.same_life, True,
        "the process that the case belonged to has ended"),
    DecisionRow("not understood", lambda of: of.view is not None
        and of.view.readiness in (Readiness.UNKNOWN, Readiness.STALE), False,
        "its screen may be between two repaints, or its reports are old: neither ends a case"),
    DecisionRow("it goes on", otherwise, True,
        "it works, is available, or asks something else"),
)  # fmt: skip
