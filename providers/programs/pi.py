"""pi: an extension reports for it, and the editor between two rules at its bottom identifies its screen. Pure.

Measured with 0.73.1; see docs/decisions/0025-pi-and-opencode.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from providers.programs import files
from providers.programs.base import Asks, Extra, HeartbeatSource, Reading, Reads, TurnWord, chooses_itself
from providers.programs.screen_cells import cells
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from providers.programs.base import AgentPaths, Program
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

_RULE = re.compile(r"(?:─── [↑↓] \d+ more )?─*")
_SPINNER = re.compile(r" [⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] (\S.*)")
_QUEUED = re.compile(r" (?:Steering|Follow-up): (.*)")
_QUEUE_ENDS = re.compile(r" ↳ .* to edit all queued messages")
_FOLDED = re.compile(r"\[paste #\d+ (?:\+\d+ lines|\d+ chars)\]")
_POINTER = re.compile(" ?[\u2192\u203a] \\S")  # arrows
_KEYS = re.compile(r"\benter (?:select|submit)\b")
_LOGIN = re.compile(r"Select authentication method|Select provider|Log ?in to |Enter API key")
_NEAR = 12  # rows above the editor, for its spinner and its queue


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

    def read(self, screen: Screen) -> Reading:
        """The last two rules enclose the editor, or a menu in its place."""
        rules = [row for row, line in enumerate(screen.lines) if _is_rule(line, screen.width)]
        if len(rules) < 2 or len(screen.styled) < len(screen.lines):
            return Reading()
        top, bottom = rules[-2], rules[-1]
        reading = _editor(screen, top, bottom)
        if reading is None:
            return _menu(screen, rules)
        if reading.composer == "hidden":
            return reading
        turn, why = _turn(screen, top)
        queued = _queued(screen.lines[max(0, top - _NEAR) : top])
        return replace(reading, turn=turn, queued=queued, why=f"{reading.why}, {why}")

    def reset_text(self, how: Literal["new", "clear"]) -> str | None:
        """It has only /new: /clear would go to the model as a message."""
        return "/new" if how == "new" else None

    def takes_conversation(self, agent: Agent) -> bool:
        return not chooses_itself(agent.argv, _CHOOSES)


def _is_rule(line: str, width: int) -> bool:
    return len(line) == width >= 10 and _RULE.fullmatch(line) is not None


def _editor(screen: Screen, top: int, bottom: int) -> Reading | None:
    """The text typed, if these rules enclose the editor: all of it without any colour, with the editor's own cursor in
    it. If the terminal's cursor is elsewhere, pi no longer reads the keys."""
    rows = [cells(line) for line in screen.styled[top + 1 : bottom]]
    cursors = [top + 1 + row for row, line in enumerate(rows) if any(cell.reverse for cell in line)]
    coloured = any(cell.colour or cell.back for line in rows for cell in line if not cell.text.isspace())
    if coloured or len(cursors) != 1:
        return None
    offers = any(_POINTER.match(line) for line in screen.lines[bottom + 1 :])
    if not offers and screen.cursor[1] != cursors[0]:
        return Reading(why="the editor is there, and the cursor is not in it: pi may be suspended")
    draft = "\n".join(screen.lines[top + 1 : bottom])
    asks: Asks = "menu" if offers else ""
    hidden = "more" in screen.lines[top] or "more" in screen.lines[bottom]
    if not draft.strip() and not hidden:
        return Reading(composer="empty", asks=asks, why="its editor is empty")
    return Reading(
        composer="draft",
        draft=draft.strip("\n"),
        asks=asks,
        placeholders=len(_FOLDED.findall(draft)),
        why="its editor has a text in it",
    )


def _menu(screen: Screen, rules: list[int]) -> Reading:
    """A menu, by the line that points at a choice, or by its help about keys."""
    top = rules[-2]
    if len(rules) > 3 and not any(line.strip() for line in screen.lines[rules[-2] + 1 : rules[-1]]):
        top = rules[-3]
    said = screen.lines[top + 1 : rules[-1]]
    keys = any(_KEYS.search(line) for line in said)
    if not keys and not any(_POINTER.match(line) or line.startswith("> ") for line in said):
        return Reading()
    head = next((line.strip() for line in said if line.strip()), "")
    asks: Asks = "login" if _LOGIN.match(head) else "question" if keys else "menu"
    return Reading(asks=asks, why=f"a menu is open: {head[:80]}")


def _turn(screen: Screen, top: int) -> tuple[TurnWord, str]:
    """Its spinner is coloured, and lacks the background of messages and of tools' output."""
    for row in range(top - 1, max(-1, top - _NEAR), -1):
        if found := _SPINNER.fullmatch(screen.lines[row]):
            spinner = cells(screen.styled[row])[1:2]
            if any(cell.colour and not cell.back for cell in spinner):
                return "busy", f"it says: {found[1][:80]}"
    return "idle", "nothing turns above it"


def _queued(above: tuple[str, ...]) -> tuple[str, ...]:
    """The first line of each message: pi shows no more of it."""
    ends = [row for row, line in enumerate(above) if _QUEUE_ENDS.fullmatch(line)]
    if not ends:
        return ()
    found: list[str] = []
    for line in reversed(above[: ends[-1]]):
        if not (one := _QUEUED.fullmatch(line)):
            break
        found.insert(0, one[1])
    return tuple(found)


PROGRAM: Program = Pi()
