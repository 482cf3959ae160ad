"""What this host shows about a fleet's files before the commit: agents that could not start here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.evidence import StartEvidence
from providers.kinds.place import PlaceProvider
from specs.values.problems import Span

if TYPE_CHECKING:
    from providers.host import HostFacts, Look
    from specs.compiled import Fleet
    from specs.values.problems import Problem

_SHOWN = 4  # agents that are named in one warning


def host_problems(files: Mapping[str, bytes], fleet: Fleet, look: Look, facts: HostFacts) -> tuple[Problem, ...]:
    """A warning for each thing that is missing, with the first agent that needs it and how many there are. `fleet`: as
    it is compiled for this host."""
    seen = PlaceProvider(in_full=True).observe(look, fleet, facts)
    needs: dict[str, list[str]] = {}
    for key, one in seen.items():
        if (against := StartEvidence.of(one)) is not None and (why := against.in_full):
            needs.setdefault(why, []).append(key.name)
    return tuple(_warnings(files, needs)) if needs else ()


def _warnings(files: Mapping[str, bytes], needs: Mapping[str, list[str]]) -> list[Problem]:
    from specs.fleet_files import ROSTER
    from specs.values.problems import Problem

    places = _places(files[ROSTER])
    found = []
    for why, names in sorted(needs.items()):
        reason, _, repair = why.partition("; to fix that: ")
        first = places.get(min(names), Span())
        found.append(
            Problem(  # without the line itself: what in it is a secret is not known here
                file=ROSTER,
                line=first.line,
                column=first.column,
                message=f"on this host {_agents(names)} could not be started: {reason}",
                severity="warning",
                help=repair or None,
                agent=names[0] if len(names) == 1 else None,
            )
        )
    return found


def _places(roster: bytes) -> dict[str, Span]:
    """Where the runtime of each agent is written, else its name."""
    from specs.values.problems import SourceFile
    from specs.yaml_text.parser import parse

    tree = parse(roster.decode("utf-8", "replace"), SourceFile("roster.yaml"), [])
    agents = tree.items.get("agents") if tree is not None else None
    named = [one.items for one in agents.sequence if "name" in one.items] if agents is not None else []
    return {str(items["name"].value): items.get("runtime", items["name"]).span for items in named}


def _agents(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:_SHOWN])
    rest = len(names) - _SHOWN
    return f"{'agents' if len(names) > 1 else 'agent'} {shown}" + (f" and {rest} more" if rest > 0 else "")
