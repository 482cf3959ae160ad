"""stub: its own code reports for it, so its launch adds nothing but the conversation. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, get_args

from providers.programs.base import Asks, Choice, Plain, Reading, Trouble
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.programs.base import HeartbeatSource, Program, Reads
    from providers.screen import Screen
    from specs.compiled import Agent

ASKS, STOPS = "stub ? ", "stub ! "  # as in `stub_screens.py`: a title begins with one of these
_ASKS: Mapping[str, Asks] = {one: one for one in get_args(Asks) if one}
_TROUBLES: Mapping[str, Trouble] = {one: one for one in get_args(Trouble) if one}
_BEGINS = re.compile(r"\[dialog ([a-z-]+)\]")
_CHOICE = re.compile(r"([> ]) (\d)\. (.+)")
_STOPS = re.compile(r"\[trouble ([a-z-]+)(?: until (.+))?\]")


@dataclass(frozen=True, slots=True)
class StubProgram(Plain):
    """The program. Its screen does not distinguish a draft from its output, so only a dialog or a trouble is read from
    it, and only while its title says that there is one."""

    heartbeats: HeartbeatSource = "native"
    receipts: bool = True
    reads: Reads = "conversation"

    def read(self, screen: Screen, version: str = "") -> Reading:
        _ = version
        if screen.title.startswith(ASKS):
            return _dialog(screen)
        if screen.title.startswith(STOPS):
            return _trouble(screen)
        return Reading()

    def reset_text(self, how: Literal["new", "clear"]) -> str | None:
        return f"/{how}"

    def takes_conversation(self, agent: Agent) -> bool:
        """The stub's own arguments come after its source file."""
        own = [word for word in agent.argv if word.endswith("stub.py")]
        return bool(own) and not {"--resume", "--session-id", "--"} & set(agent.argv)


def shows_something(title: str) -> bool:
    """Whether its screen is worth reading: hundreds of stubs show nothing."""
    return title.startswith((ASKS, STOPS))


def _dialog(screen: Screen) -> Reading:
    """The lowest dialog, from its first line to its last."""
    ends = [row for row, line in enumerate(screen.lines) if line == "[end of dialog]"]
    begins = [row for row, line in enumerate(screen.lines) if _BEGINS.fullmatch(line)]
    rows = screen.lines[begins[-1] : ends[-1]] if ends and begins and begins[-1] < ends[-1] else ()
    found = _BEGINS.fullmatch(rows[0]) if rows else None
    if found is None:
        return Reading(asks="unknown", why="its title says that it asks something")
    said = [(row, match) for row in rows[1:] if (match := _CHOICE.fullmatch(row))]
    chosen = {row for row, _ in said}
    kind = _ASKS.get(found[1], "unknown")
    return Reading(
        asks=kind,
        turn="busy" if kind in ("permission", "question") else "unknown",
        question="\n".join(row for row in rows[1:] if row not in chosen),
        choices=tuple(_choice(match) for _, match in said),
        why="it shows a dialog",
    )


def _choice(match: re.Match[str]) -> Choice:
    label = match[3]
    means: Literal["", "allow", "deny"] = "allow" if label.startswith("Yes") else "deny" if label == "No" else ""
    return Choice(label=label, keys=(match[2],), means=means, selected=match[1] == ">")


def _trouble(screen: Screen) -> Reading:
    found = next((match for line in reversed(screen.lines) if (match := _STOPS.fullmatch(line))), None)
    kind = _TROUBLES.get(found[1], "") if found is not None else ""
    if found is None or not kind:
        return Reading()
    return Reading(composer="empty", turn="idle", trouble=kind, until=found[2] or "", why="it refuses what is sent")


PROGRAM: Program = StubProgram("stub")
