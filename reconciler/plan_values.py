"""What a plan says as a whole: its numbers, and whether the two agents stand that the fleet needs. Pure."""

from __future__ import annotations

from typing import Literal

from specs.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    create: int = 0
    update: int = 0
    remove: int = 0
    heal: int = 0
    held: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Whether the two agents that a fleet cannot do without are healthy. `orchestrator` and `enhancer` name the one
    that is not; `none` means that the fleet has no such rule. `on_purpose`: somebody has suspended those agents."""

    word: Literal["none", "stands", "elsewhere", "unknown", "orchestrator", "enhancer"] = "none"
    message: str = ""
    on_purpose: bool = False


NO_FLOOR = Floor()
