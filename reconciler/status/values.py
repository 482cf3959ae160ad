"""Values that a run reports and the status keeps. Pure."""

from __future__ import annotations

from typing import Literal

from reconciler.status.conditions import ConditionReason
from specs.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What became of the newest commit. `attempted` is that commit, `applied` the one in force; "" is none.

    `reason` is one of the SourceReady reasons; everything but RevisionAccepted and NotFetched is a failure.
    """

    attempted: str
    applied: str
    reason: ConditionReason
    message: str
    dirty: bool = False  # the working tree has edits that are not committed, so not applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """The kill switch as it was found. `since` is 0 and `by` empty where the file does not say."""

    reason: str
    by: str = ""
    since: float = 0.0


RunOutcome = Literal["converged", "partial", "failed", "held", "paused", "refused"]
