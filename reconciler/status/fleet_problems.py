"""Problems of a fleet on this host as a whole, for every list. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.status.assess import ON_PURPOSE

if TYPE_CHECKING:
    from reconciler.model import Plan


def fleet_problems(plan: Plan) -> tuple[str, ...]:
    """What is wrong and belongs to no agent: what could not be seen, what all agents share, what a guard refuses."""
    unseen = [f"{kind} could not be seen: {why}" for kind, why in sorted(plan.unknown.items())]
    unseen += [
        f"{key.name} could not be seen: {why}" for key, why in plan.unclear.items() if key.name not in plan.views
    ]
    shared = [f"{one.verb} {one.target} is due ({one.reason})" for one in plan.actions if one.agent is None]
    held = [
        f"{one.verb} {one.target} is held: {one.reason} ({one.message})"
        for one in plan.held
        if one.agent is None and one.reason not in ON_PURPOSE
    ]
    down = plan.floor.word in ("orchestrator", "enhancer") and not plan.floor.on_purpose and plan.paused is None
    floor = (f"the {plan.floor.word} is not healthy ({plan.floor.message})",) if down else ()
    return (*floor, *unseen, *shared, *held, *plan.refused)
