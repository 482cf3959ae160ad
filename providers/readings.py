"""What the screens of agents show, for those whose programs' screens can be read: a dialog that waits for a person, a
composer, a draft in it. One question to each tmux server; none where no such program runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from providers.base import ObserveError, Present, ResourceKey
from providers.programs.base import Reading, Screen
from providers.programs.registry import READERS, program

if TYPE_CHECKING:
    from providers.host import Look
    from specs.compiled import Agent


def with_readings(
    found: Mapping[ResourceKey, Present], agents: Mapping[str, Agent], look: Look
) -> dict[ResourceKey, Present]:
    """The same sessions; for each whose screen can be read, `evidence["screen"]` is a Reading, or `evidence["unread"]`
    says why there is none. Never raises: what cannot be read leaves the rest of the session known."""
    wanted: dict[str, dict[str, tuple[ResourceKey, str, int]]] = {}
    for key, seen in found.items():
        runtime = _readable(seen, agents.get(key.name))
        if runtime and "@" not in key.name:
            place = wanted.setdefault(str(seen.fields["socket"]), {})
            place[str(seen.evidence.get("pane", ""))] = (key, runtime, int(seen.evidence["pid"]))
    changed = dict(found)
    for socket, panes in wanted.items():
        why, screens = "its pane changed at that moment", {}
        try:
            screens = dict(look.screens(socket, {pane: pid for pane, (_, _, pid) in panes.items()}))
        except ObserveError as error:
            why = str(error)
        for pane, (key, runtime, _) in panes.items():
            screen = screens.get(pane)
            more = {"unread": why} if screen is None else {"screen": reading(runtime, screen)}
            changed[key] = replace(found[key], evidence={**found[key].evidence, **more})
    return changed


def _readable(seen: Present, agent: Agent | None) -> str:
    """The runtime whose screen stands in a pane of ours; "" for none that can be read."""
    if not (seen.ours and seen.fields["alive"]) or seen.evidence.get("launching") or seen.evidence.get("another"):
        return ""  # no process, or one of a program that was declared before: it does not show what this one shows
    runtime = str(seen.fields["program"])  # of a declared agent, its runtime once that runs there; else what runs
    return runtime if runtime in READERS and (agent is None or agent.runtime == runtime) else ""


@lru_cache(maxsize=512)  # a resident loop sees the same screens again and again
def reading(runtime: str, screen: Screen) -> Reading:
    """What a screen shows to whoever knows the program."""
    return program(runtime).read(screen)
