"""Losses: what other people have in the session of an agent that leaves its tmux server for good. Pure.

An agent that is healed or changed is started again in its own pane, and nothing beside it is touched. Where its session
has to go, panes of other people in it are theirs: they are named, and nothing is done until somebody lets them go.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256

from providers.base import HeldReason, Verb
from providers.evidence import SessionEvidence
from providers.fields import SOCKET
from reconciler.plan.need import Need


def with_losses(need: Need, let: str) -> Need:
    """The need, held where others would lose something that has not been let go. `let`: digest of what has been."""
    seen = SessionEvidence.of(need.present)
    others = seen.others if seen is not None else ()
    if need.held is not None or not others or not _ends_session(need):
        return need
    losses = tuple(
        f"{one.command} in window {one.window}, pane {one.index} ({one.id}, pid {one.pid})" for one in others
    )
    if let == losses_digest(losses):
        return replace(need, losses=losses)
    name = need.present.agent if need.present is not None else ""
    message = (
        f"other people have panes in its session that would end with it: {'; '.join(losses)}; "
        f"to end them all the same: mosaic fleet release {name}"
    )
    return replace(need, held=HeldReason.NOT_OWNED, message=message, losses=losses)


def losses_digest(losses: Iterable[str]) -> str:
    """Of these very panes and processes: what comes later has not been let go."""
    return sha256("\n".join(losses).encode()).hexdigest()[:12]


def _ends_session(need: Need) -> bool:
    if need.verb is Verb.STOP:
        return need.removes
    return need.verb is Verb.RESTART and any(change.path == SOCKET for change in need.changes)
