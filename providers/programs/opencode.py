"""opencode: a plugin in its terminal interface reports for it, and the box of its prompt identifies its screen. Pure.

Measured with 1.18.33; see docs/decisions/0025-pi-and-opencode.md.
"""

from __future__ import annotations

import json
import re
from itertools import takewhile
from typing import TYPE_CHECKING, Literal

from providers.programs import files
from providers.programs.base import Asks, Extra, HeartbeatSource, Reading, Reads, TurnWord, chooses_itself
from providers.programs.screen_cells import Cell, cells, columns
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from providers.programs.base import AgentPaths, Program
    from providers.screen import Screen
    from specs.compiled import Agent

PLUGIN = "opencode.js"
_FILES = (PLUGIN, "voice.js")
_CHOOSES = frozenset(["--continue", "-c", "--session", "-s", "--fork"])
_SETTINGS, _INTERFACE = "OPENCODE_CONFIG_CONTENT", "OPENCODE_TUI_CONFIG"

_FLOOR = re.compile(r"^( *)╹(▀{8,})")
_WALL = "┃"
_INVITES = re.compile(r"Ask anything…|Run a command…")
_FOLDED = re.compile(r"\[Pasted ~\d+ lines\]|\[(?:Image|PDF|SVG)[^\]\n]*\]")
_BUSY = re.compile(r"\besc (?:again to )?interrupt\b|\[retrying [^\]]*\]")
_TITLE = re.compile(r"([^ ┃](?:[^ ]| (?! ))*) {2,}esc(?:/enter)?(?: {3}.*)?$")
_LOGIN = re.compile(r"Connect a provider|API key|Log ?in\b|Authori[sz]e|Select auth method", re.IGNORECASE)
_ANSWERS = re.compile(r"\besc dismiss\b|\benter (?:submit|toggle|confirm)\b")
_BADGE = "QUEUED"


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

    def read(self, screen: Screen) -> Reading:
        """The prompt is a box with a floor that contains the cursor. Permissions and questions replace it with a box
        without a floor; all other dialogs cover the screen and take the cursor."""
        if len(screen.styled) < len(screen.lines):
            return Reading()
        rows = [cells(line) for line in screen.styled]
        floors = [row for row, line in enumerate(screen.lines) if _FLOOR.match(line)]
        if not floors:
            return _stands_in_its_place(rows)
        floor = floors[-1]
        turn, why = _turn(screen.lines[floor + 1 : floor + 4])
        reading = _prompt(screen, rows, floor) or _lies_over_it(screen.lines)
        queued = _queued(rows[:floor])
        return replace(reading, turn=turn, queued=queued, why=f"{reading.why}, {why}" if reading.why else why)

    def reset_text(self, how: Literal["new", "clear"]) -> str | None:
        """Both begin a new session; the old one stays in its list."""
        return f"/{how}"

    def takes_conversation(self, agent: Agent) -> bool:
        return _INTERFACE not in dict(agent.env) and not chooses_itself(agent.argv, _CHOOSES)


def _prompt(screen: Screen, rows: list[tuple[Cell, ...]], floor: int) -> Reading | None:
    """The text typed. The last line of the box names the agent and the model, or the shell mode."""
    found = _FLOOR.match(screen.lines[floor])
    left = len(found[1]) if found else 0
    right = left + len(found[0].strip()) if found else 0
    top = floor
    while top and _is_wall(rows[top - 1], left, rows[floor][left].colour):
        top -= 1
    column, row = screen.cursor
    if floor - top < 4 or not (top < row < floor - 2 and left < column < right):
        return None
    inside = [columns(line, left + 1, right) for line in rows[top:floor]]
    typed = [line.removeprefix("  ").rstrip() for line in inside[1:-2]]
    draft = "\n".join(typed).strip("\n")
    offers = top > 0 and _is_wall(rows[top - 1], left, None)
    asks: Asks = "menu" if offers else ""
    if inside[-1].strip() == "Shell":
        return Reading(composer="draft", draft=f"!{draft}", asks=asks, why="it would run what is typed as a command")
    if not draft or (_INVITES.match(draft) and column == left + 3):
        return Reading(composer="empty", asks=asks, why="its prompt is empty")
    folded = len(_FOLDED.findall(draft))
    return Reading(composer="draft", draft=draft, asks=asks, placeholders=folded, why="its prompt has a text in it")


def _is_wall(row: tuple[Cell, ...], left: int, colour: str | None) -> bool:
    return len(row) > left and row[left].text == _WALL and (colour is None or row[left].colour == colour)


def _inside(row: tuple[Cell, ...]) -> str | None:
    """The text behind the wall of a box, up to where the box's own background ends: the side bar follows."""
    wall = next((at for at, cell in enumerate(row) if not cell.text.isspace()), len(row))
    if wall + 1 >= len(row) or row[wall].text != _WALL:
        return None
    outside, rest = row[max(0, wall - 1)].back, row[wall + 1 :]
    within = takewhile(lambda cell: cell.back != outside, rest) if rest[0].back != outside else rest
    return "".join(cell.text for cell in within).rstrip()


def _stands_in_its_place(rows: list[tuple[Cell, ...]]) -> Reading:
    """The last box on the screen, if nothing is below it."""
    said: list[str] = []
    for row in reversed(rows):
        inside = _inside(row)
        if inside is not None:
            said.insert(0, inside.strip())
        elif said or any(not cell.text.isspace() for cell in row):
            break
    said = [line for line in said if line]
    if any(line.startswith("△ ") for line in said):
        return Reading(turn="busy", asks="permission", why=f"it asks: {said[0].removeprefix('△ ')[:80]}")
    if said and _ANSWERS.search(said[-1]):
        return Reading(turn="busy", asks="question", why=f"it asks: {said[0][:80]}")
    return Reading()


def _lies_over_it(lines: tuple[str, ...]) -> Reading:
    for line in lines:
        if found := _TITLE.search(line):
            asks: Asks = "login" if _LOGIN.search(found[1]) else "menu"
            return Reading(asks=asks, why=f"a dialog is open: {found[1][:80]}")
    return Reading()


def _turn(below: tuple[str, ...]) -> tuple[TurnWord, str]:
    for line in below:
        if found := _BUSY.search(line):
            return "busy", f"it says: {found[0][:80]}"
    return ("idle", "nothing to interrupt") if any(line.strip() for line in below) else ("unknown", "")


def _queued(above: list[tuple[Cell, ...]]) -> tuple[str, ...]:
    """The messages with the badge, those on the screen only."""
    found = []
    box: list[str] = []
    for row in above:
        inside = _inside(row)
        if inside is None:
            box = []
        elif inside.strip() == _BADGE and box:
            found.append("\n".join(box).strip("\n"))
            box = []
        else:
            box.append(inside.removeprefix("  "))
    return tuple(found)


PROGRAM: Program = OpenCode()
