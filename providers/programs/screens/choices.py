"""The list of answers in a dialog: which there are, which one is selected, and the keys that choose each. Pure.

A list is found from the row that the program points at, so that no list of a text above is taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from providers.programs.base import Choice
from providers.programs.screens.words import meaning
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from providers.programs.screens.words import DialogSign

_ITEM = re.compile(r"( *)(\d{1,2})\. (\S.*)")
_FRAME = re.compile(r"[\s─━╌╍│┃╭╮╰╯▔▁]*$")
_MARGIN = 6  # columns that a program may leave free at the right when it wraps a row
_LABELLED = re.compile(r"\((\w|esc)\)$")
_ENTER = "Enter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One choice as it is shown. `row`: its first; `number`: the one shown before it, 0 without any."""

    row: int
    label: str
    number: int = 0
    selected: bool = False


def numbered(lines: Sequence[str], at: int, pointer: str, *, described: bool = False) -> tuple[Listed, ...]:
    """The list whose selected choice is in row `at`: consecutive numbers in one column. `described`: what follows a
    label on further rows, or after two blanks, is no part of it."""
    plain = [line.replace(pointer, " ", 1) if row == at else line for row, line in enumerate(lines)]
    here = _ITEM.match(plain[at])
    if here is None:
        return ()
    column, number = len(here[1]), int(here[2])
    found = [Listed(row=at, label=here[3], number=number, selected=True)]
    for step in (-1, 1):
        row, wanted = at + step, number + step
        while wanted and 0 <= row < len(plain) and _within(plain[row], column, wanted):
            item = _ITEM.match(plain[row])
            if item is not None and len(item[1]) == column:
                one = Listed(row=row, label=item[3], number=wanted)
                found = [one, *found] if step < 0 else [*found, one]
                wanted += step
            row += step
    return tuple(_whole(item, plain, column + 3, described=described) for item in found)


def _within(line: str, column: int, wanted: int) -> bool:
    """Whether the list goes on in this row: with its next choice, more of one, a blank, or a frame."""
    item = _ITEM.match(line)
    if item is not None and len(item[1]) == column:
        return int(item[2]) == wanted
    return _FRAME.match(line) is not None or line[: column + 1].isspace()


def _whole(item: Listed, lines: Sequence[str], column: int, *, described: bool) -> Listed:
    """With what its label goes on with in the rows below."""
    if described:
        return replace(item, label=re.split(r" {2,}", item.label)[0])
    parts = [item.label]
    for line in lines[item.row + 1 :]:
        if not line.strip() or not line[:column].isspace():
            break
        parts.append(line.strip())
    return replace(item, label=" ".join(parts))


def plain_list(lines: Sequence[str], at: int, pointer: str, width: int) -> tuple[Listed, ...]:
    """The list whose selected choice is in row `at`, one choice in each row; nothing if a row may be the rest of the
    one above it: its choices could not be counted."""
    column = lines[at].find(pointer) + len(pointer)
    if lines[at][:column].strip(f" {pointer}") != "" or not lines[at][column:].strip():
        return ()
    column += len(lines[at][column:]) - len(lines[at][column:].lstrip())
    rows = [at]
    while rows[0] > 0 and _stands(lines[rows[0] - 1], column):
        rows.insert(0, rows[0] - 1)
    while rows[-1] + 1 < len(lines) and _stands(lines[rows[-1] + 1], column):
        rows.append(rows[-1] + 1)
    for row in rows[1:]:
        first_word = lines[row].split()[0]
        if len(lines[row - 1]) + 1 + len(first_word) > width - _MARGIN:
            return ()
    return tuple(Listed(row=row, label=lines[row][column:].strip(), selected=row == at) for row in rows)


def _stands(line: str, column: int) -> bool:
    return len(line) > column and line[:column].strip() == "" and not line[column].isspace()


def choices(found: tuple[Listed, ...], sign: DialogSign) -> tuple[Choice, ...]:
    """With the keys that choose each from the state that is shown."""
    now = next((place for place, item in enumerate(found) if item.selected), None)
    return tuple(
        Choice(
            label=item.label,
            keys=_keys(item, place, now, sign),
            means=meaning(item.label, sign.means),
            selected=item.selected,
        )
        for place, item in enumerate(found)
    )


def _keys(item: Listed, place: int, now: int | None, sign: DialogSign) -> tuple[str, ...]:
    if sign.answering == "label":
        hint = _LABELLED.search(item.label)
        return () if hint is None else ("Escape",) if hint[1] == "esc" else (hint[1],)
    if sign.answering == "digit" and 0 < item.number < 10:
        return (str(item.number),)
    if sign.answering in ("digit", "arrows") and now is not None:
        moves = ("Down",) * (place - now) if place >= now else ("Up",) * (now - place)
        return (*moves, _ENTER)
    return ()


def wording(lines: Sequence[str]) -> str:
    """The text of these rows without frames, blank edges and the margin that all of them have."""
    kept = ["" if _FRAME.match(line) else line.rstrip() for line in lines]
    margin = min((len(line) - len(line.lstrip()) for line in kept if line), default=0)
    text = "\n".join(line[margin:] for line in kept)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")
