"""What speaks against starting a living agent anew as it is declared now, as far as can be seen before it is ended.

It runs, so nothing is done about it; but whoever ends it, or a reboot, would find that it does not come back. For the
usual agent this costs one link of the kernel to be read: what stands elsewhere is looked at only where that link leads
to another place than the declared one, or where secrets come from files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from providers.base import ObserveError

if TYPE_CHECKING:
    from providers.base import Present, ResourceKey
    from providers.host import Look, Place
    from specs.compiled import Agent

DELETED = " (deleted)"  # what the kernel puts behind the name of a folder that is gone


def with_grounds(
    found: Mapping[ResourceKey, Present], agents: Mapping[str, Agent], look: Look
) -> dict[ResourceKey, Present]:
    """With what speaks against a new start of those that live."""
    living = {
        key.name: (agents[key.name], int(seen.evidence["pid"]))
        for key, seen in found.items()
        if key.name in agents and seen.ours and seen.fields["alive"] and _is_to_run(agents[key.name])
    }
    why = against(living, look)
    gone = {name for name, (_, pid) in living.items() if folder_is_gone(pid, look)}
    return {
        key: replace(
            seen,
            evidence={**seen.evidence, "cannot_start": why[key.name], "folder_gone": key.name in gone},
        )
        if key.name in why
        else seen
        for key, seen in found.items()
    }


def _is_to_run(agent: Agent) -> bool:
    return agent.state == "running" and agent.held is None


def against(living: Mapping[str, tuple[Agent, int]], look: Look) -> dict[str, str]:
    """By agent's name, why; without those that nothing speaks against. `living`: each with its pane's process."""
    folders = {name: look.cwd(pid) for name, (_, pid) in living.items()}
    paths: set[str] = set()
    for name, (agent, _) in living.items():
        if folders[name] != agent.working_directory:
            paths.add(agent.working_directory)
        paths.update(path for _, path in _files(agent))
    places = look.places(sorted(paths)) if paths else {}
    variables = _variables(look) if any(_names(agent) for agent, _ in living.values()) else None
    found = {}
    for name, (agent, _) in living.items():
        why = next(_reasons(agent, folders[name], places, variables), "")
        if why:
            found[name] = why
    return found


def folder_is_gone(pid: int, look: Look) -> bool:
    """Whether the folder that a process is in was deleted, whatever has its name by now."""
    return look.cwd(pid).endswith(DELETED)


def _reasons(
    agent: Agent, folder: str, places: Mapping[str, Place], variables: Mapping[str, str] | None
) -> Iterator[str]:
    place = places.get(agent.working_directory)
    if place is not None and not (place.kind == "folder" and place.usable):
        yield f"its working directory {agent.working_directory} {_what(place)}"
    elif folder.endswith(DELETED):
        yield f"its working directory {folder.removesuffix(DELETED)} was deleted under it, and another has its name now"
    for name, path in _files(agent):
        secret = places[path]
        if not (secret.kind == "file" and secret.usable):
            yield f"the secret file {path} for {name} {_what(secret, 'file')}"
    for name in _names(agent):
        if variables is not None and name not in variables:
            yield f"it needs {name}, which is not in the user manager's environment"


def _what(place: Place, wanted: str = "folder") -> str:
    if place.kind == "nothing":
        return "does not exist on this host"
    return (
        f"is no {wanted}"
        if place.kind in ("file", "folder") and place.kind != wanted
        else f"cannot be used: {place.why}"
    )


def _files(agent: Agent) -> list[tuple[str, str]]:
    return [(name, value.from_file) for name, value in agent.env if value.from_file is not None]


def _names(agent: Agent) -> list[str]:
    return [value.from_env for _, value in agent.env if value.from_env is not None]


def _variables(look: Look) -> Mapping[str, str] | None:
    """None: nobody could tell."""
    try:
        return look.manager().environment
    except ObserveError:
        return None
