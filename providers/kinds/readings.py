"""What agents' screens show, where a program's screen can be read: a dialog that waits for a person, a composer, a
draft. One question to each tmux server; none where no such program runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from providers.base import ObserveError, Present, ResourceKey
from providers.evidence import SessionEvidence
from providers.programs.base import Reading
from providers.programs.registry import READERS, program
from providers.screen import Screen

if TYPE_CHECKING:
    from providers.host import Look
    from specs.compiled import Agent


def with_readings(
    found: Mapping[ResourceKey, Present], agents: Mapping[str, Agent], look: Look
) -> dict[ResourceKey, Present]:
    """The same sessions; for each whose screen can be read, the evidence has a `screen`, or says in `unread` why
    there is none. Never raises: what cannot be read leaves the rest of the session known."""
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
    """The runtime whose screen stands in a pane of ours; "" for none that can be read."""
    if not seen.alive or seen.launching or seen.another:
        return ""  # no process, or one of a program that was declared before: it does not show what this one shows
    runtime = seen.program  # of a declared agent, its runtime once that runs there; else what runs
    return runtime if runtime in READERS and (agent is None or agent.runtime == runtime) else ""


@lru_cache(maxsize=512)  # a resident loop sees the same screens again and again
def reading(runtime: str, screen: Screen) -> Reading:
    """What a screen shows to whoever knows the program."""
    return program(runtime).read(screen)
