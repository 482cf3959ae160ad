"""What `mosaic fleet ps` would show of a simulated host."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reconciler.inspection.rows import build_rows
from reconciler.listing.document import Listing
from reconciler.listing.row import Row, Sync
from reconciler.model import Readiness
from reconciler.plan.planner import PlanOptions
from reconciler.status.fleet_problems import fleet_problems
from specs.compiled import Fleet, Suspension
from tests.builders import NOW, SHA
from tests.laws.driver import MemoryStore, reconciler
from tests.world import World


def rows(
    world: World, store: MemoryStore, fleet: Fleet, suspended: dict[str, Suspension] | None = None, **more: Any
) -> dict[str, Row]:
    """In the order of the screen, by name."""
    made = reconciler(world, store, suspended=suspended, options=PlanOptions(detail=True)).look(fleet)
    found = build_rows(made.plan, fleet, store.history, store.inventory, made.observation, suspended or {}, **more)
    return {row.name: row for row in found}


def listing(world: World, store: MemoryStore, fleet: Fleet) -> Listing:
    made = reconciler(world, store, options=PlanOptions(detail=True)).look(fleet)
    return Listing(
        fleet=fleet.name,
        tenant_id=fleet.tenant_id,
        host=fleet.host,
        observed_at=made.plan.observed_at,
        compared=fleet.revision,
        in_force=fleet.revision,
        problems=fleet_problems(made.plan),
        rows=build_rows(made.plan, fleet, store.history, store.inventory, made.observation, {}),
    )


def row(name: str = "coder0", **more: Any) -> Row:
    """A row in which all is well."""
    usual = Row(
        kind="agent", name=name, tenant_id="ada", host="build-1", agent_class="coder", runtime="claude",
        desired="running", readiness=Readiness.WORKING, readiness_why="active 3 s ago", sync=Sync.SYNCED, unit="active",
        enabled=True, session="alive", socket="fleet", pid=4242, program="claude", started=NOW - 7500, idle=3.0,
        heartbeat="ok", heartbeat_age=4.0, heartbeat_source="sidecar", restarts=0, cpu_s=185.0, memory=310 * 2**20,
        health="healthy", available=False, observed_at=NOW,
    )  # fmt: skip
    return replace(usual, **more)


def listed(*of: Row, **more: Any) -> Listing:
    usual = Listing(
        fleet="demo", tenant_id="ada", host="build-1", observed_at=NOW, compared=SHA, in_force=SHA, rows=tuple(of)
    )
    return replace(usual, **more)


def names(of: Iterable[Row]) -> list[str]:
    return [one.name for one in of]
