"""The input and the result of a run: what the command lines and the loop exchange."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.base import Json
from reconciler.model import Outcome, Plan
from reconciler.status.status import FleetStatus
from reconciler.status.values import RunOutcome
from specs.dataclass import dataclass, field

if TYPE_CHECKING:
    from providers.host import HostFacts
    from providers.kinds.framework import Install
    from providers.kinds.registry import Registry
    from reconciler.attention.notices import Notice
    from reconciler.git.log import HistoryLine


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The command line's options. `agents` empty means all; `plan_in` is a plan document to apply as it stands.

    `trigger` says what started the run: manual, timer, watch, sync.
    """

    fleet: str | None = None
    dry_run: bool = False
    agents: tuple[str, ...] = ()
    allow_removals: int | None = None
    timeout_s: float = 300.0
    host: str | None = None
    fetch: bool = True
    plan_in: Mapping[str, Json] | None = None
    allow_rewind: bool = False
    rebind_host: bool = False  # accept a changed name or home of this host
    trigger: str = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSummary:
    """The state of the source. `rejected`: why the newest commit is not in force, rendered, or "".

    `problems`: rendered problems and warnings of the newest commit; `dirty`: files with uncommitted edits. `commits`:
    in a preview, those that would come into force, newest first. `named_by`: what named `spec`, as listed by
    `which_fleet.Source`, "" for a loop that was given it. `seen_at`: when the source was last seen.
    """

    spec: str
    subject: str
    rejected: str = ""
    problems: tuple[str, ...] = ()
    dirty: tuple[str, ...] = ()
    commits: tuple[HistoryLine, ...] = ()
    named_by: str = ""
    seen_at: float = field(default=0.0, compare=False)  # not worth an event by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """`plan` is what remains after the last pass (in a dry run: what would be done); `outcomes` has those of all
    passes. `outcome` and `exit_code` come from `assess.verdict`. `warnings` are sentences for stderr."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    outcome: RunOutcome
    exit_code: int
    passes: int
    started_at: float
    duration_s: float
    status: FleetStatus
    warnings: tuple[str, ...] = ()
    intake: SourceSummary | None = None
    interval: float = 0.0  # seconds: the policy's value, for the caller that runs again
    registry: Registry | None = None  # with `facts`, what rendering needs to name the steps of an action
    facts: HostFacts | None = None
    install: Install = "none"  # what looks at this host by itself
    messages: bool = False  # a message in the outbox waits for a living agent
    notices: tuple[Notice, ...] = ()  # to hand over once the fleet's lock is free; never again
    sockets: tuple[str, ...] = ()  # the fleet's tmux servers, for who hands them over
    notices_at: float = float("inf")  # Unix seconds: when the next of them is due, if nothing changes
