"""What agents' screens show, for programs whose screens can be read: a dialog that waits for a person, a composer, a
draft. One call to each tmux server; none if no such program runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from providers.base import ObserveError, Present, ResourceKey
from providers.evidence import SessionEvidence
from providers.programs.base import Reading, read_screen
from providers.programs.registry import is_read, program
from providers.screen import Screen
from specs.dataclass import replace

if TYPE_CHECKING:
    from providers.host import Look
    from specs.compiled import Agent


def with_readings(
    found: Mapping[ResourceKey, Present], agents: Mapping[str, Agent], look: Look
) -> dict[ResourceKey, Present]:
    """The same sessions; each with a readable screen has a `screen` in its evidence, or in `unread` the reason why not.
    Never raises: a screen that cannot be read leaves the rest of the session known."""
    wanted: dict[str, dict[str, tuple[ResourceKey, str, SessionEvidence]]] = {}
    for key, seen in found.items():
        evidence = SessionEvidence.of(seen)
        runtime = _readable(evidence, agents.get(key.name)) if evidence is not None and seen.ours else ""
        if evidence is not None and runtime and "@" not in key.name:
            wanted.setdefault(evidence.socket, {})[evidence.pane.id] = (key, runtime, evidence)
    changed = dict(found)
    for socket, panes in wanted.items():
        why, screens = "its pane changed at that moment", {}
        try:
            screens = dict(look.screens(socket, {pane: one.pane.pid for pane, (_, _, one) in panes.items()}))
        except ObserveError as error:
            why = str(error)
        for pane, (key, runtime, evidence) in panes.items():
            screen = screens.get(pane)
            more = (
                replace(evidence, unread=why) if screen is None else replace(evidence, screen=reading(runtime, screen))
            )
            seen = found[key]
            changed[key] = Present(key=key, agent=seen.agent, ours=seen.ours, fields=seen.fields, evidence=more)
    return changed


def _readable(seen: SessionEvidence, agent: Agent | None) -> str:
    """The runtime whose screen a pane of ours shows; "" if its screen cannot be read."""
    if not seen.alive or seen.launching or seen.another:
        return ""  # no process, or a program declared earlier: this one's screen is not there
    runtime = seen.program  # a declared agent's runtime once that runs; otherwise what runs
    return runtime if is_read(runtime, seen.pane.title) and (agent is None or agent.runtime == runtime) else ""


@lru_cache(maxsize=512)  # a resident loop sees the same screens again and again
def reading(runtime: str, screen: Screen) -> Reading | None:
    """What a screen shows, according to its program's reader; None if that cannot be known."""
    return read_screen(program(runtime), screen)
