"""The state folder of a host on which a fleet is in force, for commands that are called in this process."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.plan.desired import inputs_digest
from reconciler.state.store import Store
from tests import builders as make

if TYPE_CHECKING:
    from providers.host import HostFacts
    from specs.compiled import Fleet


def stored(facts: HostFacts, fleet: Fleet) -> Store:
    """As a run leaves it that has applied this fleet."""
    made = Store.open(facts, fleet.name)
    status = make.status()
    made.save_status(status)
    fleet = replace(fleet, revision=status.applied_revision, host=status.host)
    made.save_desired(fleet, inputs=inputs_digest(facts, ()))
    return made
