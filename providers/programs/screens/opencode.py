"""What opencode's screen shows. Pure; its words are in `opencode_words.py`.

The prompt is a box with a floor that contains the cursor. Permissions and questions replace it with a box without a
floor; all other dialogs cover the screen and take the cursor.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from providers.programs.base import Choice, Reading
from providers.programs.screens.cells import cells, columns
from providers.programs.screens.choices import Listed, choices, wording
from providers.programs.screens.opencode_words import (
    ANSWERED,
    BADGE,
    BUTTONS,
    COVERS,
    DIALOGS,
    FLOOR,
    FOLDED,
    INVITES,
    TITLE,
    TROUBLES,
    TURNS,
    UNTIL,
    WALL,
)
from providers.programs.screens.versions import in_force
from providers.programs.screens.words import NO_TROUBLE, meaning
from specs.dataclass import replace

if TYPE_CHECKING:
    from providers.programs.base import Asks, TurnWord
    from providers.programs.screens.cells import Cell
    from providers.programs.screens.words import DialogSign, TroubleReading
    from providers.screen import Screen

Cells = tuple["Cell", ...]
_NUMBERED = re.compile(r"(\d)\. (\S.*)")
_BOXED_MAX = 12  # rows of a failure


def read(screen: Screen, version: str = "") -> Reading:
    """What a person would see; an unknown screen is an empty Reading."""
    if not screen.whole:
        return Reading()
    rows = [cells(line) for line in screen.styled]
    floors = [row for row, line in enumerate(screen.lines) if FLOOR.match(line)]
    if not floors:
        return _stands_in_its_place(screen, rows, version)
    floor = floors[-1]
    turn, why = _turn(screen.lines[floor + 1 : floor + 4], version)
    reading = _prompt(screen, rows, floor) or _lies_over_it(screen.lines, version)
    trouble, until, wrong = NO_TROUBLE if turn == "busy" else _trouble(rows[:floor], screen.lines, version)
    return replace(
        reading,
        turn=turn,
        queued=_queued(rows[:floor]),
        why=wrong or (f"{reading.why}, {why}" if reading.why else why),
        trouble=trouble,
        until=until,
    )


def _prompt(screen: Screen, rows: list[Cells], floor: int) -> Reading | None:
    """The text typed. The last line of the box names the agent and the model, or the shell mode."""
    found = FLOOR.match(screen.lines[floor])
    left = len(found[1]) if found else 0
    right = left + len(found[0].strip()) if found else 0
    top = floor
    while top and _is_wall(rows[top - 1], left, rows[floor][left].colour):
        top -= 1
    column, row = screen.cursor
    if floor - top < 4 or not (top < row < floor - 2 and left < column < right):
        return None
    inside = [columns(line, left + 1, right) for line in rows[top:floor]]
    if inside[0].strip():
        return None  # a part of it is missing
    typed = [line.removeprefix("  ").rstrip() for line in inside[1:-2]]
    draft = "\n".join(typed).strip("\n")
    offers = top > 0 and _is_wall(rows[top - 1], left, None)
    asks: Asks = "menu" if offers else ""
    if inside[-1].strip() == "Shell":
        return Reading(composer="draft", draft=f"!{draft}", asks=asks, why="it would run what is typed as a command")
    if not draft or (INVITES.match(draft) and column == left + 3):
        return Reading(composer="empty", asks=asks, why="its prompt is empty")
    folded = len(FOLDED.findall(draft))
    return Reading(composer="draft", draft=draft, asks=asks, placeholders=folded, why="its prompt has a text in it")


def _is_wall(row: Cells, left: int, colour: str | None) -> bool:
    return len(row) > left and row[left].text == WALL and (colour is None or row[left].colour == colour)


def _boxed(row: Cells) -> Cells | None:
    """The cells behind the wall of a box, up to where the box's own background ends: the side bar follows."""
    wall = next((at for at, cell in enumerate(row) if not cell.text.isspace()), len(row))
    if wall + 1 >= len(row) or row[wall].text != WALL:
        return None
    outside, rest = row[max(0, wall - 1)].back, row[wall + 1 :]
    return tuple(takewhile(lambda cell: cell.back != outside, rest)) if rest[0].back != outside else rest


def _inside(row: Cells) -> str | None:
    boxed = _boxed(row)
    return None if boxed is None else _text(boxed)


def _text(row: Cells) -> str:
    return "".join(cell.text for cell in row).rstrip()


