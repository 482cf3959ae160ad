"""What a row is about: a declared agent, one that was removed, an orphan, or a session of somebody else. Pure."""

from __future__ import annotations

from providers.base import Kind, ResourceKey
from providers.evidence import NO_SESSION, SessionEvidence
from reconciler.listing.row import RowKind
from reconciler.model import AgentView, Inventory, Observation


def row_kind(name: str, view: AgentView, inventory: Inventory, observation: Observation) -> RowKind | None:
    """None for what belongs to no agent and needs no row: a heartbeat file that somebody left behind."""
    if view.desired_state != "undeclared":
        return "agent"
    if name in inventory.agents:
        return "removed"
    keys = {kind: observation.present.get(ResourceKey(kind, name)) for kind in (Kind.UNIT, Kind.SESSION, Kind.ENV)}
    seen = [one for one in keys.values() if one is not None]
    if not seen:
        return None
    session = keys[Kind.SESSION]
    only_session = session is not None and len(seen) == 1 and not session.ours
    marked = (SessionEvidence.of(session) or NO_SESSION).pane.mark
    return "unmanaged" if only_session and not marked else "orphan"
