"""What claude's screen shows. Pure; its words are in `claude_words.py`.

Its composer begins with an angle mark, between two rules from edge to edge; a dialog takes the composer's place. Its
suggestions in the composer are faint.
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from providers.programs.base import Reading
from providers.programs.screens.cells import cells
from providers.programs.screens.choices import choices, numbered, plain_list, wording
from providers.programs.screens.claude_words import (
    DIALOGS,
    FOLDED,
    MARK,
    NO_START,
    OPENED,
    OVER,
    QUEUED,
    RULE,
    TROUBLES,
    TURNS,
    UNTIL,
)
from providers.programs.screens.rows import rows
from providers.programs.screens.versions import in_force
from providers.programs.screens.words import NO_TROUBLE

if TYPE_CHECKING:
    from providers.programs.base import TurnWord
    from providers.programs.screens.choices import Listed
    from providers.programs.screens.rows import ScreenRow
    from providers.programs.screens.words import TroubleReading
    from providers.screen import Screen

_PROMPT = re.compile(rf"{MARK}(?:\s|$)")
_MODE = re.compile(r"!(?:\s|$)")  # a shell runs what is sent there
_POINTS = re.compile(rf" {{0,4}}{MARK}\s+\S")
_COMMAND = re.compile(rf"{MARK}\s/\w")  # a person's, which opened what stands below it
_CAN_LEAVE = re.compile(r"\bEsc to (?:cancel|close|clear|exit|go back)\b")
_BEGINS = re.compile(r"\S|  ⎿")  # the first row of something in its conversation


class _Composer(NamedTuple):
    """The rows of a composer, from `first` to before `end`."""

    first: int
    end: int


def read(screen: Screen, version: str = "") -> Reading:
    """What a person would see; an unknown screen is an empty Reading."""
    if not screen.whole:
        return Reading()
    seen = rows(screen)
    composer = _composer(seen)
    if composer is None:
        turn, why = _turn(screen.title, version, above=(), foot=(), last="", idle=False)
        dialog = _dialog(seen, screen, version)
        if dialog is None:
            return _no_start(seen, turn, why, version)
        # It shows no sign of its work while it asks about a step of it.
        busy = dialog.asks in ("permission", "question") or turn == "busy"
        return Reading(
            turn="busy" if busy else "unknown",
            asks=dialog.asks,
            why=dialog.why,
            question=dialog.question,
            choices=dialog.choices,
            takes_text=dialog.takes_text,
        )
    above, foot = seen[: composer.first - 1], seen[composer.end :]
    start, last = _last(above)
    turn, why = _turn(
        screen.title, version, above=tuple(row.text for row in above), foot=tuple(row.text for row in foot), last=last
    )
    draft = _draft(seen[composer.first : composer.end])
    said = [last] if _own_words(above, screen.styled, start) else []
    trouble, until, wrong = NO_TROUBLE if turn == "busy" else _trouble([*said, *(row.text for row in foot)], version)
    return Reading(
        turn=turn,
        composer="draft" if draft else "empty",
        draft=draft,
        queued=_queued_above(above, screen.styled) or (() if draft[:1] in ("/", "@") else _queued(above)),
        placeholders=len(FOLDED.findall(re.sub(r"\s", "", draft))),
        why=wrong or why,
        trouble=trouble,
        until=until,
        without=tuple(sign.trouble for sign in in_force(OVER, version) if any(map(sign.pattern.search, said))),
    )


def _composer(seen: list[ScreenRow]) -> _Composer | None:
    """The lowest composer. A draft may contain a rule, so the nearest rule above need not be its upper edge."""
    rules = [number for number, row in enumerate(seen) if RULE.match(row.text)]
    for end in reversed(rules):
        for above in reversed([number for number in rules if number < end - 1]):
            first = seen[above + 1].text
            if _PROMPT.match(first) or _MODE.match(first):
                return _Composer(above + 1, end)
    return None


def _draft(inside: list[ScreenRow]) -> str:
    first, *rest = (row.bright.rstrip() for row in inside)
    if _MODE.match(inside[0].text):
        return "\n".join([first, *rest]).strip()
    lines = [first[1:].removeprefix(" "), *(line.removeprefix("  ") for line in rest)]
    return "\n".join(lines).strip()


def _queued(above: list[ScreenRow]) -> tuple[str, ...]:
    """The block of indented messages that ends right above the composer, in their order. What is offered for a command
    looks the same."""
    found: list[str] = []
    part: list[str] = []
    for row in reversed(above):
        line = row.text
        if line.startswith(f"  {MARK} "):
            found.append("\n".join([line[4:], *reversed(part)]))
            part = []
        elif line.startswith("    ") or (not line and not found and not part):
            part += [line[4:]] if line else []
        else:
            break
    return tuple(reversed(found))


def _queued_above(above: list[ScreenRow], styled: tuple[str, ...]) -> tuple[str, ...]:
    """The messages above the row that says that they are queued: each as dim as its mark, where a sent one is not."""
    found: list[str] = []
    part: list[str] = []
    end = next((at for at in range(len(above) - 1, -1, -1) if QUEUED.match(above[at].text)), 0)
    for at in range(min(end, len(styled)) - 1, -1, -1):
        line = above[at].text
        if line.startswith(MARK):
            if len({cell.colour for cell in cells(styled[at]) if not cell.text.isspace()}) != 1:
                break
            found.append("\n".join([line[2:], *reversed(part)]).rstrip())
            part = []
        elif not line or line.startswith("  "):
            part.append(line[2:])
        else:
            break
    return tuple(reversed(found))


def _last(above: list[ScreenRow]) -> tuple[int, str]:
    """The last thing in its conversation, or the note about its turn below that, up to a blank row; and its row."""
    lines = [row.text for row in above]
    start = next((at for at in range(len(lines) - 1, -1, -1) if _BEGINS.match(lines[at])), len(lines))
    kept = list(takewhile(bool, lines[start:]))
    return start, " ".join([*kept[:1], *(line.strip() for line in kept[1:])])


def _own_words(above: list[ScreenRow], styled: tuple[str, ...], start: int) -> bool:
    """Whether the last thing can only be claude's own: all in the colour of its mark, or right below a message."""
    text = above[start].text if start < len(above) else ""
    if text.startswith("●"):
        colours = {cell.colour for cell in cells(styled[start]) if not cell.text.isspace()}
        return len(colours) == 1 and "" not in colours
    earlier = next((row.text for row in reversed(above[:start]) if _BEGINS.match(row.text)), "")
    return "⎿" in text[:4] and earlier.startswith(MARK)


