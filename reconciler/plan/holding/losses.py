"""Losses: what other people have in the session of an agent that leaves its tmux server for good. Pure.

An agent that is healed or changed starts again in its own pane, and the other panes stay untouched. If its session must
go, other people's panes in it would be lost: each is named, and nothing is done until somebody accepts that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256

from providers.base import HeldReason, Verb
from providers.evidence import SessionEvidence
from providers.fields import SOCKET
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.plan.need import Need
from specs.dataclass import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Losing:
    """A need, and a line for each thing that other people have in the session. `let`: digest of what may go."""

    need: Need
    losses: tuple[str, ...]
    let: str


def with_losses(need: Need, let: str) -> Need:
    """The need, held if others would lose something that nobody has accepted. `let`: digest of the accepted losses."""
    seen = SessionEvidence.of(need.present)
    others = seen.others if seen is not None else ()
    losses = tuple(
        f"{one.command} in window {one.window}, pane {one.index} ({one.id}, pid {one.pid})" for one in others
    )
    losing = Losing(need=need, losses=losses, let=let)
    return first_match(LOSSES, losing).then(losing)


def losses_digest(losses: Iterable[str]) -> str:
    """Digest of exactly these panes and processes: one that appears later is not covered."""
    return sha256("\n".join(losses).encode()).hexdigest()[:12]


def _ends_session(need: Need) -> bool:
    if need.verb is Verb.STOP:
        return need.removes
    return need.verb is Verb.RESTART and any(change.path == SOCKET for change in need.changes)


def _as_it_is(one: Losing) -> Need:
    return one.need


def _released(one: Losing) -> Need:
    return replace(one.need, losses=one.losses)


def _hold(one: Losing) -> Need:
    name = one.need.present.agent if one.need.present is not None else ""
    message = (
        f"other people have panes in its session that would end with it: {'; '.join(one.losses)}; "
        f"to end them all the same: mosaic fleet release {name}"
    )
    return replace(one.need, held=HeldReason.NOT_OWNED, message=message, losses=one.losses)


LOSSES: tuple[DecisionRow[Losing, Callable[[Losing], Need]], ...] = (
    DecisionRow("held already", lambda one: one.need.held is not None, _as_it_is,
        "nothing is done"),
    DecisionRow("nobody else is there", lambda one: not one.losses, _as_it_is,
        "nobody loses anything"),
    DecisionRow("its session stays", lambda one: not _ends_session(one.need), _as_it_is,
        "its own pane is used again, and nothing beside it is touched"),
    DecisionRow("let go", lambda one: one.let == losses_digest(one.losses), _released,
        "an operator has let these very panes go"),
    DecisionRow("others would lose something", otherwise, _hold,
        "what other people have there is theirs"),
)  # fmt: skip
