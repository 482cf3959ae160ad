"""What pi's screen shows. Pure; its words are in `pi_words.py`.

Its last two rules enclose its editor, or a menu in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from providers.programs.base import Reading
from providers.programs.screens.cells import cells
from providers.programs.screens.choices import choices, plain_list, wording
from providers.programs.screens.pi_words import (
    ASKED,
    DIALOGS,
    FOLDED,
    FOREIGN,
    HINT,
    KEYS,
    POINTER,
    POINTS,
    QUEUE_ENDS,
    QUEUED,
    RULE,
    SCROLLED,
    TROUBLES,
    TURNS,
    UNTIL,
)
from providers.programs.screens.versions import in_force
from providers.programs.screens.words import NO_TROUBLE
from specs.dataclass import replace

if TYPE_CHECKING:
    from providers.programs.base import Asks, TurnWord
    from providers.programs.screens.words import TroubleReading
    from providers.screen import Screen

_NEAR = 12  # rows above the editor, for its spinner and its queue
_ERROR_MAX = 16  # rows of an error


def read(screen: Screen, version: str = "") -> Reading:
    """What a person would see; an unknown screen is an empty Reading."""
    if not screen.whole:
        return Reading()
    rules = [row for row, line in enumerate(screen.lines) if _is_rule(line, screen.width)]
    if len(rules) < 2:
        return _asked(screen, version)
    top, bottom = rules[-2], rules[-1]
    reading = _editor(screen, top, bottom)
    if reading is None:
        return _menu(screen, rules, version)
    if reading.composer == "hidden":
        return reading
    turn, why = _turn(screen, top, version)
    trouble, until, wrong = NO_TROUBLE if turn == "busy" else _trouble(screen, top, version)
    return replace(
        reading,
        turn=turn,
        queued=_queued(screen.lines[max(0, top - _NEAR) : top]),
        why=wrong or f"{reading.why}, {why}",
        trouble=trouble,
        until=until,
    )


def _is_rule(line: str, width: int) -> bool:
    return len(line) == width >= 10 and RULE.fullmatch(line) is not None


def _editor(screen: Screen, top: int, bottom: int) -> Reading | None:
    """The text typed, if these rules enclose the editor: all of it without any colour, with the editor's own cursor in
    it. If the terminal's cursor is elsewhere, pi no longer reads the keys."""
    rows = [cells(line) for line in screen.styled[top + 1 : bottom]]
    cursors = [top + 1 + row for row, line in enumerate(rows) if any(cell.reverse for cell in line)]
    coloured = any(cell.colour or cell.back for line in rows for cell in line if not cell.text.isspace())
    if coloured or len(cursors) != 1 or FOREIGN.match(screen.lines[top + 1]):
        return None
    offers = any(POINTS.match(line) for line in screen.lines[bottom + 1 :])
    if not offers and screen.cursor[1] != cursors[0]:
        return Reading(why="the editor is there, and the cursor is not in it: pi may be suspended")
    draft = "\n".join(screen.lines[top + 1 : bottom])
    asks: Asks = "menu" if offers else ""
    hidden = any(SCROLLED.search(screen.lines[row]) for row in (top, bottom))
    if not draft.strip() and not hidden:
        return Reading(composer="empty", asks=asks, why="its editor is empty")
    return Reading(
        composer="draft",
        draft=draft.strip("\n"),
        asks=asks,
        placeholders=len(FOLDED.findall(draft)),
        why="its editor has a text in it",
    )


def _menu(screen: Screen, rules: list[int], version: str) -> Reading:
    """A menu, by the line that points at a choice, or by its help about keys."""
    top = rules[-2]
    if len(rules) > 3 and not any(line.strip() for line in screen.lines[rules[-2] + 1 : rules[-1]]):
        top = rules[-3]
    said = screen.lines[top + 1 : rules[-1]]
    keys = any(KEYS.search(line) for line in said)
    if not keys and not any(POINTS.match(line) or line[:2] in ("> ", ">") for line in said):
        return Reading()
    head = next((line.strip() for line in said if line.strip()), "")
    why = f"a menu is open: {head[:80]}"
    at = next((row for row, line in enumerate(said) if POINTS.match(line)), None)
    for sign in in_force(DIALOGS, version):
        if not sign.pattern.match(head):
            continue
        found = plain_list(said, at, POINTER, screen.width) if at is not None else ()
        text = wording(said[: found[0].row]) if found else ""
        return Reading(asks=sign.asks, why=sign.why or why, question=text, choices=choices(found, sign))
    return Reading(asks="question" if keys else "menu", why=why)


def _asked(screen: Screen, version: str) -> Reading:
    """A question before its interface is there: the last line on the screen, with the cursor behind it."""
    row = screen.cursor[1]
    above = screen.lines[: row + 1] if 0 <= row < len(screen.lines) else ()
    if not above or any(line.strip() for line in screen.lines[row + 1 :]):
        return Reading()
    for sign in in_force(ASKED, version):
        if sign.pattern.search(above[-1]):
            start = next((at + 1 for at in range(row - 1, -1, -1) if not above[at].strip()), 0)
            return Reading(asks=sign.asks, why=sign.why, question=wording(above[start:]), choices=sign.offers)
    return Reading()


def _turn(screen: Screen, top: int, version: str) -> tuple[TurnWord, str]:
    """What turns is in the upper rule, or coloured and without the background of messages and of tools' output."""
    signs = in_force(TURNS, version)
    for sign in signs:
        if sign.place == "rule" and (found := sign.pattern.match(screen.lines[top])):
            return sign.turn, f"{sign.why}: {found[1][:80]}"
    for row in range(top - 1, max(-1, top - _NEAR), -1):
        for sign in signs:
            if sign.place == "row" and (found := sign.pattern.fullmatch(screen.lines[row])):
                spinner = cells(screen.styled[row])[1:2]
                if any(cell.colour and not cell.back for cell in spinner):
                    return sign.turn, f"{sign.why}: {found[1][:80]}"
    return "idle", "nothing turns above it"


def _queued(above: tuple[str, ...]) -> tuple[str, ...]:
    """The first line of each message: pi shows no more of it."""
    ends = [row for row, line in enumerate(above) if QUEUE_ENDS.fullmatch(line)]
    if not ends:
        return ()
    found: list[str] = []
    for line in reversed(above[: ends[-1]]):
        if not (one := QUEUED.fullmatch(line)):
            break
        found.insert(0, one[1])
    return tuple(found)


def _trouble(screen: Screen, top: int, version: str) -> TroubleReading:
    """The error that is the last thing above the editor: rows in one colour on no background, the first of which says
    that it is one."""
    said: list[str] = []
    colour = ""
    for row in range(top - 1, max(-1, top - _ERROR_MAX), -1):
        text = screen.lines[row].strip()
        first = next((cell for cell in cells(screen.styled[row]) if not cell.text.isspace()), None)
        if first is None or HINT.match(text):
            continue
        if first.back or not first.colour or (colour and first.colour != colour):
            break
        colour = first.colour
        said.insert(0, text)
        if text.startswith("Error: "):
            whole = " ".join(said)
            for sign in in_force(TROUBLES, version):
                if sign.pattern.match(whole):
                    until = UNTIL.search(whole)
                    return sign.trouble, until[1].strip() if until else "", sign.why
            break
    return NO_TROUBLE
