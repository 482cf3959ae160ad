"""What codex's screen shows. Pure, and built on captures of 0.169 at widths of 80 and 200.

Its composer is a row that begins with a bright angle mark, above the status rows at the bottom; sent messages have a
faint one. A dialog replaces the composer and the status rows. Its suggestions in the composer are faint.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from providers.programs.base import Reading
from providers.programs.screen_rows import rows

if TYPE_CHECKING:
    from providers.programs.base import Asks, TurnWord
    from providers.programs.screen_rows import ScreenRow
    from providers.screen import Screen

_MARK = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
_FOLDED = re.compile(r"\[PastedContent\d+chars\]")
_SPINNER = re.compile("[\u2800-\u28ff]")
_ACTION = re.compile(r"\[ . \] Action Required")
_INTERRUPT = re.compile(r"\([^()]*\besc to interrupt\)")
_QUEUES = re.compile("\u2022 (?:Messages to be submitted |Queued follow-up inputs)")
_ITEM = "  \N{DOWNWARDS ARROW WITH TIP RIGHTWARDS} "
_TALL = 3  # rows
_STARTS = "  ? for shortcuts"  # on its own: a start may show a composer before it shows the dialog that it ends at
_CAN_LEAVE = re.compile(r"\besc (?:back|cancel|close|exit|skip|to (?:cancel|go back|interrupt))\b|\bPress enter to ")

_DIALOGS: tuple[tuple[re.Pattern[str], Asks, str], ...] = (
    (re.compile(r"^  Would you like to "), "permission", "it asks for a permission"),
    (re.compile(r"^  Question \d+/\d+"), "question", "it asks a question"),
    (re.compile(r"^  Hooks need review"), "trust", "it asks whether to trust hooks"),
    (re.compile(r"^  (?:Trust this folder\?|Do you trust the contents of this directory)"), "trust",
     "it asks whether to trust the folder"),
    (re.compile(r"Sign in with ChatGPT"), "login", "it asks for a login"),
)  # fmt: skip


def read(screen: Screen) -> Reading:
    """What a person would see; an unknown screen is an empty Reading."""
    seen = rows(screen)
    found = _composer(seen)
    if found is None:
        asks, why = _dialog(seen, screen.title)
        if asks:
            # It shows no sign of its work while it asks about a step of it.
            return Reading(turn="busy" if asks in ("permission", "question") else "unknown", asks=asks, why=why)
        turn, why = _turn(screen.title, None)
        return Reading(turn=turn, why=why)
    first, end = found
    draft = _draft(seen[first:end])
    turn, why = _turn(screen.title, seen[:first])
    return Reading(
        turn=turn,
        composer="draft" if draft else "empty",
        draft=draft,
        queued=_queued(seen[:first]),
        placeholders=len(_FOLDED.findall(re.sub(r"\s", "", draft))),
        why=why,
    )


def _composer(seen: list[ScreenRow]) -> tuple[int, int] | None:
    """The rows of the composer: from its mark to the blank row above the status rows, all of them indented."""
    end = len(seen)
    while end and not seen[end - 1].text:
        end -= 1
    bottom = end
    while end and seen[end - 1].text:  # the status rows
        end -= 1
        if seen[end].bright.startswith(_MARK):  # a draft so tall that it leaves no room for them
            return (end, bottom) if bottom - end >= _TALL else None
        if not seen[end].text.startswith("  ") or _CAN_LEAVE.search(seen[end].text):  # the keys of a dialog
            return None
    if [row.text for row in seen[end:bottom]] == [_STARTS]:
        return None
    for first in range(end - 1, -1, -1):
        if seen[first].bright.startswith(_MARK):
            return first, end
        if seen[first].text and not seen[first].text.startswith("  "):
            return None
    return None


def _draft(inside: list[ScreenRow]) -> str:
    first, *rest = (row.bright.rstrip() for row in inside)
    return "\n".join([first[1:].removeprefix(" "), *(line.removeprefix("  ") for line in rest)]).strip()


def _queued(above: list[ScreenRow]) -> tuple[str, ...]:
    """The messages under the headings of its queues, right above the composer, in their order: three rows of each."""
    headings = [number for number, row in enumerate(above) if _QUEUES.match(row.text)]
    found: list[list[str]] = []
    for row in above[headings[0] :] if headings else ():
        if row.text.startswith(_ITEM):
            found.append([row.text[len(_ITEM) :]])
        elif row.text.startswith("    ") and found and "edit last queued message" not in row.text:
            found[-1].append(row.text[4:])
    return tuple("\n".join(lines) for lines in found)


def _turn(title: str, above: list[ScreenRow] | None) -> tuple[TurnWord, str]:
    """`above`: the rows above its composer, if it is visible: during work, one says how to interrupt."""
    if _SPINNER.match(title):
        return "busy", "its title shows a spinner"
    if above is None:
        return "unknown", ""
    if any(_INTERRUPT.search(row.text) for row in above):
        return "busy", "it says how to interrupt it"
    return "idle", "its composer is there, and nothing says that it works"


def _dialog(seen: list[ScreenRow], title: str) -> tuple[Asks, str]:
    lines = [row.text for row in seen if row.text]
    if any(_CAN_LEAVE.search(line) for line in lines[-3:]):
        for words, asks, why in _DIALOGS:
            if any(words.search(line) for line in lines):
                return asks, why
    if _ACTION.match(title):
        return "permission", "its title says that an action is required"
    if any(_CAN_LEAVE.search(line) for line in lines[-3:]):
        return "menu", "a menu has the place of its composer"
    return "", ""
