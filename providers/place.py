"""What an agent needs to start that is not the fleet's: its program, its working directory, its secrets' files.

Observed only. Such a thing may be gone, be closed to us, lead back to itself, or lie on a file system that gives no
answer: all that concerns the one agent, which goes on as it is, and is started when it is mended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from providers.base import Action, Health, HeldReason, Json, Kind, ObserveError, Present, Resource, ResourceKey
from providers.steps import Step

if TYPE_CHECKING:
    from providers.host import HostFacts, Look, Place
    from providers.program_fault import ProgramFault
    from specs.compiled import Agent, Fleet


class PlaceProvider:
    """`evidence` of each agent that something speaks against starting as it is declared: `why`, the `reason` to hold it
    (of the closed list), and whether that is `certain`. Of all others there is nothing to say, but for a `warning`.

    Programs are looked at where a start is due, so that a look at a fleet that runs costs nothing; `all_programs`: of
    every agent.
    """

    kind = Kind.PLACE

    def __init__(self, *, all_programs: bool = False) -> None:
        self._all_programs = all_programs

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        _ = fleet, facts
        return ()

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        _ = facts
        agents = [agent for agent in fleet.agents if agent.state == "running" and agent.held is None]
        needed = {agent.name: _needed(agent) for agent in agents}
        places = look.places([path for paths in needed.values() for path in paths])
        programs = look.programs(agents if self._all_programs else _due(agents, look))
        found: dict[ResourceKey, Present] = {}
        for name, paths in needed.items():
            faults = [(_fault(what, path, places[path]), places[path]) for path, what in paths.items()]
            why = [(text, place) for text, place in faults if text]
            if why:
                key = ResourceKey(self.kind, name)
                certain = any(place.kind != "unclear" for _, place in why)
                evidence = {"why": "; ".join(text for text, _ in why), "certain": certain}
                evidence["reason"] = HeldReason.DEPENDENCY if certain else HeldReason.UNKNOWN
                found[key] = Present(key=key, agent=name, ours=True, fields={}, evidence=evidence)
            elif (fault := programs.get(name)) is not None:
                key = ResourceKey(self.kind, name)
                found[key] = Present(key=key, agent=name, ours=True, fields={}, evidence=_program(fault))
        return found

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        _ = action, facts
        return ()

    def health(self, seen: Present) -> Health:
        return Health.UNHEALTHY if seen.evidence["certain"] else Health.UNKNOWN


def _due(agents: Sequence[Agent], look: Look) -> list[Agent]:
    """Those without a living pane. Where that cannot be seen, none is started."""
    alive: set[str] = set()
    for socket in {agent.socket for agent in agents}:
        try:
            alive |= {pane.mark for pane in look.tmux(socket).panes if not pane.dead}
        except ObserveError:
            alive |= {agent.name for agent in agents if agent.socket == socket}
    return [agent for agent in agents if agent.name not in alive]


def _program(fault: ProgramFault) -> dict[str, Json]:
    """`why` is short; `searched` and `mend` are for whoever shows one agent."""
    more = {"searched": fault.searched, "mend": fault.mend}
    if not fault.certain:
        return {"why": "", "certain": True, "warning": fault.why, **more}
    reason = HeldReason.NOT_INSTALLED if fault.word == "not-installed" else HeldReason.NOT_RUNNABLE
    return {"why": fault.why, "certain": True, "reason": reason, **more}


def in_full(evidence: Mapping[str, Json]) -> str:
    """What speaks against a start, with where was searched and what mends it."""
    parts = [str(evidence["why"] or evidence.get("warning", ""))]
    parts += [f"searched: {evidence['searched']}"] if evidence.get("searched") else []
    parts += [f"to mend that: {evidence['mend']}"] if evidence.get("mend") else []
    return "; ".join(parts)


def program_warnings(present: Mapping[ResourceKey, Present]) -> list[str]:
    """What a program may trip over though it is started, once for all agents that it concerns."""
    told: dict[str, list[str]] = {}
    for key, seen in sorted(present.items()):
        if key.kind is Kind.PLACE and seen.evidence.get("warning"):
            told.setdefault(in_full(seen.evidence), []).append(key.name)
    return [f"{', '.join(names)}: {what}" for what, names in told.items()]


def _needed(agent: Agent) -> dict[str, str]:
    """What it needs, by path."""
    files = {value.from_file: f"the secret file of {name}" for name, value in agent.env if value.from_file is not None}
    return {**files, agent.working_directory: "its working directory"}


def _fault(what: str, path: str, place: Place) -> str:
    """Why it cannot do its work, "" if it can."""
    wanted = "file" if what.startswith("the secret") else "folder"
    if place.kind == wanted and place.usable:
        return ""
    if place.kind == "nothing":
        return f"{what} {path} does not exist on this host"
    if place.kind in ("file", "folder") and place.kind != wanted:
        return f"{what} {path} is no {wanted}"
    return f"{what} {path} cannot be {'looked at' if place.kind == 'unclear' else 'used'}: {place.why}"
