"""stub: its own code reports for it, so its launch adds nothing but the conversation. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from providers.programs.base import Plain
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.programs.base import HeartbeatSource, Program, Reads
    from specs.compiled import Agent


@dataclass(frozen=True, slots=True)
class StubProgram(Plain):
    """The program. Its screen does not distinguish a draft from its output, so we read nothing from it."""

    heartbeats: HeartbeatSource = "native"
    receipts: bool = True
    reads: Reads = "conversation"

    def reset_text(self, how: Literal["new", "clear"]) -> str | None:
        return f"/{how}"

    def takes_conversation(self, agent: Agent) -> bool:
        """The stub's own arguments come after its source file."""
        own = [word for word in agent.argv if word.endswith("stub.py")]
        return bool(own) and not {"--resume", "--session-id", "--"} & set(agent.argv)


PROGRAM: Program = StubProgram("stub")
