"""`mosaic fleet schema`: the JSON Schema of a file or a document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from reconciler.cli.output import Output

SPECS = ("roster", "fleet", "north-star", "system-type")
DOCUMENTS = (
    "plan",
    "report",
    "status",
    "event",
    "doctor",
    "contract",
    "agents",
    "agent",
    "agent-sessions",
    "verification",
    "delivery",
    "deliveries",
    "outbox",
    "answer",
    "attention",
    "attention-notice",
    "change",
    "suspensions",
    "sync",
    "agent-roster",
    "validation",
    "org",
    "north-star-validation",
    "north-star-projection",
    "north-star-next",
    "north-star-graph",
    "north-star-diff",
    "personas",
    "persona",
    "persona-diff",
)


@click.command(epilog="\b\nExample:\n  mosaic fleet schema roster > roster.schema.json\n")
@click.argument("which", type=click.Choice([*SPECS, *DOCUMENTS]), default="roster", metavar="[WHICH]")
@click.pass_obj
def command(output: Output, *, which: str) -> int:
    """Print the JSON Schema of one file that an operator writes (roster, fleet, north-star, system-type), or of one
    document that programs read (plan, report, status, event, agents, agent, agent-sessions, verification, doctor,
    contract, delivery, deliveries, outbox, answer, attention, attention-notice, change, suspensions, sync,
    agent-roster, validation, org; of the mission: north-star-validation, north-star-projection, north-star-next,
    north-star-graph, north-star-diff; of contracts: personas, persona, persona-diff)."""
    if which in SPECS:
        from specs.scaffold.schema import EVERY, schema

        name = next(one for one in EVERY if one == which)
        output.result(json.dumps(schema(name), indent=2))
        return 0
    from reconciler.schemas.registry import schema_of

    output.result(json.dumps(schema_of(which), indent=2))
    return 0
