"""One fleet on this host: its settings, its state, and the location of its repository."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler.errors import NotFound, unknown_agent
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.base import Json
    from providers.host import HostFacts
    from reconciler.context.settings import Settings
    from reconciler.state.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetContext:
    """This host, its settings, and the state of one fleet. `spec`: the fleet's repository, None if no record names
    it."""

    facts: HostFacts
    settings: Settings
    store: Store
    spec: str | None


def fleet_context(fleet: str | None, *, read_only: bool = False) -> FleetContext:
    """The state of a fleet that has run on this host before, as `which_fleet` finds it. Raises NotFound, with the names
    of those that have."""
    from providers.machine.facts import gather
    from reconciler.context.settings import read_settings, settings_path
    from reconciler.context.which_fleet import fleet_root, known_fleets, which_fleet
    from reconciler.state.store import Store

    facts = gather(os.environ)
    settings = read_settings(settings_path(facts.config_home))
    found = which_fleet(fleet, settings, facts, os.environ, has_run=True)
    if found is None:
        root = fleet_root(os.environ)
        raise NotFound("no fleet has run on this host yet", help=f"run: reconcile {root or 'FLEET'}")
    if found.name is None:
        known = known_fleets(facts)
        raise NotFound(
            f"no run of {found.repository} has happened on this host yet",
            help=f"run: reconcile {found.repository}" + (f" (known here: {', '.join(known)})" if known else ""),
        )
    store = Store.open(facts, found.name, read_only=read_only)
    return FleetContext(facts=facts, settings=settings, store=store, spec=found.repository)


def heading(kind: str, place: FleetContext) -> dict[str, Json]:
    """The first fields of every document about a fleet on this host."""
    from reconciler.status.document import API_VERSION

    status = place.store.load_status()
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "fleet": status.fleet if status else place.store.state.name,
        "tenant_id": status.tenant_id if status else place.facts.user,
        "host": status.host if status else place.settings.host or place.facts.hostname,
    }


def require_known_agent(agent: str, store: Store) -> None:
    """Raises NotFound, with near misses, for an agent that this host has never known."""
    status = store.load_status()
    known = {one.name for one in status.agents} if status else set()
    known |= store.load_inventory().agents.keys()
    if agent not in known:
        raise unknown_agent(agent, known)
