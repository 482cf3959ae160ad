"""opencode: a plugin in its terminal interface reports for it, and its screen shows the rest. Pure.

Measured with 1.18.33; see docs/decisions/0025-pi-and-opencode.md.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from providers.programs import files
from providers.programs.base import Extra, HeartbeatSource, Reads, chooses_itself
from providers.programs.screens import opencode as opencode_screen
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.programs.base import AgentPaths, Program, Reading
    from providers.screen import Screen
    from specs.compiled import Agent

PLUGIN = "opencode.js"
_FILES = (PLUGIN, "voice.js")
_CHOOSES = frozenset(["--continue", "-c", "--session", "-s", "--fork"])
_SETTINGS, _INTERFACE = "OPENCODE_CONFIG_CONTENT", "OPENCODE_TUI_CONFIG"


@dataclass(frozen=True, slots=True)
class OpenCode:
    """The program."""

    name: str = "opencode"
    heartbeats: HeartbeatSource = "native"
    receipts: bool = True
    reads: Reads = "prompt"

    def extra(self, agent: Agent, place: AgentPaths) -> Extra:
        """Two variables that opencode reads in addition to the person's own settings. One that the roster sets is
        kept."""
        if not agent.argv or agent.argv[0].rpartition("/")[2] != self.name:
            return Extra()
        own = dict(agent.env)
        env = []
        if _SETTINGS not in own:
            env.append((_SETTINGS, json.dumps({"instructions": [place.contract]})))
        if _INTERFACE not in own:
            env.append((_INTERFACE, f"{place.folder}/tui.json"))
        interface = json.dumps({"$schema": "https://opencode.ai/tui.json", "plugin": [f"./{PLUGIN}"]})
        return Extra(
            files=(*((name, files.text(name)) for name in _FILES), ("tui.json", f"{interface}\n")),
            env=tuple(env),
        )

    def read(self, screen: Screen, version: str = "") -> Reading:
        return opencode_screen.read(screen, version)

    def reset_text(self, how: Literal["new", "clear"]) -> str | None:
        """Both begin a new session; the old one stays in its list."""
        return f"/{how}"

    def takes_conversation(self, agent: Agent) -> bool:
        return _INTERFACE not in dict(agent.env) and not chooses_itself(agent.argv, _CHOOSES)


PROGRAM: Program = OpenCode()