def _turn(
    title: str, version: str, *, above: tuple[str, ...], foot: tuple[str, ...], last: str, idle: bool = True
) -> tuple[TurnWord, str]:
    """`idle`: whether it may be idle: its composer is visible, with the rows `above` and `foot` around it."""
    places = {"title": (title,), "row": above, "foot": foot, "last": (last,)}
    for sign in in_force(TURNS, version):
        if sign.turn != "busy" and not idle:
            continue
        find = sign.pattern.search if sign.place == "foot" else sign.pattern.match
        if any(find(text) for text in places.get(sign.place, ())):
            return sign.turn, sign.why
    return "unknown", ""


def _trouble(shown: list[str], version: str) -> TroubleReading:
    """What claude's own words say, and until when."""
    for text in shown:
        for sign in in_force(TROUBLES, version):
            if sign.pattern.search(text):
                until = UNTIL.search(text)
                return sign.trouble, until[1] if until else "", sign.why
    return NO_TROUBLE


def _dialog(seen: list[ScreenRow], screen: Screen, version: str) -> Reading | None:
    """The dialog in the composer's place: below the last rule above the choice that it points at."""
    lines = [row.text for row in seen]
    opened = any(OPENED.match(line) for line in lines)
    at = _pointed(lines, screen.cursor[1])
    leaves = any(_CAN_LEAVE.search(line) for line in [line for line in lines if line][-4:])
    if at is None and not leaves and not opened:
        return None
    bottom = len(lines) - 1 if at is None else at
    edge = [RULE.match(line.strip() if opened else line) or OPENED.match(line) for line in lines]
    start = next((row + 1 for row in range(bottom, -1, -1) if edge[row]), 0)
    opened = (
        opened or _COMMAND.match(next((line for line in reversed(lines[: max(0, start - 1)]) if line), "")) is not None
    )
    listed = () if at is None else numbered(lines, at, MARK)
    if not leaves and not opened and not (start and (listed or at == screen.cursor[1])):
        return None  # without its keys, only what stands in its place for certain
    words = lines[start:]
    for sign in in_force(DIALOGS, version):
        if not any(sign.pattern.search(line) for line in words) or (opened and sign.asks == "resume"):
            continue
        found: tuple[Listed, ...] = ()
        if at is not None:
            found = numbered(lines, at, MARK, described=sign.described) or plain_list(lines, at, MARK, screen.width)
        text = sign.text is not None and any(one.selected and sign.text.match(one.label) for one in found)
        return Reading(
            asks=sign.asks,
            why=sign.why,
            question=wording(lines[start : found[0].row]) if found else "",
            choices=choices(found, sign),
            takes_text=text,
        )
    if opened:
        return Reading(asks="menu", why="a menu has the place of its composer")
    return Reading(asks="unknown", why="a dialog that is not known has the place of its composer")


def _no_start(seen: list[ScreenRow], turn: TurnWord, why: str, version: str) -> Reading:
    for sign in in_force(NO_START, version):
        if any(sign.pattern.match(row.text) for row in seen):
            return Reading(turn=turn, trouble=sign.trouble, why=sign.why)
    return Reading(turn=turn, why=why)


def _pointed(lines: list[str], cursor: int) -> int | None:
    """The row of the choice that it points at: it puts the cursor there, and on no row of a conversation."""
    return cursor if 0 <= cursor < len(lines) and _POINTS.match(lines[cursor]) else None
