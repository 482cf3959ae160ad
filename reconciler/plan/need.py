"""What one agent's process needs, and the situation that the need follows from. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from providers.base import FieldChange, Health, HeldReason, Kind, Present, Reason, Resource, ResourceKey, Value, Verb
from providers.evidence import NO_SESSION, NO_UNIT, SessionEvidence, StartEvidence, UnitEvidence
from providers.fields import LIMITS, SCOPE, is_at
from providers.kinds.overrides import Override
from reconciler.model import AgentView, Change, Inventory, Verdict
from specs.compiled import Agent
from specs.dataclass import dataclass

Changes = Mapping[Kind, Change]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Need(Value):
    """What is due for an agent's process. `verb` None: nothing is due, or (with `held`) nothing may be concluded.

    `disrupts`: it ends a living process. `heals`: it counts against backoff and budget. `removes`: the agent must leave
    this host. `settling`: a start is under way. `losses`: what other people lose by it. `forced`: who forces it,
    `despite` what.
    """

    verb: Verb | None = None
    reason: Reason = Reason.DRIFT
    disrupts: bool = False
    heals: bool = False
    removes: bool = False
    settling: bool = False
    held: HeldReason | None = None
    message: str = ""
    changes: tuple[FieldChange, ...] = ()
    desired: Resource | None = None
    present: Present | None = None
    losses: tuple[str, ...] = ()
    forced: str = ""
    despite: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class AgentSituation(Value):
    """Everything that a need follows from. `agent` None: git no longer declares it. `changes`: its differences.

    `tried`: a start with this launch digest was made before. `relaunch`: an operator asked to restart the process that
    is seen. `astray`: that process went on with a conversation, and its program asks a person about it instead of
    working. `override`: what somebody changed in its unit. `moving`: why it has to wait for another host before it
    starts here; `moving_to`: the other host that it is declared for.
    """

    view: AgentView
    agent: Agent | None
    changes: Changes
    present: Mapping[ResourceKey, Present]
    inventory: Inventory
    tried: bool
    relaunch: bool = False
    astray: bool = False
    override: Override | None = None
    moving: str = ""
    moving_to: str = ""

    @property
    def unit(self) -> Change | None:
        return self.changes.get(Kind.UNIT)

    @property
    def session(self) -> Change | None:
        return self.changes.get(Kind.SESSION)

    @property
    def seen(self) -> Present | None:
        """Its session, as observed."""
        return self.present.get(ResourceKey(Kind.SESSION, self.view.name))

    @property
    def evidence(self) -> SessionEvidence:
        """The evidence about its session: `NO_SESSION` if there is none."""
        return session_of(self.view.name, self.present)

    @property
    def against(self) -> StartEvidence | None:
        """The evidence against starting it."""
        return StartEvidence.of(self.present.get(ResourceKey(Kind.PLACE, self.view.name)))

    @property
    def fields(self) -> tuple[FieldChange, ...]:
        return merged(self.unit, self.session)

    @property
    def placement(self) -> tuple[FieldChange, ...]:
        """The fields of its scope and limits that differ; none if its pane was not seen."""
        return tuple(one for one in merged(self.session) if of_place(one)) if self.seen is not None else ()

    @property
    def unkept(self) -> frozenset[str]:
        """Paths of the limits that this host has no controller for."""
        return frozenset(f"{LIMITS}.{name}" for name in self.evidence.unkept)

    @property
    def unseen(self) -> bool:
        return "unknown" in (self.view.session, self.view.unit_active)

    @property
    def to_run(self) -> bool:
        return self.agent is not None and self.agent.state == "running"

    @property
    def removes(self) -> bool:
        return self.agent is None or self.agent.state == "absent"

    @property
    def deletes(self) -> bool:
        """Whether its unit or its session exists and should not."""
        return any(one is not None and one.verdict is Verdict.DELETE for one in (self.unit, self.session))

    @property
    def runs(self) -> bool:
        """Whether any part of it can be stopped: its unit runs or is about to, or its session exists."""
        if self.session is not None and self.session.verdict is Verdict.DELETE:
            return True
        if self.unit is None:
            return False
        return self.view.unit_active != "inactive" or bool((UnitEvidence.of(self.unit.present) or NO_UNIT).job)

    @property
    def down(self) -> bool:
        return self.view.session in ("missing", "dead")

    @property
    def never_started(self) -> bool:
        """Whether this host remembers no launch of it."""
        owned = self.inventory.agents.get(self.view.name)
        return owned is None or not owned.launch_digest

    @property
    def silent(self) -> bool:
        """Whether it is unhealthy although the declared program runs, and its heartbeat is stale."""
        stale = self.view.health is Health.UNHEALTHY and self.view.heartbeat == "stale"
        return stale and self.agent is not None and self.view.program == self.agent.runtime

    def differs(self, *paths: str) -> bool:
        """Whether one of these fields of its session differs."""
        return self.session is not None and any(change.path in paths for change in self.session.fields)


def session_of(name: str, present: Mapping[ResourceKey, Present]) -> SessionEvidence:
    """The evidence about an agent's session: `NO_SESSION` if there is none."""
    return SessionEvidence.of(present.get(ResourceKey(Kind.SESSION, name))) or NO_SESSION


def merged(*changes: Change | None) -> tuple[FieldChange, ...]:
    """The fields of all these changes."""
    return tuple(field for change in changes if change is not None for field in change.fields)


def of_place(change: FieldChange) -> bool:
    """Whether the change concerns the scope of the pane, or its limits."""
    return is_at(change, SCOPE) or is_at(change, LIMITS)
