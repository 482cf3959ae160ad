"""Conditions: statements about a fleet on a host, each with a reason from a closed list.

Every reason is explained in `docs/conditions.md`; a test compares the page with this file.
"""

from __future__ import annotations

from enum import StrEnum

from specs.dataclass import dataclass


class ConditionType(StrEnum):
    """What is stated; for all but Reconciling, Stalled and Paused, True is the good answer."""

    SOURCE_READY = "SourceReady"
    OBSERVED = "Observed"
    READY = "Ready"
    FRAMEWORK_CURRENT = "FrameworkCurrent"
    FLOOR_HEALTHY = "FloorHealthy"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    PAUSED = "Paused"


class ConditionStatus(StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class ConditionReason(StrEnum):
    """The closed list. Adding one means adding its line to docs/conditions.md."""

    # SourceReady
    REVISION_ACCEPTED = "RevisionAccepted"
    NOT_FETCHED = "NotFetched"
    SOURCE_UNREACHABLE = "SourceUnreachable"
    SOURCE_BUSY = "SourceBusy"
    INVALID_CONFIGURATION = "InvalidConfiguration"
    VERIFICATION_FAILED = "VerificationFailed"
    NOT_A_DESCENDANT = "NotADescendant"
    HISTORY_CUT = "HistoryCut"
    NO_REVISION = "NoRevision"
    # Observed
    EVERYTHING_SEEN = "EverythingSeen"
    PARTLY_UNKNOWN = "PartlyUnknown"
    NOTHING_SEEN = "NothingSeen"
    # Ready
    CONVERGED = "Converged"
    CHANGES_PENDING = "ChangesPending"
    CHANGES_HELD = "ChangesHeld"
    AGENTS_SETTLING = "AgentsSettling"
    AGENTS_UNHEALTHY = "AgentsUnhealthy"
    OBSERVATION_INCOMPLETE = "ObservationIncomplete"
    NO_DESIRED_STATE = "NoDesiredState"
    # Ready and Stalled
    ACTIONS_FAILED = "ActionsFailed"
    CRASH_LOOP = "CrashLoop"
    REFUSED_BY_GUARD = "RefusedByGuard"
    NOT_OWNED = "NotOwned"
    # FrameworkCurrent
    FILES_CURRENT = "FilesCurrent"
    FILES_OUTDATED = "FilesOutdated"
    FILES_HELD = "FilesHeld"
    # FloorHealthy
    FLOOR_STANDS = "FloorStands"
    NO_FLOOR = "NoFloor"
    FLOOR_ELSEWHERE = "FloorElsewhere"
    ORCHESTRATOR_UNHEALTHY = "OrchestratorUnhealthy"
    ENHANCER_UNHEALTHY = "EnhancerUnhealthy"
    # Reconciling
    IDLE = "Idle"
    # Stalled
    PROGRESSING = "Progressing"
    REVISION_REJECTED = "RevisionRejected"
    # Paused
    KILL_SWITCH = "KillSwitch"
    FLEET_SUSPENDED = "FleetSuspended"
    NOT_PAUSED = "NotPaused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """`since`: Unix seconds when `status` last changed; a new reason or message alone does not move it."""

    type: ConditionType
    status: ConditionStatus
    reason: ConditionReason
    message: str
    since: float


def with_transition_time(previous: Condition | None, new: Condition) -> Condition:
    """The new condition, keeping the time of the last transition."""
    if previous is None or previous.status is not new.status:
        return new
    return Condition(
        type=new.type, status=new.status, reason=new.reason, message=new.message, since=min(previous.since, new.since)
    )
