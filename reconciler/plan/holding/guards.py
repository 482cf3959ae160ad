"""Guards: removals that are refused, whatever git says. Pure. The protection lives in this host's inventory, so it
outlives the commit that drops it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from providers.base import HeldReason
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.model import Inventory
from specs.compiled import Fleet
from specs.dataclass import dataclass

FLOOR_CLASSES = ("orchestrator", "enhancer")


@dataclass(frozen=True, slots=True)
class Refusal:
    """`agents` may not be removed, for `reason`. `message` is the sentence with the way out, `short` the one
    without."""

    agents: frozenset[str]
    reason: HeldReason
    message: str
    short: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """One agent that is to be removed. `role` is its class, "" if this host does not know it. `floor`: git or this
    host's inventory has the two-agent floor. `another`: the fleet keeps an agent of that class, on any host."""

    name: str
    role: str
    floor: bool
    another: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """All removals of a run that the floor allows. `names` is sorted. `declared`: the roster has an agent on this host.
    `allowed`: the operator's own limit, None if not given. `limit`: how many a run may make without asking."""

    host: str
    names: tuple[str, ...]
    declared: bool
    allowed: int | None
    limit: int


Refuse = Callable[[Removals], Refusal]


def removal_limit(fleet: Fleet, inventory: Inventory) -> int:
    """How many agents one run may remove without asking: the policy's number, at most a quarter, rounded up."""
    return min(fleet.policy.max_removals, -(-len(inventory.agents) // 4))


def refusals(
    removals: Collection[str], fleet: Fleet, inventory: Inventory, allow_removals: int | None
) -> tuple[Refusal, ...]:
    """`removals`: every agent that is still to be removed. `allow_removals`: the operator's own limit."""
    found = [_floor_refusal(one) for one in _by_one(removals, fleet, inventory) if first_match(BY_FLOOR, one).then]
    refused = {name for refusal in found for name in refusal.agents}
    rest = tuple(sorted(name for name in set(removals) if name not in refused))
    together = Removals(
        host=fleet.host,
        names=rest,
        declared=bool(fleet.agents),
        allowed=allow_removals,
        limit=removal_limit(fleet, inventory),
    )
    refuse = first_match(BY_NUMBER, together).then
    return (*found, refuse(together)) if refuse is not None else tuple(found)


def _by_one(removals: Collection[str], fleet: Fleet, inventory: Inventory) -> list[Removal]:
    staying = {agent.agent_class for agent in fleet.agents if agent.state != "absent"} | set(fleet.elsewhere)
    floor = "two-agent" in (inventory.floor, fleet.policy.floor)
    known = {name: owned.agent_class for name, owned in inventory.agents.items()}
    roles = {name: known.get(name, "") for name in sorted(removals)}
    return [Removal(name=n, role=role, floor=floor, another=role in staying) for n, role in roles.items()]


def _floor_refusal(one: Removal) -> Refusal:
    message = (
        f'"{one.name}" is the only {one.role} of this fleet and is not removed. Declare another {one.role}, '
        "or commit `floor: none` to fleet.yaml, apply that, and remove it after"
    )
    return Refusal(frozenset({one.name}), HeldReason.FLOOR, message, f"it is the only {one.role} of this fleet")


def _nobody_here(due: Removals) -> Refusal:
    message = (
        f'no agent of this roster is on host "{due.host}" any more, and {len(due.names)} live here '
        f"({_some(due.names)}): nothing was removed. If the host's name has changed, give it by --host or in "
        f"reconcile.toml; if they are meant to go, run again with --allow-removals {len(due.names)}"
    )
    short = f'no agent of the roster is on host "{due.host}" any more'
    return Refusal(frozenset(due.names), HeldReason.PRUNE, message, short)


def _too_many(due: Removals) -> Refusal:
    message = (
        f"{len(due.names)} agents would be removed ({_some(due.names)}), and this run may remove {_may_make(due)}: "
        f"nothing was removed. If that is meant, run again with --allow-removals {len(due.names)}"
    )
    short = f"{len(due.names)} removals are due, and this run may make {_may_make(due)}"
    return Refusal(frozenset(due.names), HeldReason.PRUNE, message, short)


def _may_make(due: Removals) -> int:
    return due.limit if due.allowed is None else due.allowed


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


# Whether the floor refuses the removal of one agent. The operator's limit for a run does not override it.
BY_FLOOR: tuple[DecisionRow[Removal, bool], ...] = (
    DecisionRow("no floor", lambda one: not one.floor, False,
        "neither git nor this host's inventory has a floor"),
    DecisionRow("class without a floor", lambda one: one.role not in FLOOR_CLASSES, False,
        "the fleet can do without any agent of this class"),
    DecisionRow("another one stays", lambda one: one.another, False,
        "the fleet keeps an agent of this class, here or on another host"),
    DecisionRow("last of its class", otherwise, True,
        "the fleet cannot do without its last orchestrator or enhancer"),
)  # fmt: skip

# Whether all other removals of a run are refused together, and with which message.
BY_NUMBER: tuple[DecisionRow[Removals, Refuse | None], ...] = (
    DecisionRow("no agent of the roster is here", lambda due: due.names and not due.declared and due.allowed is None,
        _nobody_here, "a host with a wrong name would remove every agent that lives on it"),
    DecisionRow("more than a run may remove", lambda due: len(due.names) > _may_make(due),
        _too_many, "one bad commit must not end a fleet"),
    DecisionRow("within the limit", otherwise,
        None, "git asks for it, and the number is what a person expects"),
)  # fmt: skip
