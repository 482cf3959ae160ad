"""pi: an extension reports for it, and its screen shows the rest. Pure.

Measured with 0.73.1; see docs/decisions/0025-pi-and-opencode.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from providers.programs import files
from providers.programs.base import Extra, HeartbeatSource, Reads, chooses_itself
from providers.programs.screens import pi as pi_screen
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.programs.base import AgentPaths, Program, Reading
    from providers.screen import Screen
    from specs.compiled import Agent

EXTENSION = "pi.js"
_FILES = (EXTENSION, "voice.js")
_CHOOSES = frozenset(
    [
        "--continue",
        "-c",
        "--resume",
        "-r",
        "--session",
        "--session-id",
        "--fork",
        "--no-session",
        "--print",
        "-p",
        "--mode",
    ]
)


@dataclass(frozen=True, slots=True)
class Pi:
    """The program."""

    name: str = "pi"
    heartbeats: HeartbeatSource = "native"
    receipts: bool = True
    reads: Reads = "prompt"

    def extra(self, agent: Agent, place: AgentPaths) -> Extra:
        """The extension, in addition to the person's own: `-e` adds to what pi finds by itself."""
        if not agent.argv or agent.argv[0].rpartition("/")[2] != self.name:
            return Extra()
        return Extra(
            files=tuple((name, files.text(name)) for name in _FILES),
            args=("-e", f"{place.folder}/{EXTENSION}"),
            env=(("MOSAIC_AGENT_CONTRACT", place.contract),),
        )

    def read(self, screen: Screen, version: str = "") -> Reading:
        return pi_screen.read(screen, version)

    def reset_text(self, how: Literal["new", "clear"]) -> str | None:
        """It has only /new: /clear would go to the model as a message."""
        return "/new" if how == "new" else None

    def takes_conversation(self, agent: Agent) -> bool:
        return not chooses_itself(agent.argv, _CHOOSES)


PROGRAM: Program = Pi()
