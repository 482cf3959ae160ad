"""What codex's screen shows. Pure; its words are in `codex_words.py`.

Its composer is a row that begins with a bright angle mark, above the status rows at the bottom; sent messages have a
faint one. A dialog replaces the composer and the status rows. Its suggestions in the composer are faint.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from providers.programs.base import Reading
from providers.programs.screens.choices import choices, numbered, wording
from providers.programs.screens.codex_words import (
    ACTION,
    CAN_LEAVE,
    DIALOGS,
    FAILED,
    FOLDED,
    INTERRUPTED,
    ITEM,
    MARK,
    POINTS,
    QUEUES,
    STARTS,
    TROUBLES,
    TURNS,
    UNTIL,
)
from providers.programs.screens.rows import rows
from providers.programs.screens.versions import in_force
from providers.programs.screens.words import NO_TROUBLE

if TYPE_CHECKING:
    from providers.programs.base import TurnWord
    from providers.programs.screens.rows import ScreenRow
    from providers.programs.screens.words import TroubleReading
    from providers.screen import Screen

_TALL = 3  # rows


def read(screen: Screen, version: str = "") -> Reading:
    """What a person would see; an unknown screen is an empty Reading."""
    if not screen.whole:
        return Reading()
    seen = rows(screen)
    found = _composer(seen)
    if found is None or screen.cursor[1] < found[0]:  # below it, if a draft is taller than the screen
        return _dialog(seen, screen, version)
    first, end = found
    draft = _draft(seen[first:end])
    turn, why = _turn(screen.title, seen[:first], version)
    trouble, until, wrong = NO_TROUBLE if turn == "busy" else _trouble(seen[:first], version)
    return Reading(
        turn=turn,
        composer="draft" if draft else "empty",
        draft=draft,
        queued=_queued(seen[:first]),
        placeholders=len(FOLDED.findall(re.sub(r"\s", "", draft))),
        why=wrong or why,
        trouble=trouble,
        until=until,
    )


def _composer(seen: list[ScreenRow]) -> tuple[int, int] | None:
    """The rows of the composer: from its mark to the blank row above the status rows, all of them indented."""
    end = len(seen)
    while end and not seen[end - 1].text:
        end -= 1
    bottom = end
    while end and seen[end - 1].text:  # the status rows
        end -= 1
        if seen[end].bright.startswith(MARK):  # a draft so tall that it leaves no room for them
            return (end, bottom) if bottom - end >= _TALL else None
        if not seen[end].text.startswith("  ") or CAN_LEAVE.search(seen[end].text):  # the keys of a dialog
            return None
    if [row.text for row in seen[end:bottom]] == [STARTS]:
        return None
    for first in range(end - 1, -1, -1):
        if seen[first].bright.startswith(MARK):
            return first, end
        if seen[first].text and not seen[first].text.startswith("  "):
            return None
    return None


def _draft(inside: list[ScreenRow]) -> str:
    first, *rest = (row.bright.rstrip() for row in inside)
    return "\n".join([first[1:].removeprefix(" "), *(line.removeprefix("  ") for line in rest)]).strip()


def _queued(above: list[ScreenRow]) -> tuple[str, ...]:
    """The messages under the headings of its queues, right above the composer, in their order: three rows of each."""
    headings = [number for number, row in enumerate(above) if QUEUES.match(row.text)]
    found: list[list[str]] = []
    for row in above[headings[0] :] if headings else ():
        if row.text.startswith(ITEM):
            found.append([row.text[len(ITEM) :]])
        elif row.text.startswith("    ") and found and "edit last queued message" not in row.text:
            found[-1].append(row.text[4:])
    return tuple("\n".join(lines) for lines in found)


def _turn(title: str, above: list[ScreenRow] | None, version: str) -> tuple[TurnWord, str]:
    """`above`: the rows above its composer, if it is visible: during work, one says how to interrupt."""
    places = {"title": [title], "above": [row.text for row in above or ()]}
    for sign in in_force(TURNS, version):
        find = sign.pattern.match if sign.place == "title" else sign.pattern.search
        if any(find(text) for text in places.get(sign.place, ())):
            return sign.turn, sign.why
    if above is None:
        return "unknown", ""
    return "idle", "its composer is there, and nothing says that it works"


def _trouble(above: list[ScreenRow], version: str) -> TroubleReading:
    """The failure that its conversation ends with."""
    start = next((at for at in range(len(above) - 1, -1, -1) if above[at].text[:1].strip()), 0)
    while start and above[start].text and above[start - 1].text[:1].strip():  # a long one goes on at the edge
        start -= 1
    said = [row.text for row in takewhile(lambda row: row.text, above[start:])]
    if not said or not said[0].startswith(FAILED) or said[0].startswith(INTERRUPTED):
        return NO_TROUBLE
    whole = " ".join(said)
    for sign in in_force(TROUBLES, version):
        if sign.pattern.search(whole, len(FAILED)):
            until = UNTIL.search(whole)
            return sign.trouble, until[1] if until else "", sign.why
    return NO_TROUBLE


def _dialog(seen: list[ScreenRow], screen: Screen, version: str) -> Reading:
    """What has the place of its composer: it stands at the bottom, and says how to leave it."""
    turn, why = _turn(screen.title, None, version)
    lines = [row.text for row in seen]
    leaves = any(CAN_LEAVE.search(line) for line in [line for line in lines if line][-3:])
    action = ACTION.match(screen.title) is not None
    at = next((row for row in range(len(lines) - 1, -1, -1) if POINTS.match(lines[row])), None)
    for sign in in_force(DIALOGS, version) if leaves else ():
        start = next((row for row in range(len(lines) - 1, -1, -1) if sign.pattern.search(lines[row])), None)
        if start is None:
            continue
        pointer = lines[at].strip()[0] if at is not None else MARK
        found = numbered(lines, at, pointer, described=sign.described) if at is not None else ()
        begin = _begins(lines, start)
        return Reading(
            # It shows no sign of its work while it asks about a step of it.
            turn="busy" if sign.asks in ("permission", "question") else turn,
            asks=sign.asks,
            why=sign.why,
            question=wording(lines[begin : found[0].row] if found else lines[start : start + 2]),
            choices=choices(found, sign) or sign.offers,
        )
    if action:
        return Reading(turn="busy", asks="permission", why="its title says that an action is required")
    if leaves:
        return Reading(turn=turn, asks="menu", why="a menu has the place of its composer")
    return Reading(turn=turn, why=why)


def _begins(lines: list[str], row: int) -> int:
    """The first row of a dialog that has words in this one: below what stands at the edge."""
    return next((at + 1 for at in range(row, -1, -1) if lines[at][:1].strip()), 0)