def _stands_in_its_place(screen: Screen, rows: list[Cells], version: str) -> Reading:
    """The last box on the screen, if nothing is below it."""
    box: list[Cells] = []
    top = 0
    for at in range(len(rows) - 1, -1, -1):
        row, inside = rows[at], _boxed(rows[at])
        if inside is not None:
            box.insert(0, inside)
            top = at
        elif box or any(not cell.text.isspace() for cell in row):
            break
    shown = [_text(row) for row in box]
    said = [line.strip() for line in shown if line.strip()]
    for sign in in_force(DIALOGS, version) if said else ():
        lines = said if sign.asks == "permission" else said[-1:]
        if not any(sign.pattern.search(line) for line in lines):
            continue
        buttons = _buttons(box, sign)
        listed = () if buttons else _listed(box)
        end = listed[0].row if listed else next((at for at, line in enumerate(shown) if BUTTONS.search(line)), None)
        head = said[0].removeprefix("△ ")
        cursor = screen.cursor[1] - top
        types = bool(listed) and listed[-1].row < cursor < len(shown)  # into its last choice, which is a field by now
        asked = replace(sign, answering="") if types else sign
        return Reading(
            turn="busy",
            asks=sign.asks,
            why=f"{sign.why}: {head[:80]}",
            question=wording(shown[:end]).removeprefix("△ ") if end is not None else "",
            choices=buttons or choices(listed, asked),
            takes_text=types and shown[cursor].strip() == listed[-1].label,
        )
    return Reading()


def _buttons(box: list[Cells], sign: DialogSign) -> tuple[Choice, ...]:
    """The answers side by side. The selected one has a background that no other has."""
    row = next((row for row in reversed(box) if sign.asks == "permission" and BUTTONS.search(_text(row))), ())
    text = "".join(cell.text for cell in row)
    found = [(one[0], row[one.start()].back) for one in BUTTONS.finditer(text)]
    backs = [back for _, back in found]
    now = [at for at, back in enumerate(backs) if backs.count(back) == 1]
    if len(found) < 2 or (len(now) != 1 and len(found) > 2):
        return tuple(Choice(label=label, means=meaning(label, sign.means)) for label, _ in found)
    edge = row[0].back
    chosen = next((at for at in now if backs[at] != edge), now[0] if now else 0)
    return tuple(
        Choice(
            label=label,
            keys=(*(("Right" if at > chosen else "Left",) * abs(at - chosen)), "Enter"),
            means=meaning(label, sign.means),
            selected=at == chosen,
        )
        for at, (label, _) in enumerate(found)
    )


def _listed(box: list[Cells]) -> tuple[Listed, ...]:
    """The numbered answers. The number of the selected one has a background of its own. Nothing if they can be ticked:
    then a choice answers nothing yet."""
    found: list[tuple[int, str, str]] = []
    for at, row in enumerate(box):
        one = _NUMBERED.match(_text(row).strip())
        if one is not None and int(one[1]) == len(found) + 1:
            first = next(cell for cell in row if not cell.text.isspace())
            found.append((at, one[2], first.back))
    backs = [back for _, _, back in found]
    if any(label.startswith("[") for _, label, _ in found):
        return ()
    return tuple(
        Listed(row=at, label=label, number=number, selected=backs.count(back) == 1 and len(found) > 2)
        for number, (at, label, back) in enumerate(found, 1)
    )


def _lies_over_it(lines: tuple[str, ...], version: str) -> Reading:
    for line in lines:
        if found := TITLE.search(line):
            sign = next(one for one in in_force(COVERS, version) if one.pattern.search(found[1]))
            return Reading(asks=sign.asks, why=f"{sign.why}: {found[1][:80]}")
    return Reading()


def _turn(below: tuple[str, ...], version: str) -> tuple[TurnWord, str]:
    for sign in in_force(TURNS, version):
        for line in below:
            if found := sign.pattern.search(line):
                return sign.turn, f"{sign.why}: {found[0][:80]}" if sign.turn == "busy" else sign.why
    return "unknown", ""


def _trouble(above: list[Cells], lines: tuple[str, ...], version: str) -> TroubleReading:
    """A box with the text in the colour of what matters less, and nothing but the name of the answering agent below
    it."""
    at = next((row for row in range(len(above) - 1, -1, -1) if ANSWERED.match(lines[row])), None)
    if at is None or not above[at]:
        return NO_TROUBLE
    muted = _text_colour(above[at], last=True)
    said: list[str] = []
    for row in range(at - 1, max(-1, at - _BOXED_MAX), -1):
        inside = _boxed(above[row])
        if inside is None:
            if said or lines[row].strip():
                break
            continue
        text = _text(inside).strip()
        if text and _text_colour(inside) != muted:
            return NO_TROUBLE
        said.insert(0, text)
    whole = " ".join(one for one in said if one)
    for sign in in_force(TROUBLES, version):
        if whole and sign.pattern.search(whole):
            until = UNTIL.search(whole)
            return sign.trouble, until[1].strip() if until else "", sign.why
    return NO_TROUBLE


def _text_colour(row: Cells, *, last: bool = False) -> str:
    coloured = [cell.colour for cell in row if not cell.text.isspace()]
    return coloured[-1 if last else 0] if coloured else ""


def _queued(above: list[Cells]) -> tuple[str, ...]:
    """The messages with the badge, those on the screen only."""
    found = []
    box: list[str] = []
    for row in above:
        inside = _inside(row)
        if inside is None:
            box = []
        elif inside.strip() == BADGE and box:
            found.append("\n".join(box).strip("\n"))
            box = []
        else:
            box.append(inside.removeprefix("  "))
    return tuple(found)
