"""What an agent needs to start that the fleet does not own: its program, its working directory, its secrets.

Observed only, for agents that live and for those that do not. Such a path may be gone, be closed to us, link back to
itself, or lie on a file system that does not answer: each concerns that one agent only. A living agent runs on, though
it would not come back after a crash or a boot; the others start when it is fixed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from providers.base import Action, Health, HeldReason, Kind, ObserveError, Present, Resource, ResourceKey
from providers.evidence import StartEvidence
from specs.dataclass import replace

if TYPE_CHECKING:
    from providers.host import HostFacts, Look, Pane, PathState
    from providers.program_fault import ProgramFault
    from providers.steps import Step
    from specs.compiled import Agent, Fleet

DELETED = " (deleted)"  # the kernel appends this to the name of a deleted folder


class PlaceProvider:
    """One thing for each agent that cannot be started as declared, or that has a warning; the others have none.

    Whether the interpreter of a program is new enough is asked only if a start is due, so that a look at a running
    fleet starts no process; `in_full`: ask for every agent.
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
        reachable = [agent for agent in agents if self._in_full or agent.socket not in unseen]
        programs = look.programs(reachable, () if self._in_full else panes.keys())
        paths = {path for agent in agents for path in (agent.working_directory, *_files(agent).values())}
        places = look.places(sorted(paths))
        variables = _variables(look) if any(_variables_of(agent) for agent in agents) else None
        found: dict[ResourceKey, Present] = {}
        for agent in agents:
            pane = panes.get(agent.name)
            folder = look.cwd(pane.pid) if pane is not None and _is_own(pane, fleet.name) else None
            against = _against(agent, places, variables)
            if against is None and (fault := programs.get(agent.name)) is not None:
                against = _program(fault)
            if folder is not None:
                against = _of_the_living(against, folder)
            if against is not None:
                key = ResourceKey(self.kind, agent.name)
                found[key] = Present(key=key, agent=agent.name, ours=True, fields={}, evidence=against)
        return found

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        _ = action, facts
        return ()

    def health(self, seen: Present) -> Health:
        against = StartEvidence.of(seen)
        return Health.UNHEALTHY if against is not None and against.certain else Health.UNKNOWN


def _living(agents: Sequence[Agent], fleet: str, look: Look) -> tuple[dict[str, Pane], set[str]]:
    """Living panes by their marks, our own before others; and the tmux servers that could not be observed, where
    nothing is started."""
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


def _against(
    agent: Agent, places: Mapping[str, PathState], variables: Mapping[str, str] | None
) -> StartEvidence | None:
    """Why it cannot be started, its program aside."""
    faults = list(_faults(agent, places, variables))
    if not faults:
        return None
    certain = any(sure for _, sure in faults)
    reason = HeldReason.DEPENDENCY if certain else HeldReason.UNKNOWN
    return StartEvidence(why="; ".join(why for why, _ in faults), certain=certain, reason=reason)


def _faults(
    agent: Agent, places: Mapping[str, PathState], variables: Mapping[str, str] | None
) -> Iterator[tuple[str, bool]]:
    """Each fault, and whether it is certain."""
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


def _of_the_living(against: StartEvidence | None, folder: str) -> StartEvidence | None:
    """`folder`: where its pane's process is, according to the kernel: no file system is asked."""
    gone = folder.endswith(DELETED)
    if against is not None and against.why:
        outlook = "will not start again" if against.certain else "it is not known whether it would start again"
        return replace(against, folder_gone=gone, stranded=f"it runs, and {outlook}: {against.why}")
    if not gone:
        return against
    was = folder.removesuffix(DELETED)
    why = f"its working directory {was} was deleted while it ran; a new folder has that name"
    return replace(against or StartEvidence(), folder_gone=True, stranded=why)


def _program(fault: ProgramFault) -> StartEvidence:
    if not fault.certain:
        return StartEvidence(warning=fault.why, searched=fault.searched, repair=fault.repair)
    reason = HeldReason.NOT_INSTALLED if fault.word == "not-installed" else HeldReason.NOT_RUNNABLE
    return StartEvidence(why=fault.why, reason=reason, searched=fault.searched, repair=fault.repair)


def program_warnings(present: Mapping[ResourceKey, Present]) -> list[str]:
    """What may trouble a program that is started all the same, once for all agents that it concerns."""
    warnings: dict[str, list[str]] = {}
    found = [
        (key, against.in_full)
        for key, seen in present.items()
        if (against := StartEvidence.of(seen)) is not None and against.warning
    ]
    for key, what in sorted(found):
        warnings.setdefault(what, []).append(key.name)
    return [f"{', '.join(names)}: {what}" for what, names in warnings.items()]


def _what(place: PathState, wanted: str) -> str:
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
    """None: unknown."""
    try:
        return look.manager().environment
    except ObserveError:
        return None
