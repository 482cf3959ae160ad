"""What an agent needs to start that is not the fleet's: its program, its working directory, its secrets.

Observed only, of who lives and who does not. Such a thing may be gone, be closed to us, lead back to itself, or lie on
a file system that gives no answer: all that concerns the one agent. It goes on as it is, though it would not come back
after a crash or a boot, and is started when that is mended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from providers.base import Action, Health, HeldReason, Json, Kind, ObserveError, Present, Resource, ResourceKey

if TYPE_CHECKING:
    from providers.host import HostFacts, Look, Pane, Place
    from providers.program_fault import ProgramFault
    from providers.steps import Step
    from specs.compiled import Agent, Fleet

DELETED = " (deleted)"  # what the kernel puts behind the name of a folder that is gone


class PlaceProvider:
    """`evidence` of each agent that something speaks against starting as it is declared: `why`, the `reason` to hold it
    (of the closed list), and whether that is `certain`. `folder_gone`: it lives in a folder that was deleted.
    `stranded`: all that in a sentence, of one that lives. Of all others there is nothing to say, but for a `warning`.

    Whether the interpreter of a program is new enough is asked where a start is due, so that a look at a fleet that
    runs starts no process; `in_full`: of every agent.
    """

    kind = Kind.PLACE

    def __init__(self, *, in_full: bool = False) -> None:
        self._in_full = in_full

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        _ = fleet, facts
        return ()

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        _ = facts
        agents = [agent for agent in fleet.agents if agent.state == "running" and agent.held is None]
        panes, unseen = _living(agents, fleet.name, look)
        told = [agent for agent in agents if self._in_full or agent.socket not in unseen]
        programs = look.programs(told, () if self._in_full else panes.keys())
        paths = {path for agent in agents for path in (agent.working_directory, *_files(agent).values())}
        places = look.places(sorted(paths))
        variables = _variables(look) if any(_variables_of(agent) for agent in agents) else None
        found: dict[ResourceKey, Present] = {}
        for agent in agents:
            pane = panes.get(agent.name)
            folder = look.cwd(pane.pid) if pane is not None and _is_own(pane, fleet.name) else None
            evidence = _against(agent, places, variables)
            if not evidence and (fault := programs.get(agent.name)) is not None:
                evidence = _program(fault)
            evidence |= _of_the_living(evidence, folder) if folder is not None else {}
            if evidence:
                key = ResourceKey(self.kind, agent.name)
                found[key] = Present(key=key, agent=agent.name, ours=True, fields={}, evidence=_whole(evidence))
        return found

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        _ = action, facts
        return ()

    def health(self, seen: Present) -> Health:
        return Health.UNHEALTHY if seen.evidence["certain"] else Health.UNKNOWN


def _living(agents: Sequence[Agent], fleet: str, look: Look) -> tuple[dict[str, Pane], set[str]]:
    """Living panes by their marks, our own before others; and the tmux servers that cannot be seen, where nothing is
    started."""
    panes: dict[str, Pane] = {}
    unseen: set[str] = set()
    for socket in {agent.socket for agent in agents}:
        try:
            there = [pane for pane in look.tmux(socket).panes if not pane.dead]
        except ObserveError:
            unseen.add(socket)
            continue
        panes |= {pane.mark: pane for pane in there if pane.mark not in panes or _is_own(pane, fleet)}
    return panes, unseen


def _is_own(pane: Pane, fleet: str) -> bool:
    return pane.fleet == fleet and not pane.moved


def _against(agent: Agent, places: Mapping[str, Place], variables: Mapping[str, str] | None) -> dict[str, Json]:
    """What speaks against a start, besides its program."""
    faults = list(_faults(agent, places, variables))
    if not faults:
        return {}
    certain = any(sure for _, sure in faults)
    reason = HeldReason.DEPENDENCY if certain else HeldReason.UNKNOWN
    return {"why": "; ".join(why for why, _ in faults), "certain": certain, "reason": reason}


def _faults(
    agent: Agent, places: Mapping[str, Place], variables: Mapping[str, str] | None
) -> Iterator[tuple[str, bool]]:
    """Each with whether it is certain."""
    folder = places[agent.working_directory]
    if not (folder.kind == "folder" and folder.usable):
        yield f"its working directory {agent.working_directory} {_what(folder, 'folder')}", folder.kind != "unclear"
    for name, path in _files(agent).items():
        secret = places[path]
        if not (secret.kind == "file" and secret.usable):
            yield f"the secret file {path} for {name} {_what(secret, 'file')}", secret.kind != "unclear"
    for name in _variables_of(agent):
        if variables is not None and name not in variables:
            yield f"it needs {name}, which is not in the user manager's environment", True


def _of_the_living(evidence: Mapping[str, Json], folder: str) -> dict[str, Json]:
    """`folder`: where its pane's process is, as the kernel says it: that asks no file system."""
    gone = folder.endswith(DELETED)
    if evidence.get("why"):
        told = "will not start again" if evidence["certain"] else "it is not known whether it would start again"
        return {"folder_gone": gone, "stranded": f"it runs, and {told}: {evidence['why']}"}
    if not gone:
        return {}
    was = folder.removesuffix(DELETED)
    why = f"its working directory {was} was deleted while it ran; a new folder has that name"
    return {"folder_gone": True, "stranded": why}


def _whole(evidence: Mapping[str, Json]) -> dict[str, Json]:
    return {"why": "", "certain": True, "reason": HeldReason.DEPENDENCY, "folder_gone": False, **evidence}


def _program(fault: ProgramFault) -> dict[str, Json]:
    """`why` is short; `searched` and `mend` are for whoever shows one agent."""
    more = {"searched": fault.searched, "mend": fault.mend}
    if not fault.certain:
        return {"warning": fault.why, **more}
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


def _what(place: Place, wanted: str) -> str:
    """Why it cannot do its work."""
    if place.kind == "nothing":
        return "does not exist on this host"
    if place.kind in ("file", "folder") and place.kind != wanted:
        return f"is not a {wanted}"
    return f"cannot be {'checked' if place.kind == 'unclear' else 'used'}: {place.why}"


def _files(agent: Agent) -> dict[str, str]:
    """Where its secrets come from, by variable."""
    return {name: value.from_file for name, value in agent.env if value.from_file is not None}


def _variables_of(agent: Agent) -> list[str]:
    return [value.from_env for _, value in agent.env if value.from_env is not None]


def _variables(look: Look) -> Mapping[str, str] | None:
    """None: nobody could tell."""
    try:
        return look.manager().environment
    except ObserveError:
        return None
