"""The text of `mosaic agent roster`."""

from __future__ import annotations

from collections.abc import Sequence

from providers.base import Json
from reconciler.helpers.words import Paint, Tint, data, no_paint
from reconciler.render.table import table
from reconciler.status.document import API_VERSION
from specs.compiled import Agent, AgentState, Fleet
from specs.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterLine:
    """One declared agent, wherever it is. `fault`: what is wrong with its entry."""

    name: str
    agent_class: str
    runtime: str
    state: AgentState
    host: str
    alias: str | None
    model: str | None
    here: bool
    groups: tuple[str, ...] = ()
    fault: str | None = None


def entries(fleet: Fleet) -> tuple[RosterLine, ...]:
    """Every agent of the fleet, by name."""
    found = (
        RosterLine(
            name=one.name,
            agent_class=one.agent_class,
            runtime=one.runtime,
            state=one.state,
            host=host,
            alias=one.alias,
            model=one.model,
            here=isinstance(one, Agent),
            groups=one.groups,
            fault=one.held if isinstance(one, Agent) else None,
        )
        for host, one in fleet.everyone
    )
    return tuple(sorted(found, key=lambda one: one.name))


def roster_document(fleet: Fleet, rows: Sequence[RosterLine]) -> dict[str, Json]:
    """`agents` last. `here`: whether the agent belongs to this host; `fault`: null, or what is wrong with its entry."""
    return {
        "apiVersion": API_VERSION,
        "kind": "AgentRoster",
        "fleet": fleet.name,
        "tenant_id": fleet.tenant_id,
        "host": fleet.host,
        "revision": fleet.revision,
        "agents": [
            {
                "name": one.name,
                "tenant_id": fleet.tenant_id,
                "host": one.host,
                "class": one.agent_class,
                "runtime": one.runtime,
                "state": one.state,
                "alias": one.alias,
                "model": one.model,
                "groups": list(one.groups),
                "here": one.here,
                "fault": one.fault,
            }
            for one in rows
        ],
    }


def roster_text(rows: Sequence[RosterLine], *, paint: Paint = no_paint) -> str:
    """A row for each agent, whole; then what is wrong with an entry."""
    if not rows:
        return "no agent is declared\n"
    head = ("AGENT", "CLASS", "RUNTIME", "STATE", "HOST", "ALIAS", "MODEL")
    cells = [
        (one.name, one.agent_class, one.runtime, one.state, one.host, one.alias or "-", one.model or "-")
        for one in rows
    ]
    tints: list[Tint | None] = ["yellow" if one.fault else "dim" if one.state != "running" else None for one in rows]
    lines = table(head, [[data(cell) for cell in row] for row in cells], tints, paint)
    lines += [f"wrong: {data(one.name)}: {data(one.fault)}" for one in rows if one.fault]
    return "\n".join(lines) + "\n"
