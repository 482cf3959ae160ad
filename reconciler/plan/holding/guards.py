"""Guards: removals that are refused, whatever git says. Pure. The protection lives in this host's inventory, so it
does not vanish with the commit that drops it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from providers.base import HeldReason
from reconciler.model import Inventory
from specs.compiled import Fleet

FLOOR_CLASSES = ("orchestrator", "enhancer")


@dataclass(frozen=True, slots=True)
class Refusal:
    """`agents` may not be removed, for `reason`; `message` is the sentence with the way out, `short` without."""

    agents: frozenset[str]
    reason: HeldReason
    message: str
    short: str


def removal_limit(fleet: Fleet, inventory: Inventory) -> int:
    """How many agents one run may remove unasked: the policy's number, and never more than a quarter, rounded up."""
    return min(fleet.policy.max_removals, -(-len(inventory.agents) // 4))


def refusals(
    removals: Collection[str], fleet: Fleet, inventory: Inventory, allow_removals: int | None
) -> tuple[Refusal, ...]:
    """`removals`: every agent that is still to be removed. `allow_removals` is the operator's own number."""
    found: list[Refusal] = []
    floor = _floor(removals, fleet, inventory)
    found.extend(floor)
    rest = sorted(set(removals) - {name for refusal in floor for name in refusal.agents})
    if rest and not fleet.agents and allow_removals is None:
        message = (
            f'no agent of this roster is on host "{fleet.host}" any more, and {len(rest)} live here ({_some(rest)}): '
            "nothing was removed. If the host's name has changed, give it by --host or in reconcile.toml; if they are "
            f"meant to go, run again with --allow-removals {len(rest)}"
        )
        short = f'no agent of the roster is on host "{fleet.host}" any more'
        return (*found, Refusal(frozenset(rest), HeldReason.PRUNE, message, short))
    limit = removal_limit(fleet, inventory) if allow_removals is None else allow_removals
    if len(rest) > limit:
        message = (
            f"{len(rest)} agents would be removed ({_some(rest)}), and this run may remove {limit}: "
            f"nothing was removed. If that is meant, run again with --allow-removals {len(rest)}"
        )
        short = f"{len(rest)} removals are due, and this run may make {limit}"
        found.append(Refusal(frozenset(rest), HeldReason.PRUNE, message, short))
    return tuple(found)


def _floor(removals: Collection[str], fleet: Fleet, inventory: Inventory) -> list[Refusal]:
    if "two-agent" not in (inventory.floor, fleet.policy.floor):
        return []
    staying: Mapping[str, int] = {
        role: sum(agent.agent_class == role and agent.state != "absent" for agent in fleet.agents)
        + fleet.elsewhere.count(role)
        for role in FLOOR_CLASSES
    }
    found = []
    for name in sorted(removals):
        owned = inventory.agents.get(name)
        role = owned.agent_class if owned is not None else ""
        if role in staying and not staying[role]:
            message = (
                f'"{name}" is the only {role} of this fleet and is not removed. Declare another {role}, '
                "or commit `floor: none` to fleet.yaml, apply that, and remove it after"
            )
            found.append(Refusal(frozenset({name}), HeldReason.FLOOR, message, f"it is the only {role} of this fleet"))
    return found


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
