"""fleet.yaml: the rules of the fleet. Every field has a default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from specs.compiled import OnMission
from specs.models.notify import NotifyRules
from specs.values.fields import Duration, HostName, Line, Moment, Name, Spec, Text, VersionText

Count = Annotated[int, Field(ge=0, le=1_000_000)]
AtLeastOne = Annotated[int, Field(ge=1, le=1_000_000)]


class Prune(Spec):
    """How many agents one run may remove."""

    max_removals: Count = 3


class Rollout(Spec):
    """When a running agent takes a change that needs a restart. `moving`: whether an agent that comes from another host
    waits (`wait`) or not (`start`) while a way there is declared and nobody answers."""

    on_change: Literal["when-idle", "immediately", "never"] = "when-idle"
    max_unavailable: AtLeastOne = 1
    drain_timeout: Duration = 3600.0
    moving: Literal["wait", "start"] = "wait"


class Backoff(Spec):
    """How long to wait between attempts to start an agent."""

    initial: Duration = 5.0
    maximum: Duration = 300.0
    reset_after: Duration = 600.0


class Quarantine(Spec):
    """So many restarts within so long, and the agent is left alone."""

    restarts: AtLeastOne = 5
    within: Duration = 600.0


class Reconcile(Spec):
    """How the loop behaves. `restart_budget` is heals an hour for the whole fleet."""

    interval: Duration = 60.0
    prune: Prune = Prune()
    rollout: Rollout = Rollout()
    backoff: Backoff = Backoff()
    quarantine: Quarantine = Quarantine()
    restart_budget: AtLeastOne | None = None


class Heartbeat(Spec):
    """When an agent counts as alive, and as idle."""

    interval: Duration = 15.0
    stale_after: Duration | None = None  # three intervals, unless said otherwise
    idle_after: Duration = 300.0


class Suspend(Spec):
    """An agent (or "*", the whole fleet) that is left alone on purpose; without `until`, until somebody resumes it."""

    agent: Line
    reason: Text
    by: Line
    until: Moment | None = None


class Mission(Spec):
    """What happens when the mission or the contract of a class has changed under an agent that runs: `show` it, `tell`
    the agent, or `reset` it between tasks. `classes`: another answer for some classes."""

    on_change: OnMission = "show"
    classes: dict[Line, OnMission] = Field(default_factory=dict)


class ClassRules(Spec):
    """What holds for the agents of one class. `trust_working_directory`: where their program asks whether it may trust
    the folder that the roster gives them, the answer is yes."""

    trust_working_directory: bool = False


class FleetSpec(Spec):
    """fleet.yaml. `floor` is None when the file does not say: two-agent if there is a file, none if there is not.
    `type` is the system type whose seats the fleet fills; None when it was not made from one. `resume_nudge`: what an
    agent is told once after it has come back in the middle of a turn; `off` for nothing."""

    version: VersionText = 1
    name: Name = "fleet"
    type: Name | None = None
    tenant_id: Name | None = None
    hosts: tuple[HostName, ...] | None = Field(default=None, min_length=1)
    floor: Literal["two-agent", "none"] | None = None
    reconcile: Reconcile = Reconcile()
    heartbeat: Heartbeat = Heartbeat()
    mission: Mission = Mission()
    resume_nudge: Line = "off"
    limit_nudge: Line = "go on"
    classes: Mapping[Line, ClassRules] = Field(default_factory=dict)
    suspend: tuple[Suspend, ...] = ()
    notify: NotifyRules = ()
